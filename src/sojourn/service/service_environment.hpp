/// @file
/// What a service gets from outside: time, random bytes, and those who want to be told.

#ifndef SOJOURN_SERVICE_SERVICE_ENVIRONMENT_HPP
#define SOJOURN_SERVICE_SERVICE_ENVIRONMENT_HPP

#include "sojourn/async/clock.hpp"
#include "sojourn/async/exception_barrier.hpp"
#include "sojourn/core/id_source.hpp"
#include "sojourn/core/session_info.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace sojourn {

/// Told of each session that ended, once, after it ended. A coroutine; runs off the service's
/// strands, one at a time for each service, in the order in which the sessions of a shard ended.
/// It may use the service, and begin to drain it; but to await that would be to wait for itself.
/// What it throws is counted and reported, and the session counts as told.
using RemovalListener = std::function<boost::asio::awaitable<void>(RemovedSession)>;

/// The surroundings of a service, with chained setters. All have defaults.
class ServiceEnvironment {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    ServiceEnvironment() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Where time comes from. Default: a `SystemClock`. Null is the default.
    ServiceEnvironment& clock(std::shared_ptr<Clock> source)
    {
        clock_ = std::move(source);
        return *this;
    }

    [[nodiscard]] const std::shared_ptr<Clock>& clock() const noexcept { return clock_; }

    /// Where random bytes come from. Default: an `OsIdSource`. Null is the default.
    ServiceEnvironment& id_source(std::shared_ptr<IdSource> source)
    {
        id_source_ = std::move(source);
        return *this;
    }

    [[nodiscard]] const std::shared_ptr<IdSource>& id_source() const noexcept { return id_source_; }

    /// Who is told of sessions that ended. Default: nobody.
    ServiceEnvironment& on_removed(RemovalListener listener)
    {
        on_removed_ = std::move(listener);
        return *this;
    }

    [[nodiscard]] const RemovalListener& on_removed() const noexcept { return on_removed_; }

    /// Who is told of exceptions that the background survived. Default: nobody; they are counted.
    ServiceEnvironment& on_failure(FailureReporter reporter)
    {
        on_failure_ = std::move(reporter);
        return *this;
    }

    [[nodiscard]] const FailureReporter& on_failure() const noexcept { return on_failure_; }

private:
    std::shared_ptr<Clock> clock_;
    std::shared_ptr<IdSource> id_source_;
    RemovalListener on_removed_;
    FailureReporter on_failure_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SERVICE_ENVIRONMENT_HPP
