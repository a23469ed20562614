/// @file
/// Private header. The console: one page for a browser, which asks the endpoint that serves it what
/// it shows. It holds no secrets, so nobody needs a token to load it.

#ifndef SOJOURN_ADMIN_CONSOLE_CONSOLE_HPP
#define SOJOURN_ADMIN_CONSOLE_CONSOLE_HPP

#include "sojourn/admin/options.hpp"
#include "sojourn/http_server/message.hpp"

#include <boost/beast/http/verb.hpp>

#include <string_view>

namespace sojourn::admin::console {

/// console.html with console.css and console.js in it, put together by cmake/console_page.cmake.
extern const std::string_view page;

/// Its Content-Security-Policy: nothing runs or is loaded but what the page has in it, by hash, and
/// nothing is asked but the server that it came from.
extern const std::string_view policy;

/// The page, to be told by `options` whether to ask for a token; 405 to other methods than GET and
/// HEAD. *Exceptions*: `bad_alloc`.
[[nodiscard]] http_server::Response
response(boost::beast::http::verb method, const Options& options);

} // namespace sojourn::admin::console

#endif // SOJOURN_ADMIN_CONSOLE_CONSOLE_HPP
