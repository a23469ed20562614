/// @file
/// Which sessions an administrator means, when he lists, counts or ends some.

#ifndef SOJOURN_CORE_SESSION_FILTER_HPP
#define SOJOURN_CORE_SESSION_FILTER_HPP

#include "sojourn/core/session_info.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <optional>
#include <string>
#include <utility>

namespace sojourn {

/// Conditions on a session, with chained setters. A session is meant if it meets all that are set;
/// if none is, every session is.
class SessionFilter {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    SessionFilter() noexcept {} // NOLINT(modernize-use-equals-default)

    /// It has this name in logs and listings. Two of ten million sessions share one with a chance
    /// of about one in 370,000, and then both are meant.
    SessionFilter& reference(SessionReference name) noexcept
    {
        reference_ = name;
        return *this;
    }

    [[nodiscard]] std::optional<SessionReference> reference() const noexcept { return reference_; }

    /// It belongs to this principal; an empty name is nobody's, and means the anonymous ones.
    SessionFilter& principal(std::string name)
    {
        principal_ = std::move(name);
        return *this;
    }

    [[nodiscard]] const std::optional<std::string>& principal() const noexcept
    {
        return principal_;
    }

    /// It is used in this way.
    SessionFilter& use(SessionUse use) noexcept
    {
        use_ = use;
        return *this;
    }

    [[nodiscard]] std::optional<SessionUse> use() const noexcept { return use_; }

    /// Nobody has used it for so long or longer. Zero or less asks for nothing.
    SessionFilter& idle_for(Duration least) noexcept
    {
        idle_for_ = least;
        return *this;
    }

    [[nodiscard]] std::optional<Duration> idle_for() const noexcept { return idle_for_; }

private:
    std::optional<SessionReference> reference_;
    std::optional<std::string> principal_;
    std::optional<SessionUse> use_;
    std::optional<Duration> idle_for_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_FILTER_HPP
