/// @file
/// The contestants of questions that are asked in coroutines, with the same members: `adopt(id)`
/// and `create()` make a session, under an id given or drawn from the operating system;
/// `acquire(id)` is what a request does. Each is awaited, and what comes out is true if it was
/// done. All read the same clock: ours at acquisition and at release, the peers once.

#ifndef SOJOURN_BENCH_SUPPORT_CONTESTANTS_HPP
#define SOJOURN_BENCH_SUPPORT_CONTESTANTS_HPP

#include "peers/lru_body.hpp"
#include "sojourn/core/id_source.hpp"
#include "sojourn/service/session_service.hpp"
#include "sojourn/testing/seeded_id_source.hpp"
#include "support/payload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace sojourn::bench {

inline constexpr Duration long_enough = std::chrono::hours(24);

/// Our service, with all that it is.
template <std::size_t shards>
class Service {
public:
    using Id = SessionId;

    explicit Service(
        boost::asio::io_context& context,
        std::size_t capacity,
        std::shared_ptr<IdSource> ids = std::make_shared<testing::SeededIdSource>()
    )
        : sessions_(
              context.get_executor(),
              options(capacity),
              ServiceEnvironment().id_source(std::move(ids))
          )
    {
    }

    boost::asio::awaitable<Result<CreatedSession>> adopt(const SessionId& id)
    {
        return sessions_.create(CreateOptions().attributes(attributes_of(payload)).adopt(id));
    }

    boost::asio::awaitable<Result<CreatedSession>> create()
    {
        return sessions_.create(CreateOptions().attributes(attributes_of(payload)));
    }

    /// A lease, which the request gives back as it ends.
    boost::asio::awaitable<Result<SessionLease>> acquire(const SessionId& id)
    {
        return sessions_.acquire(id);
    }

private:
    /// No rate, and nothing expires: those are other questions.
    static ServiceOptions options(std::size_t capacity)
    {
        return ServiceOptions()
            .max_sessions(capacity)
            .max_half_open(capacity)
            .eviction_grace(Duration::zero())
            .shards(shards)
            .idle_timeout(long_enough)
            .half_open_timeout(long_enough)
            .absolute_lifetime(long_enough)
            .request_rate(RateLimit::unlimited());
    }

    SessionService sessions_;
};

/// An id as ours are, for a peer.
[[nodiscard]] inline std::string drawn_id()
{
    OsIdSource source;
    return std::string(draw_id(source).value().text());
}

/// A peer that protects itself and is called directly, from a coroutine as ours is.
template <class Lru>
class Direct {
public:
    using Id = std::string;

    Direct(boost::asio::io_context& /*context*/, std::size_t capacity) : lru_(capacity, long_enough)
    {
    }

    boost::asio::awaitable<bool> adopt(std::string id)
    {
        co_return lru_.create(std::move(id), payload, std::chrono::steady_clock::now());
    }

    boost::asio::awaitable<bool> create() { return adopt(drawn_id()); }

    boost::asio::awaitable<bool> acquire(const std::string& id)
    {
        co_return lru_.touch(id, std::chrono::steady_clock::now());
    }

private:
    Lru lru_;
};

/// A peer whose table belongs to a strand.
template <template <class> class Strand>
class OnStrand {
public:
    using Id = std::string;

    OnStrand(boost::asio::io_context& context, std::size_t capacity)
        : strand_(context.get_executor(), peers::LruBody(capacity, long_enough))
    {
    }

    boost::asio::awaitable<bool> adopt(std::string id)
    {
        const auto now = std::chrono::steady_clock::now();
        auto create = [id = std::move(id), now](peers::LruBody& body) mutable {
            return body.create(std::move(id), payload, now);
        };
        return strand_.call(std::move(create));
    }

    boost::asio::awaitable<bool> create() { return adopt(drawn_id()); }

    /// The id must live until it is awaited.
    boost::asio::awaitable<bool> acquire(const std::string& id)
    {
        const peers::HashedText hashed(id);
        const auto now = std::chrono::steady_clock::now();
        const auto touch = [hashed, now](peers::LruBody& body) { return body.touch(hashed, now); };
        return strand_.call(touch);
    }

private:
    Strand<peers::LruBody> strand_;
};

/// A contestant on a context of its own.
template <class Contestant>
class Arena {
public:
    using Id = typename Contestant::Id;

    explicit Arena(std::size_t capacity) : contestant_(context_, capacity) {}

    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

    [[nodiscard]] Contestant& contestant() noexcept { return contestant_; }

private:
    boost::asio::io_context context_;
    Contestant contestant_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_CONTESTANTS_HPP
