/// @file
/// Faces of a session service that does not keep its word, each in one way: for a checker to catch.

#ifndef SOJOURN_TESTS_LINEARIZABILITY_LYING_FACES_HPP
#define SOJOURN_TESTS_LINEARIZABILITY_LYING_FACES_HPP

#include "linearizability/session_face.hpp"
#include "support/poll_until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace sojourn::tests {

/// Its `remove` returns before it takes effect.
class LateRemoval final : public SessionFace {
public:
    using SessionFace::SessionFace;
    LateRemoval(const LateRemoval&) = delete;
    LateRemoval& operator=(const LateRemoval&) = delete;
    LateRemoval(LateRemoval&&) = delete;
    LateRemoval& operator=(LateRemoval&&) = delete;

    ~LateRemoval() override
    {
        poll_until([this] { return running_ == 0; });
    }

    Answered<void> remove(SessionId id) override
    {
        const auto found = co_await peek(id);
        if (!found) {
            co_return found.error();
        }
        ++running_;
        const auto executor = co_await boost::asio::this_coro::executor;
        boost::asio::co_spawn(executor, remove_later(id), [this](const std::exception_ptr&) {
            --running_;
        });
        co_return Result<void>();
    }

private:
    boost::asio::awaitable<void> remove_later(SessionId id)
    {
        for (int turns = 0; turns < 10; ++turns) {
            co_await boost::asio::post(boost::asio::use_awaitable);
        }
        const auto removed = co_await SessionFace::remove(std::move(id));
        static_cast<void>(removed);
    }

    std::atomic<int> running_{0};
};

/// Its `remove` succeeds however often.
class RepeatedRemoval final : public SessionFace {
public:
    using SessionFace::SessionFace;

    Answered<void> remove(SessionId id) override
    {
        const auto removed = co_await SessionFace::remove(std::move(id));
        static_cast<void>(removed);
        co_return Result<void>();
    }
};

/// Every snapshot of an id is the first one that was asked for.
class StaleSnapshot final : public SessionFace {
public:
    using SessionFace::SessionFace;

    Answered<AttributeSnapshot> snapshot(SessionId id) override
    {
        const std::string text(id.text());
        const auto fresh = co_await SessionFace::snapshot(std::move(id));
        if (!fresh) {
            co_return fresh;
        }
        const std::lock_guard guard(mutex_);
        co_return first_.emplace(text, *fresh).first->second;
    }

private:
    std::mutex mutex_;
    std::map<std::string, AttributeSnapshot> first_;
};

/// Its `commit` writes over what others have written.
class LostUpdate final : public SessionFace {
public:
    using SessionFace::SessionFace;

    Answered<std::uint64_t>
    commit(SessionId id, std::uint64_t /*expected_version*/, Attributes data) override
    {
        const std::function<void(Attributes&)> change = [&data](Attributes& old) { old = data; };
        const auto written = co_await modify(std::move(id), change);
        if (!written) {
            co_return written.error();
        }
        co_return written->version;
    }
};

/// An id is good for looking also after it was rotated.
class LastingId final : public SessionFace {
public:
    using SessionFace::SessionFace;

    Answered<SessionId> rotate(SessionId id) override
    {
        const std::string text(id.text());
        const auto fresh = co_await SessionFace::rotate(std::move(id));
        if (fresh) {
            const std::lock_guard guard(mutex_);
            later_.insert_or_assign(text, *fresh);
        }
        co_return fresh;
    }

    Answered<SessionInfo> peek(SessionId id) override
    {
        return SessionFace::peek(latest(std::move(id)));
    }

private:
    [[nodiscard]] SessionId latest(SessionId id)
    {
        const std::lock_guard guard(mutex_);
        for (auto next = later_.find(std::string(id.text())); next != later_.end();
             next = later_.find(std::string(id.text()))) {
            id = next->second;
        }
        return id;
    }

    std::mutex mutex_;
    std::map<std::string, SessionId> later_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_LINEARIZABILITY_LYING_FACES_HPP
