/// @file
/// Clients of a session service that do at random what clients do, and write down what they saw.

#ifndef SOJOURN_TESTS_LINEARIZABILITY_SESSION_CLIENTS_HPP
#define SOJOURN_TESTS_LINEARIZABILITY_SESSION_CLIENTS_HPP

#include "linearizability/recording.hpp"
#include "linearizability/session_face.hpp"
#include "linearizability/session_specification.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace sojourn::tests {

/// What the clients of one history share: the ids of their sessions, which they get into each
/// other's way with.
class SessionFamily {
public:
    SessionFamily(StampClock& clock, std::string name) : clock_(clock), name_(std::move(name)) {}

    [[nodiscard]] Stamp now() noexcept { return clock_.now(); }

    /// Lets all sessions be created with this id, which becomes number 1. Before there are clients.
    void adopt(const SessionId& id) { adopted_ = add(id); }

    /// Its number; 0 if the service issues the ids.
    [[nodiscard]] unsigned adopted() const noexcept { return adopted_; }

    /// Gives an id its number, from 1, and lets everybody know it.
    unsigned add(const SessionId& id);

    /// Adds to `known` what is not in it yet. Takes no lock if there is nothing: a lock would order
    /// the clients, who shall be ordered by the service alone.
    void learn(std::vector<SessionId>& known) const;

    [[nodiscard]] unsigned new_principal() noexcept
    {
        return principals_.fetch_add(1, std::memory_order_relaxed) + 1;
    }

    [[nodiscard]] unsigned principals() const noexcept
    {
        return principals_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] std::string principal(unsigned number) const
    {
        return name_ + "." + std::to_string(number);
    }

private:
    StampClock& clock_;
    const std::string name_;
    unsigned adopted_ = 0;
    std::atomic<unsigned> principals_{0};
    std::atomic<std::size_t> ids_count_{0};
    mutable std::mutex mutex_;
    std::vector<SessionId> ids_;
};

/// What a client does, and how often.
struct Habit {
    Verb verb{};
    unsigned weight = 1;
};

/// One of them. Does one thing at a time.
class SessionClient {
public:
    SessionClient(
        SessionFamily& family,
        std::span<const std::unique_ptr<SessionFace>> faces,
        unsigned number,
        std::uint64_t seed
    );

    /// Does so many things as is its habit, and gives back what it has left.
    [[nodiscard]] boost::asio::awaitable<void> run(std::span<const Habit> habits, int count);
    /// Does one thing, with the newest id.
    [[nodiscard]] boost::asio::awaitable<void> run(Verb verb);
    /// Ends all sessions that can be found.
    [[nodiscard]] boost::asio::awaitable<void> clear();

    [[nodiscard]] const SessionHistory& history() const noexcept { return history_; }

private:
    template <class Lease>
    struct Held {
        SessionReference reference;
        Lease lease;
    };

    [[nodiscard]] boost::asio::awaitable<void> step(Verb verb, unsigned id);
    [[nodiscard]] boost::asio::awaitable<void> create();
    [[nodiscard]] boost::asio::awaitable<void> acquire(unsigned id);
    [[nodiscard]] boost::asio::awaitable<void> acquire_weak(unsigned id);
    [[nodiscard]] boost::asio::awaitable<void> touch_weak_lease();
    [[nodiscard]] boost::asio::awaitable<void> use(Verb verb, unsigned id);
    [[nodiscard]] boost::asio::awaitable<void> ask_for_principal(Verb verb);
    void release();
    void release_weak();

    /// Awaits an operation and writes it down.
    template <class T>
    [[nodiscard]] boost::asio::awaitable<Result<T>>
    record(SessionCall call, boost::asio::awaitable<Result<T>> operation);

    template <class T>
    [[nodiscard]] SessionAnswer told(const SessionCall& call, const Result<T>& result);

    [[nodiscard]] SessionFace& face() { return *faces_[random_() % faces_.size()]; }

    [[nodiscard]] Verb pick(std::span<const Habit> habits);

    /// The number of an id that it knows: mostly the newest. 0 if it knows none.
    [[nodiscard]] unsigned pick_id();

    SessionFamily& family_;
    std::span<const std::unique_ptr<SessionFace>> faces_;
    const unsigned number_;
    std::mt19937_64 random_;
    std::vector<SessionId> ids_;
    std::uint64_t seen_version_ = 1;
    std::deque<Held<SessionLease>> leases_;
    std::deque<Held<WeakLease>> weak_leases_;
    SessionHistory history_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_LINEARIZABILITY_SESSION_CLIENTS_HPP
