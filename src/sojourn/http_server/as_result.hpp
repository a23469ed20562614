/// @file
/// A completion token for coroutines: errors of I/O are values, as in
/// `const auto [error, length] = co_await socket.async_read_some(buffer, as_result);`.

#ifndef SOJOURN_HTTP_SERVER_AS_RESULT_HPP
#define SOJOURN_HTTP_SERVER_AS_RESULT_HPP

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sojourn::http_server {

inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_AS_RESULT_HPP
