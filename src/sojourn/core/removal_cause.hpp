/// @file
/// Why a session ended. Every session ends exactly once, with exactly one of these.

#ifndef SOJOURN_CORE_REMOVAL_CAUSE_HPP
#define SOJOURN_CORE_REMOVAL_CAUSE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sojourn {

/// Why a session ended.
enum class RemovalCause : std::uint8_t {
    /// Nobody used it for its idle timeout, or it never completed a first request.
    expired_idle,
    /// It reached its absolute lifetime.
    expired_lifetime,
    /// It made room for a new one: the least recently used of the idle sessions.
    evicted,
    /// It was removed on request.
    deleted,
    /// The service was drained.
    drained,
};

/// Every cause, in the order of the enumeration.
inline constexpr std::array removal_causes = {
    RemovalCause::expired_idle,
    RemovalCause::expired_lifetime,
    RemovalCause::evicted,
    RemovalCause::deleted,
    RemovalCause::drained,
};

inline constexpr std::size_t removal_cause_count = removal_causes.size();

/// The enumerator's name.
[[nodiscard]] constexpr std::string_view to_string(RemovalCause cause) noexcept
{
    switch (cause) {
    case RemovalCause::expired_idle:
        return "expired_idle";
    case RemovalCause::expired_lifetime:
        return "expired_lifetime";
    case RemovalCause::evicted:
        return "evicted";
    case RemovalCause::deleted:
        return "deleted";
    case RemovalCause::drained:
        return "drained";
    }
    return "unknown";
}

} // namespace sojourn

#endif // SOJOURN_CORE_REMOVAL_CAUSE_HPP
