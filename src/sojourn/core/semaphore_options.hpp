/// @file
/// How a semaphore behaves: how many permits there are, and who may wait for one, and for how long.

#ifndef SOJOURN_CORE_SEMAPHORE_OPTIONS_HPP
#define SOJOURN_CORE_SEMAPHORE_OPTIONS_HPP

#include "sojourn/core/service_options.hpp"
#include "sojourn/core/time.hpp"

#include <cstddef>
#include <optional>

namespace sojourn {

/// The options of an `AsyncSemaphore`, with chained setters. A setter takes any value; the
/// semaphore refuses to be built from options that `validate` does not accept.
class SemaphoreOptions {
public:
    /// The most permits, and the most waiters, that a semaphore may be given.
    static constexpr std::size_t most = 1'000'000'000;

    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    SemaphoreOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Permits that may be held at once. 0 to 1,000,000,000; default 1. With none, everybody waits
    /// until there are some (see `AsyncSemaphore::resize`).
    SemaphoreOptions& permits(std::size_t count) noexcept
    {
        permits_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t permits() const noexcept { return permits_; }

    /// How many may wait for a permit; whoever comes then is refused at once, with `overloaded`. 0
    /// to 1,000,000,000; default 1,024. A longer queue makes nothing faster, and its end waits for
    /// longer than its callers do.
    SemaphoreOptions& max_waiters(std::size_t count) noexcept
    {
        max_waiters_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_waiters() const noexcept { return max_waiters_; }

    /// How long one may wait that names no limit of his own. 1 ms to 365 days, or nothing for no
    /// limit, which is the default: how long a wait makes sense is known where it begins.
    SemaphoreOptions& max_wait(std::optional<Duration> length) noexcept
    {
        max_wait_ = length;
        return *this;
    }

    [[nodiscard]] std::optional<Duration> max_wait() const noexcept { return max_wait_; }

    /// The first option that is out of bounds, if any.
    [[nodiscard]] std::optional<InvalidOption> validate() const noexcept;

private:
    std::size_t permits_ = 1;
    std::size_t max_waiters_ = 1024;
    std::optional<Duration> max_wait_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SEMAPHORE_OPTIONS_HPP
