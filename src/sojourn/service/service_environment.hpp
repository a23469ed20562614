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

/// Told of each session that was created, once, as it was then. May be told after the session has
/// been used, and even after it has ended, but before its removal is told.
///
/// This and `RemovalListener` are coroutines. They run off the strands of the tables, one at a time
/// for each service, and may use the service, and begin to drain it; but to await that would be to
/// wait for itself. What one throws is counted and reported, and the session counts as told. One
/// that takes longer than `ServiceOptions::listener_timeout` is cancelled (with all types of
/// cancellation), counted and reported too, and the next is told without waiting for it.
using CreationListener = std::function<boost::asio::awaitable<void>(SessionInfo)>;

/// Told of each session that ended, once, after it ended, in the order in which the sessions of a
/// shard ended. See `CreationListener`.
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

    /// Who is told of sessions that were created. Default: nobody.
    ServiceEnvironment& on_created(CreationListener listener)
    {
        on_created_ = std::move(listener);
        return *this;
    }

    [[nodiscard]] const CreationListener& on_created() const noexcept { return on_created_; }

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
    CreationListener on_created_;
    RemovalListener on_removed_;
    FailureReporter on_failure_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SERVICE_ENVIRONMENT_HPP
