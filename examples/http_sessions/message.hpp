/// @file
/// HTTP messages as this server knows them: whole, with their bodies as text.

#ifndef HTTP_SESSIONS_MESSAGE_HPP
#define HTTP_SESSIONS_MESSAGE_HPP

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace http_sessions {

namespace http = boost::beast::http;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

} // namespace http_sessions

#endif // HTTP_SESSIONS_MESSAGE_HPP
