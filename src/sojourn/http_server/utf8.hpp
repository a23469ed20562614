/// @file
/// Whether a text is UTF-8. JSON is nothing else, so what is shown in JSON must be that.

#ifndef SOJOURN_HTTP_SERVER_UTF8_HPP
#define SOJOURN_HTTP_SERVER_UTF8_HPP

#include <string_view>

namespace sojourn::http_server {

/// True when the text is well-formed UTF-8 by Unicode's table 3-7: nothing overlong, no surrogates,
/// nothing beyond U+10FFFF, nothing cut off.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_UTF8_HPP
