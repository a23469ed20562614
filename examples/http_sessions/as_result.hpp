/// @file
/// A completion token for coroutines: errors of I/O are values, as in
/// `const auto [error, length] = co_await socket.async_read_some(buffer, as_result);`.

#ifndef HTTP_SESSIONS_AS_RESULT_HPP
#define HTTP_SESSIONS_AS_RESULT_HPP

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace http_sessions {

inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

} // namespace http_sessions

#endif // HTTP_SESSIONS_AS_RESULT_HPP
