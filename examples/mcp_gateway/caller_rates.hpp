/// @file
/// Rate limits for callers who have no session: since 2026-07-28 nobody has.

#ifndef MCP_GATEWAY_CALLER_RATES_HPP
#define MCP_GATEWAY_CALLER_RATES_HPP

#include <sojourn/core/rate_limit.hpp>
#include <sojourn/core/time.hpp>

#include <cstddef>
#include <string>
#include <unordered_map>

namespace mcp_gateway {

/// A rate for each name.
///
/// Bounded memory: names are kept in two generations, and when the younger is full the elder is
/// forgotten. Who is forgotten has its burst anew; it takes thousands of other names to bring that
/// about. *Thread safety*: none; it lives in a `Confined`.
class CallerRates {
public:
    static constexpr std::size_t names_of_generation = 16'384;

    explicit CallerRates(sojourn::RateLimit limit) : limiter_(limit) {}

    /// Admits a request at this moment and returns zero, or refuses it and returns for how long.
    /// *Exceptions*: `bad_alloc`.
    [[nodiscard]] sojourn::Duration admit(const std::string& name, sojourn::TimePoint now);

private:
    using Generation = std::unordered_map<std::string, sojourn::TimePoint>;

    sojourn::RateLimiter limiter_;
    Generation younger_;
    Generation elder_;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_CALLER_RATES_HPP
