/// @file
/// Private header. One wait for a permit: the place in the queue, the timer of its deadline, and
/// the handler at its end. It outlives what it waits for as long as anybody may still cancel it.

#ifndef SOJOURN_ASYNC_PERMIT_WAIT_HPP
#define SOJOURN_ASYNC_PERMIT_WAIT_HPP

#include "sojourn/async/permit.hpp"
#include "sojourn/async/shutdown_hook.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/permit_queue.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace sojourn {

class Timer;

using PermitHandler = boost::asio::any_completion_handler<void(Result<Permit>)>;

/// Nudges a semaphore at a deadline. Its timer goes with the execution context.
class PermitTimer final : private ShutdownHook {
public:
    PermitTimer(
        std::weak_ptr<SemaphoreState> state,
        const boost::asio::any_io_executor& home,
        std::unique_ptr<Timer> timer,
        TimePoint at
    );
    PermitTimer(const PermitTimer&) = delete;
    PermitTimer& operator=(const PermitTimer&) = delete;
    PermitTimer(PermitTimer&&) = delete;
    PermitTimer& operator=(PermitTimer&&) = delete;
    ~PermitTimer();

private:
    void on_context_shutdown() noexcept override;

    std::unique_ptr<Timer> timer_;
};

/// How a result gets to its handler.
enum class PermitRoute : std::uint8_t {
    /// Posted to the handler's executor.
    direct,
    /// Posted to the home, which passes it on to the executor of a type-erased handler: to that
    /// one nothing can be posted.
    by_home,
};

/// What a wait leads to. Whoever has the last reference to it must be outside any turn: the handler
/// is the user's, and so is what it destroys when it is destroyed.
struct PermitEnding {
    PermitEnding(
        const boost::asio::any_io_executor& executor, PermitRoute route, PermitHandler taken
    );

    PermitEnding(const PermitEnding&) = delete;
    PermitEnding& operator=(const PermitEnding&) = delete;
    PermitEnding(PermitEnding&&) = delete;
    PermitEnding& operator=(PermitEnding&&) = delete;
    ~PermitEnding();

    std::unique_ptr<PermitTimer> timer;
    Result<Permit> result;
    /// The executor of a handler that is reached by the home, kept busy; else none.
    boost::asio::any_completion_executor own;
    PermitHandler handler;
    /// One that is to be dropped when this one is.
    std::shared_ptr<PermitEnding> dropped_before;
};

/// Posts a result to its handler. If it is destroyed on the way, the permit in it goes back.
///
/// *Exceptions*: `bad_alloc`, and handler and result are destroyed.
void deliver_permit(
    const boost::asio::any_io_executor& executor,
    PermitRoute route,
    PermitHandler handler,
    Result<Permit> result
);

/// A wait. Made by `make_shared`; keeps itself while it is in the queue or on its way there.
///
/// Its cancellation slot may be used, on the handler's executor, while the wait is decided in a
/// turn on another thread. So the slot refers to this object, which is of the semaphore, and never
/// to the queue; and it is cleared on the handler's executor too, just before the handler is
/// called.
class PermitWait final : public PermitQueue::Waiter,
                         public std::enable_shared_from_this<PermitWait> {
public:
    PermitWait(
        std::shared_ptr<SemaphoreState> state,
        TimePoint deadline,
        const boost::asio::any_io_executor& executor,
        PermitRoute route,
        PermitHandler handler
    );
    PermitWait(const PermitWait&) = delete;
    PermitWait& operator=(const PermitWait&) = delete;
    PermitWait(PermitWait&&) = delete;
    PermitWait& operator=(PermitWait&&) = delete;
    ~PermitWait();

    [[nodiscard]] SemaphoreState& semaphore() const noexcept { return *state_; }

    /// All that can fail, before the wait begins: the timer, if there is a deadline, and the
    /// cancellation slot.
    void prepare();

    /// Ends it with a result. Returns what is left if that could not be posted, to be dropped
    /// outside any turn.
    [[nodiscard]] std::shared_ptr<PermitEnding> complete(Result<Permit> result) noexcept;

    /// Ends it without one: destroys the handler. Outside any turn, as that runs code of users.
    void abandon() noexcept;

private:
    friend class ConfinedPermits;
    friend class SemaphoreState;

    std::shared_ptr<SemaphoreState> state_;
    /// Where the result is posted, kept busy.
    boost::asio::any_io_executor executor_;
    std::shared_ptr<PermitEnding> ending_;

    /// This, from when it is noted to when it is decided.
    std::shared_ptr<PermitWait> self_;
    /// The next on the list of arrivals or, at the end of the context, of the abandoned.
    PermitWait* next_ = nullptr;

    std::atomic<bool> is_cancel_noted_{false};
    /// This, from when its cancellation is noted to when that has been looked at.
    std::shared_ptr<PermitWait> cancelled_self_;
    PermitWait* next_cancelled_ = nullptr;
    /// Whether it was cancelled before it entered.
    bool is_cancelled_ = false;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_PERMIT_WAIT_HPP
