/// @file
/// What the library's HTTP server and this program tell each other.

#ifndef HTTP_SESSIONS_MESSAGE_HPP
#define HTTP_SESSIONS_MESSAGE_HPP

#include <sojourn/http_server/message.hpp>
#include <sojourn/http_server/reply.hpp>
#include <sojourn/http_server/responses.hpp>

namespace http_sessions {

namespace http = boost::beast::http;

using sojourn::http_server::bad_request;
using sojourn::http_server::empty_response;
using sojourn::http_server::json_response;
using sojourn::http_server::method_not_allowed;
using sojourn::http_server::refusal;
using sojourn::http_server::Reply;
using sojourn::http_server::Request;
using sojourn::http_server::Response;
using sojourn::http_server::unavailable;

} // namespace http_sessions

#endif // HTTP_SESSIONS_MESSAGE_HPP
