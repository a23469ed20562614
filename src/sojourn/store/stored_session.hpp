/// @file
/// What outlives a process of a session: all but who uses it at the moment, and its id, which a
/// store never sees.

#ifndef SOJOURN_STORE_STORED_SESSION_HPP
#define SOJOURN_STORE_STORED_SESSION_HPP

#include "sojourn/core/attributes.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <optional>
#include <string>

namespace sojourn {

/// A session as `RecordCodec` writes it. Moments are wall time, which other servers share, give or
/// take how far their clocks differ.
struct StoredSession {
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    StoredSession() noexcept {} // NOLINT(modernize-use-equals-default)

    SessionReference reference;
    /// Empty for an anonymous session.
    std::string principal;
    AttributeSnapshot attributes;
    WallTime created;
    WallTime lifetime_end;
    Duration idle_timeout{};
    /// The rate of its requests, if not the service's.
    std::optional<RateLimit> own_rate;
};

} // namespace sojourn

#endif // SOJOURN_STORE_STORED_SESSION_HPP
