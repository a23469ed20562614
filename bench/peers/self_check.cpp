#include "peers/self_check.hpp"

#include "peers/co_spawn_strand.hpp"
#include "peers/mutex_lru.hpp"
#include "peers/post_strand.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "peers/shared_mutex_lru.hpp"
#include "peers/std_mutex.hpp"
#include "support/drive.hpp"
#include "support/session_ids.hpp"

#if defined(SOJOURN_BENCH_HAS_TBB)
#include "peers/tbb_concurrent_lru.hpp"
#endif

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::bench::peers {

namespace {

namespace asio = boost::asio;

constexpr Duration idle_timeout = std::chrono::minutes(30);
constexpr std::size_t capacity = 3;

/// The claims of one peer.
class Claims {
public:
    explicit Claims(std::string peer) : peer_(std::move(peer)) {}

    void expect(bool holds, std::string_view claim) const
    {
        if (!holds) {
            throw std::runtime_error(peer_ + " does not do its work: " + std::string(claim));
        }
    }

private:
    std::string peer_;
};

/// Ids that compete for the same room: for a table with shards, those of one shard.
std::array<std::string, capacity + 1> rival_ids()
{
    std::array<std::string, capacity + 1> ids;
    std::size_t number = 0;
    for (auto& id : ids) {
        do {
            id = numbered_id<std::string>(number++);
        } while (ShardedMutexLru::shard_of(HashedText(id)) != 0);
    }
    return ids;
}

/// A table that holds `capacity` rivals, with a clock.
template <class Lru>
class Subject {
public:
    Subject()
        : lru(std::same_as<Lru, ShardedMutexLru> ? capacity * ShardedMutexLru::shard_count
                                                 : capacity,
              idle_timeout)
    {
    }

    bool create(const std::string& id) { return lru.create(id, payload, tick()); }

    bool touch(const std::string& id) { return lru.touch(id, tick()); }

    TimePoint tick() { return now += std::chrono::microseconds(1); }

    Lru lru;
    TimePoint now{std::chrono::hours(1)};
};

template <class Lru>
void check_eviction(const Claims& claims)
{
    const auto [a, b, c, d] = rival_ids();
    Subject<Lru> subject;
    claims.expect(subject.create(a) && subject.create(b) && subject.create(c), "create makes");
    claims.expect(subject.touch(a), "touch finds");
    claims.expect(subject.create(d), "create makes room");
    claims.expect(subject.touch(a), "what was touched is not evicted first");
    claims.expect(subject.touch(c) && subject.touch(d), "only one makes room for one");
    claims.expect(!subject.touch(b), "the one unused for longest makes room");
}

template <class Lru>
void check_creation(const Claims& claims)
{
    const auto ids = rival_ids();
    Subject<Lru> subject;
    claims.expect(subject.create(ids[0]), "create makes");
    claims.expect(!subject.create(ids[0]), "an id is given once");
    claims.expect(!subject.touch(ids[1]), "what was not created is not found");
}

template <class Lru>
void check_removal(const Claims& claims)
{
    const auto ids = rival_ids();
    Subject<Lru> subject;
    subject.create(ids[0]);
    subject.create(ids[1]);
    claims.expect(subject.lru.remove(ids[0], subject.tick()), "remove finds");
    claims.expect(!subject.lru.remove(ids[0], subject.tick()), "remove removes once");
    claims.expect(!subject.touch(ids[0]), "what was removed is not found");
    claims.expect(subject.touch(ids[1]), "remove leaves others alone");
    claims.expect(subject.lru.size() == 1, "size counts");
}

template <class Lru>
void check_idle_timeout(const Claims& claims)
{
    const auto ids = rival_ids();
    Subject<Lru> subject;
    subject.create(ids[0]);
    subject.create(ids[1]);
    subject.now += idle_timeout / 2;
    claims.expect(subject.touch(ids[1]), "touch finds");
    subject.now += idle_timeout / 2;
    claims.expect(!subject.touch(ids[0]), "what lay idle for too long is not found");
    claims.expect(subject.touch(ids[1]), "what was touched in time is found");
}

template <class Lru>
void check_cleanup(const Claims& claims)
{
    const auto ids = rival_ids();
    Subject<Lru> subject;
    subject.create(ids[0]);
    subject.create(ids[1]);
    subject.create(ids[2]);
    subject.now += idle_timeout / 2;
    subject.touch(ids[0]);
    subject.now += idle_timeout / 2;
    claims.expect(subject.lru.expire(1, subject.now), "cleanup tells that there is more");
    claims.expect(subject.lru.size() == 2, "cleanup ends no more than a batch");
    claims.expect(!subject.lru.expire(10, subject.now), "cleanup comes to an end");
    claims.expect(subject.lru.size() == 1, "cleanup ends all that is overdue");
    claims.expect(subject.touch(ids[0]), "cleanup ends nothing that is in use");
}

/// Four threads add to a number that is no atomic, and look at whether somebody else is there.
template <class Confinement>
asio::awaitable<void> count_up(Confinement& number, std::size_t times)
{
    for (std::size_t i = 0; i < times; ++i) {
        const auto increment = [](std::size_t& value) { return ++value; };
        co_await number.call(increment);
    }
}

template <class Confinement>
asio::awaitable<std::size_t> read(Confinement& number)
{
    const auto look = [](std::size_t& value) { return value; };
    co_return co_await number.call(look);
}

template <class Confinement>
void check_exclusion(const Claims& claims)
{
    constexpr std::size_t threads = 4;
    constexpr std::size_t times = 1'000;
    asio::io_context context;
    Confinement number(context.get_executor(), std::size_t{0});
    drive(context, threads, threads, [&](std::size_t) { return count_up(number, times); });
    claims.expect(run(context, read(number)) == threads * times, "calls exclude each other");
}

asio::awaitable<bool> is_back(PostStrand<std::size_t>& number)
{
    const auto is_inside = [&number](std::size_t& /*value*/) {
        return number.running_in_this_thread();
    };
    const bool was_inside = co_await number.call(is_inside);
    co_return was_inside && !number.running_in_this_thread();
}

template <class Lru>
void check_table(const Claims& claims)
{
    check_creation<Lru>(claims);
    check_eviction<Lru>(claims);
    check_removal<Lru>(claims);
    check_idle_timeout<Lru>(claims);
}

} // namespace

void self_check()
{
    check_table<MutexLru>(Claims("mutex_lru"));
    check_cleanup<MutexLru>(Claims("mutex_lru"));
    check_table<ShardedMutexLru>(Claims("sharded_mutex_lru"));
    check_cleanup<ShardedMutexLru>(Claims("sharded_mutex_lru"));
    check_table<SharedMutexLru>(Claims("shared_mutex_lru"));
#if defined(SOJOURN_BENCH_HAS_TBB)
    check_creation<TbbConcurrentLru>(Claims("tbb_concurrent_lru"));
    check_eviction<TbbConcurrentLru>(Claims("tbb_concurrent_lru"));
#endif
    check_exclusion<StdMutex<std::size_t>>(Claims("std_mutex"));
    check_exclusion<CoSpawnStrand<std::size_t>>(Claims("co_spawn_strand"));
    check_exclusion<PostStrand<std::size_t>>(Claims("post_strand"));

    asio::io_context context;
    PostStrand<std::size_t> number(context.get_executor(), 0);
    Claims("post_strand").expect(run(context, is_back(number)), "the caller goes on outside");
}

} // namespace sojourn::bench::peers
