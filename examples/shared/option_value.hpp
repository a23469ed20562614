/// @file
/// Values of command-line options, as our programs take them. What is not accepted throws
/// `CLI::ValidationError`, with what was wrong and what is accepted.

#ifndef EXAMPLES_SHARED_OPTION_VALUE_HPP
#define EXAMPLES_SHARED_OPTION_VALUE_HPP

#include <sojourn/core/rate_limit.hpp>
#include <sojourn/core/time.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <string>

namespace examples {

[[noreturn]] void refuse(const std::string& option, const std::string& why);

/// A whole number from 1 on.
[[nodiscard]] std::size_t
to_count(const std::string& option, const std::string& text, std::size_t most);

[[nodiscard]] sojourn::Duration to_duration(const std::string& option, const std::string& text);

/// "127.0.0.1:80" or "[::1]:80".
[[nodiscard]] boost::asio::ip::tcp::endpoint
to_endpoint(const std::string& option, const std::string& text);

/// So many a second, and at once; or "unlimited".
[[nodiscard]] sojourn::RateLimit to_rate(const std::string& option, const std::string& text);

} // namespace examples

#endif // EXAMPLES_SHARED_OPTION_VALUE_HPP
