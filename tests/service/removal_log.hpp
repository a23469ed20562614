/// @file
/// A removal listener that writes down what it is told.

#ifndef SOJOURN_TESTS_SERVICE_REMOVAL_LOG_HPP
#define SOJOURN_TESTS_SERVICE_REMOVAL_LOG_HPP

#include <sojourn/service/service_environment.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sojourn::tests {

/// What was told, in order. *Thread safety*: all members, any thread.
class RemovalLog {
public:
    void add(RemovedSession removed)
    {
        const std::lock_guard guard(mutex_);
        removed_.push_back(std::move(removed));
    }

    [[nodiscard]] std::vector<RemovedSession> all() const
    {
        const std::lock_guard guard(mutex_);
        return removed_;
    }

    [[nodiscard]] std::size_t size() const { return all().size(); }

    [[nodiscard]] std::size_t count(RemovalCause cause) const
    {
        const auto removed = all();
        return static_cast<std::size_t>(std::ranges::count(removed, cause, &RemovedSession::cause));
    }

    /// How often this session's end was told.
    [[nodiscard]] std::size_t count(SessionReference reference) const
    {
        const auto removed = all();
        return static_cast<std::size_t>(
            std::ranges::count(removed, reference, &RemovedSession::reference)
        );
    }

    /// Whether no session's end was told more than once.
    [[nodiscard]] bool is_unique() const
    {
        std::map<SessionReference, int> times;
        for (const auto& removed : all()) {
            if (++times[removed.reference] > 1) {
                return false;
            }
        }
        return true;
    }

    /// Creations are written down too, where `listening_to_all` is used.
    void add_created(SessionReference reference)
    {
        const std::lock_guard guard(mutex_);
        created_.push_back(reference);
        is_in_order_ =
            is_in_order_ &&
            std::ranges::find(removed_, reference, &RemovedSession::reference) == removed_.end();
    }

    [[nodiscard]] std::vector<SessionReference> created() const
    {
        const std::lock_guard guard(mutex_);
        return created_;
    }

    /// Whether no creation was told twice, or after the session's end.
    [[nodiscard]] bool is_in_order() const
    {
        auto created = this->created();
        std::ranges::sort(created);
        return is_in_order_ && std::ranges::adjacent_find(created) == created.end();
    }

private:
    mutable std::mutex mutex_;
    std::vector<RemovedSession> removed_;
    std::vector<SessionReference> created_;
    bool is_in_order_ = true;
};

inline boost::asio::awaitable<void>
write_down(std::shared_ptr<RemovalLog> log, RemovedSession removed)
{
    log->add(std::move(removed));
    co_return;
}

/// An environment whose listener writes into `log`.
[[nodiscard]] inline ServiceEnvironment listening(const std::shared_ptr<RemovalLog>& log)
{
    return ServiceEnvironment().on_removed([log](RemovedSession removed) {
        return write_down(log, std::move(removed));
    });
}

inline boost::asio::awaitable<void>
write_down_created(std::shared_ptr<RemovalLog> log, SessionInfo created)
{
    log->add_created(created.reference);
    co_return;
}

/// The same, and of creations too.
[[nodiscard]] inline ServiceEnvironment listening_to_all(const std::shared_ptr<RemovalLog>& log)
{
    return listening(log).on_created([log](SessionInfo created) {
        return write_down_created(log, std::move(created));
    });
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SERVICE_REMOVAL_LOG_HPP
