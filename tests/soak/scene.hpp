/// @file
/// What all clients of a soak share, and what they found.

#ifndef SOJOURN_TESTS_SOAK_SCENE_HPP
#define SOJOURN_TESTS_SOAK_SCENE_HPP

#include "load/latency_histogram.hpp"

#include <sojourn/core/error.hpp>
#include <sojourn/core/session_id.hpp>

#include <boost/asio/error.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn {
class SessionService;
} // namespace sojourn

namespace sojourn::tests::soak {

inline constexpr std::size_t max_frames_per_session = 24;

/// What somebody found who does not write to the terminal: the first fault in words, and how many
/// there were.
///
/// *Thread safety*: all members, any thread.
class Faults {
public:
    void add(std::string_view what)
    {
        const std::lock_guard guard(mutex_);
        if (count_++ == 0) {
            first_ = what;
        }
    }

    /// What is no answer that normal traffic gets, even where everything is at its limit, and
    /// those who ask may be cancelled: who vanishes, and a listener that takes too long.
    void judge(const Error& error, std::string_view operation)
    {
        const bool is_usual = !error.code() || error == errc::not_found ||
                              error == errc::overloaded || error == errc::rate_limited ||
                              error == errc::conflict || error == errc::timed_out ||
                              error == errc::id_source_failed || error == errc::id_in_use ||
                              error.code() == boost::asio::error::operation_aborted ||
                              (error == errc::stopping && is_draining_);
        if (!is_usual) {
            add(std::string(operation) + " answered: " + error.message());
        }
    }

    /// From now on `stopping` is an answer.
    void drain() { is_draining_ = true; }

    [[nodiscard]] std::pair<std::uint64_t, std::string> all() const
    {
        const std::lock_guard guard(mutex_);
        return {count_, first_};
    }

private:
    mutable std::mutex mutex_;
    std::uint64_t count_ = 0;
    std::string first_;
    std::atomic<bool> is_draining_{false};
};

/// Ids that the clients share, so that they get into each other's way. Some are asked for more
/// often than others.
///
/// *Thread safety*: all members, any thread.
class IdPool {
public:
    void add(SessionId id, std::uint64_t place)
    {
        const std::lock_guard guard(mutex_);
        ids_[slot(place)] = std::move(id);
    }

    [[nodiscard]] SessionId pick(std::uint64_t place) const
    {
        const std::lock_guard guard(mutex_);
        return ids_[slot(place)];
    }

private:
    static constexpr std::size_t size = 1'500;
    static constexpr std::size_t hot = 8;

    static std::size_t slot(std::uint64_t place)
    {
        return (place >> 8U) % ((place & 7U) == 0 ? hot : size);
    }

    mutable std::mutex mutex_;
    std::vector<SessionId> ids_ = std::vector<SessionId>(size);
};

/// How long requests took since somebody asked last.
///
/// *Thread safety*: all members, any thread.
class Latencies {
public:
    void add(std::chrono::nanoseconds latency)
    {
        const std::lock_guard guard(mutex_);
        since_.add(latency);
    }

    [[nodiscard]] bench::LatencyHistogram take()
    {
        bench::LatencyHistogram fresh;
        const std::lock_guard guard(mutex_);
        return std::exchange(since_, std::move(fresh));
    }

private:
    std::mutex mutex_;
    bench::LatencyHistogram since_;
};

/// What clients, and listeners that call back, have counted for themselves: the other side of the
/// service's ledger.
struct Counts {
    std::atomic<std::uint64_t> operations{0};
    /// Creations that were begun, and sessions that were created.
    std::atomic<std::uint64_t> creations{0};
    std::atomic<std::uint64_t> created{0};
    std::atomic<std::uint64_t> rotated{0};
    /// Leases of all kinds that were given.
    std::atomic<std::uint64_t> leases{0};
    /// Clients that wait for an answer to `acquire` right now.
    std::atomic<std::uint64_t> waiting{0};
    std::atomic<std::uint64_t> committed{0};
    /// Frames that somebody began to record, and for which he has got a number, or the answer that
    /// there was no room.
    std::atomic<std::uint64_t> recordings{0};
    std::atomic<std::uint64_t> recorded{0};
    /// Pages of frames that somebody has waited for.
    std::atomic<std::uint64_t> followed{0};
    /// Visitors who vanished in the middle of something.
    std::atomic<std::uint64_t> vanished{0};
};

struct Scene {
    Scene(SessionService& its_service, Faults& its_faults, Counts& its_counts)
        : service(its_service), faults(its_faults), counts(its_counts)
    {
    }

    SessionService& service;
    Faults& faults;
    Counts& counts;
    IdPool ids;
    Latencies latencies;
    std::atomic<bool> is_open{true};
};

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_SCENE_HPP
