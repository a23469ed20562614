/// @file
/// HTTP messages as this server knows them: whole, with their bodies as text.

#ifndef SOJOURN_HTTP_SERVER_MESSAGE_HPP
#define SOJOURN_HTTP_SERVER_MESSAGE_HPP

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace sojourn::http_server {

namespace http = boost::beast::http;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_MESSAGE_HPP
