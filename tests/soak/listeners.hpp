/// @file
/// Listeners that do what no listener should, and keep a book of what they were told.

#ifndef SOJOURN_TESTS_SOAK_LISTENERS_HPP
#define SOJOURN_TESTS_SOAK_LISTENERS_HPP

#include "soak/scene.hpp"

#include <sojourn/core/removal_cause.hpp>
#include <sojourn/core/session_info.hpp>
#include <sojourn/core/time.hpp>
#include <sojourn/service/service_environment.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_set>

namespace sojourn {
class SessionService;
} // namespace sojourn

namespace sojourn::tests::soak {

/// What the listeners of one service were told. It remembers those who were told of as created and
/// not yet as removed, which are no more than the service may have: so what is told twice, or of
/// the end before the beginning, is a fault, and the book does not grow.
///
/// *Thread safety*: all members, any thread.
class ToldBook {
public:
    explicit ToldBook(std::size_t sessions) { open_.reserve(sessions); }

    /// Returns what is wrong with that; nothing if all is well.
    [[nodiscard]] std::string_view created(SessionReference reference);
    [[nodiscard]] std::string_view removed(const RemovedSession& session);

    struct Sums {
        std::uint64_t created = 0;
        std::array<std::uint64_t, removal_cause_count> removed{};
        /// Told of as created, and not as removed.
        std::uint64_t open = 0;
    };

    [[nodiscard]] Sums sums() const;

private:
    mutable std::mutex mutex_;
    Sums sums_;
    std::unordered_set<SessionReference> open_;
};

/// The listeners of one service.
///
/// *Lifetime*: must outlive the execution context.
class Listeners {
public:
    /// `sessions` is how many there may be, told and untold.
    Listeners(Faults& faults, Counts& counts, std::size_t sessions, std::uint64_t seed)
        : faults_(faults), counts_(counts), book_(sessions), draws_(seed)
    {
    }

    void attach(ServiceEnvironment& environment);

    /// Whom they call back; nobody before.
    void meet(SessionService& service) { service_ = &service; }

    [[nodiscard]] ToldBook::Sums told() const { return book_.sums(); }

    /// Those that threw by themselves, or were cancelled.
    [[nodiscard]] std::uint64_t thrown() const noexcept { return thrown_; }

    /// How long the service waits for one.
    static constexpr Duration timeout = std::chrono::milliseconds(40);

private:
    [[nodiscard]] boost::asio::awaitable<void> created(SessionInfo session);
    [[nodiscard]] boost::asio::awaitable<void> removed(RemovedSession session);
    [[nodiscard]] boost::asio::awaitable<void> misbehave();
    [[nodiscard]] boost::asio::awaitable<void> call_back(SessionService& service);
    [[nodiscard]] std::uint64_t draw() noexcept;

    Faults& faults_;
    Counts& counts_;
    ToldBook book_;
    std::atomic<SessionService*> service_{nullptr};
    std::atomic<std::uint64_t> draws_;
    std::atomic<std::uint64_t> thrown_{0};
};

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_LISTENERS_HPP
