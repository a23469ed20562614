/// @file
/// How long a service may take to drain.

#ifndef SOJOURN_SERVICE_DRAIN_OPTIONS_HPP
#define SOJOURN_SERVICE_DRAIN_OPTIONS_HPP

#include "sojourn/core/time.hpp"

#include <chrono>

namespace sojourn {

/// Options of `SessionService::drain`, with chained setters. Of several drains at the same time,
/// whatever ends earlier counts.
class DrainOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    DrainOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// How long sessions that are leased may take to be given back, and listeners to return. At the
    /// end of it, those that are still leased are told to close. Zero or less: at once;
    /// `Duration::max()`: never. Default: 30 s, which is what most supervisors wait before they
    /// kill.
    DrainOptions& limit(Duration length) noexcept
    {
        limit_ = length;
        return *this;
    }

    [[nodiscard]] Duration limit() const noexcept { return limit_; }

    /// How long, after that, whoever was told to close has to do so, and listeners that are still
    /// to be told. Zero or less: nobody is waited for. Default: 1 s.
    DrainOptions& cancel_grace(Duration length) noexcept
    {
        cancel_grace_ = length;
        return *this;
    }

    [[nodiscard]] Duration cancel_grace() const noexcept { return cancel_grace_; }

private:
    Duration limit_ = std::chrono::seconds(30);
    Duration cancel_grace_ = std::chrono::seconds(1);
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_DRAIN_OPTIONS_HPP
