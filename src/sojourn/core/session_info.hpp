/// @file
/// What may be told about a session: copies, taken at one moment. None of these is the session
/// itself, and none holds its id.

#ifndef SOJOURN_CORE_SESSION_INFO_HPP
#define SOJOURN_CORE_SESSION_INFO_HPP

#include "sojourn/core/attributes.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sojourn {

/// In which way a session is used at a moment.
enum class SessionUse : std::uint8_t {
    /// A request or a stream has it.
    in_use,
    /// Nobody has it.
    idle,
    /// Nobody has it, and it is anonymous and its client has not been seen to come back.
    half_open,
};

/// "in_use", "idle" or "half_open".
[[nodiscard]] constexpr std::string_view to_string(SessionUse use) noexcept
{
    switch (use) {
    case SessionUse::in_use:
        return "in_use";
    case SessionUse::idle:
        return "idle";
    case SessionUse::half_open:
        return "half_open";
    }
    return "unknown";
}

/// A session as it was at the moment it was looked at.
struct SessionInfo {
    SessionReference reference;
    /// The verified user it belongs to; null for an anonymous session.
    std::shared_ptr<const std::string> principal;
    WallTime created;
    SessionUse use{};
    /// For how long nobody has used it; zero if somebody does.
    Duration idle_for{};
    /// How long it may lie idle.
    Duration idle_timeout{};
    /// How long it would live from that moment on if nobody used it again.
    Duration expires_in{};
    /// Requests that have acquired it, the one that asks included.
    std::uint64_t requests = 0;
    /// Requests that hold it right now.
    std::uint32_t leases = 0;
    /// Streams that have a weak lease on it right now.
    std::uint32_t streams = 0;
    AttributeSnapshot attributes;

    /// The principal's text; empty for an anonymous session.
    [[nodiscard]] std::string_view principal_text() const noexcept
    {
        return principal ? std::string_view(*principal) : std::string_view();
    }
};

/// A session that has ended, as a removal listener is told of it.
struct RemovedSession {
    SessionReference reference;
    RemovalCause cause{};
    std::shared_ptr<const std::string> principal;
    WallTime created;
    std::uint64_t requests = 0;
    AttributeSnapshot attributes;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_INFO_HPP
