/// @file
/// Where a service stands between its start and its end.

#ifndef SOJOURN_SERVICE_SERVICE_STATE_HPP
#define SOJOURN_SERVICE_SERVICE_STATE_HPP

#include <cstdint>
#include <string_view>

namespace sojourn {

/// Where a service stands. It only goes forward, and may skip `cancelling`.
enum class ServiceState : std::uint8_t {
    /// It takes new sessions and requests.
    running,
    /// It takes neither, has ended the sessions that nobody leases, and waits for the others.
    draining,
    /// The time is up: the sessions that were still leased are closing, and who leases them has a
    /// last moment to give them back.
    cancelling,
    /// It waits for nobody any more, tells no listener, and its background has ended.
    closed,
};

/// The enumerator's name.
[[nodiscard]] constexpr std::string_view to_string(ServiceState state) noexcept
{
    switch (state) {
    case ServiceState::running:
        return "running";
    case ServiceState::draining:
        return "draining";
    case ServiceState::cancelling:
        return "cancelling";
    case ServiceState::closed:
        return "closed";
    }
    return "unknown";
}

} // namespace sojourn

#endif // SOJOURN_SERVICE_SERVICE_STATE_HPP
