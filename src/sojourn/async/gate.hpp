/// @file
/// Private header. Who may touch a confined value: one caller at a time, without a lock and without
/// a queue in the common case. The gate is the front door of a strand. An idle gate lets a caller
/// run at once, in its own thread. At a busy one the caller leaves its call in a queue, and the one
/// inside runs it before leaving: flat combining (Hendler, Incze, Shavit and Tzafrir, 2010).
/// Whether somebody is inside and who waits is one word, so that a contended call moves one cache
/// line to and fro and not several. Someone inside who has run enough calls of others hands the
/// rest to the strand, or to whoever comes before the strand gets to it.

#ifndef SOJOURN_ASYNC_GATE_HPP
#define SOJOURN_ASYNC_GATE_HPP

#include "sojourn/async/shutdown_hook.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sojourn {

/// Calls that one thread may run without any of their callers being suspended. After that many the
/// next caller goes through its executor first, so that a tight loop of awaits, none of which
/// suspends, cannot starve its neighbours.
inline constexpr int inline_completion_budget = 512;

namespace detail {

/// What is left of this thread's budget.
[[nodiscard]] inline int& inline_budget() noexcept
{
    constinit thread_local int budget = inline_completion_budget;
    return budget;
}

} // namespace detail

/// Takes one completion from this thread's budget; false if none is left.
[[nodiscard]] inline bool spend_inline_budget() noexcept
{
    auto& budget = detail::inline_budget();
    if (budget == 0) {
        return false;
    }
    --budget;
    return true;
}

/// Fills this thread's budget again.
inline void renew_inline_budget() noexcept
{
    detail::inline_budget() = inline_completion_budget;
}

/// How the calls of a gate ran. A figure of speed means nothing without these.
struct CallCounts {
    /// At once, in the thread of the caller.
    std::uint64_t ran_inline = 0;
    /// In the turn of another caller, while its own spun for a moment.
    std::uint64_t combined = 0;
    /// After its caller was suspended, or through the executor.
    std::uint64_t suspended = 0;
};

/// A gate. Owned by a `shared_ptr`, which a drain handed to the strand keeps alive.
///
/// *Thread safety*: all members, any thread. *Lifetime*: may outlive its execution context; calls
/// that were queued when the context was destroyed are abandoned, later ones still run.
class Gate : public std::enable_shared_from_this<Gate>, private ShutdownHook {
public:
    /// A call in the queue. Lives where its caller put it until it has been run or abandoned; the
    /// gate does not touch it afterwards.
    class Call {
    public:
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        Call(Call&&) = delete;
        Call& operator=(Call&&) = delete;

    protected:
        Call() = default;
        ~Call() = default;

    private:
        friend class Gate;

        /// Runs inside the gate.
        virtual void run() noexcept = 0;
        /// Called instead of `run` when the context is destroyed.
        virtual void abandon() noexcept = 0;

        Call* next_ = nullptr;
    };

    explicit Gate(const boost::asio::any_io_executor& executor);
    virtual ~Gate();

    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    Gate(Gate&&) = delete;
    Gate& operator=(Gate&&) = delete;

    /// Enters if nobody is inside. Whoever got in must `leave`.
    [[nodiscard]] bool try_enter() noexcept
    {
        Call* nobody = nullptr;
        if (!state_.compare_exchange_strong(
                nobody, locked(), std::memory_order_acquire, std::memory_order_relaxed
            )) {
            return false;
        }
        enter();
        return true;
    }

    /// Enters if nobody is inside, and returns true. Otherwise queues the call, which will run
    /// soon.
    [[nodiscard]] bool enter_or_queue(Call& call) noexcept
    {
        for (auto* top = state_.load(std::memory_order_relaxed);;) {
            const bool is_empty = top == nullptr;
            call.next_ = top;
            if (state_.compare_exchange_weak(
                    top,
                    is_empty ? locked() : &call,
                    std::memory_order_acq_rel,
                    std::memory_order_relaxed
                )) {
                // From here on the call belongs to whoever is inside.
                if (is_empty) {
                    enter();
                } else {
                    help();
                }
                return is_empty;
            }
        }
    }

    /// Goes on with a drain that was handed to the strand and has not begun there: who waits for it
    /// would wait for everybody who comes before it on the executor.
    void help() noexcept
    {
        if (is_handed_over_.load(std::memory_order_relaxed) && take_over()) {
            drain();
        }
    }

    /// Leaves, after running what was queued meanwhile.
    void leave() noexcept
    {
        if (parting_ || !try_leave()) {
            drain();
        }
    }

    /// Keeps the object until nobody is inside any more, and drops it then: perhaps it is the last
    /// that holds this gate. Only whoever is inside may call it. Another object takes the place of
    /// the one before, which is dropped at once.
    void drop_on_leaving(std::shared_ptr<void> parting) noexcept { parting_ = std::move(parting); }

    /// Runs the call now, or queues it.
    void submit(Call& call) noexcept
    {
        if (enter_or_queue(call)) {
            call.run();
            leave();
        }
    }

    /// Whether the calling thread is inside.
    [[nodiscard]] bool running_in_this_thread() const noexcept
    {
        return owner_.load(std::memory_order_relaxed) == this_thread();
    }

    /// What runs the drains that are handed over, and completes a caller that brings no executor of
    /// its own. Empty once the context is destroyed.
    [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept
    {
        return executor_;
    }

    void count_inline() noexcept { bump(inline_); }

    void count_combined() noexcept { bump(combined_); }

    void count_suspended() noexcept { suspended_.fetch_add(1, std::memory_order_relaxed); }

    void uncount_suspended() noexcept { suspended_.fetch_sub(1, std::memory_order_relaxed); }

    [[nodiscard]] CallCounts counts() const noexcept;

private:
    /// Calls of others that one caller runs before it hands the rest to the strand.
    static constexpr int drain_budget = 64;

    /// Names the calling thread, and costs less than its id does.
    static const void* this_thread() noexcept { return &detail::inline_budget(); }

    void enter() noexcept { owner_.store(this_thread(), std::memory_order_relaxed); }

    /// Only whoever is inside counts these, so no atomic addition is needed.
    static void bump(std::atomic<std::uint64_t>& count) noexcept
    {
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    /// Leaves if nobody waits.
    [[nodiscard]] bool try_leave() noexcept
    {
        owner_.store(nullptr, std::memory_order_relaxed);
        auto* nobody_else = locked();
        return state_.compare_exchange_strong(
            nobody_else, nullptr, std::memory_order_release, std::memory_order_relaxed
        );
    }

    /// Stands in `state_` for somebody who is inside.
    [[nodiscard]] Call* locked() noexcept { return &inside_; }

    [[nodiscard]] Call* next() noexcept;
    void drain() noexcept;
    [[nodiscard]] bool hand_over() noexcept;
    [[nodiscard]] bool take_over() noexcept;
    void on_context_shutdown() noexcept override;

    class Inside final : public Call {
        void run() noexcept override {}

        void abandon() noexcept override {}
    };

    std::atomic<std::uint64_t> suspended_{0};
    /// Whether there are calls to drain and nobody is inside.
    std::atomic<bool> is_handed_over_{false};
    /// Whether the executor has been asked to see to that.
    std::atomic<bool> is_posted_{false};
    Inside inside_;
    /// Empty once the context is destroyed.
    boost::asio::any_io_executor executor_;

    // What every call writes, on a line of its own, and what the gate guards comes after it.

    /// Null: nobody is inside. Else a stack of the calls that wait, whose end is `locked()`; they
    /// are taken all at once, so it has no ABA problem.
    alignas(64) std::atomic<Call*> state_{nullptr};
    std::atomic<const void*> owner_{nullptr};
    std::atomic<std::uint64_t> inline_{0};
    std::atomic<std::uint64_t> combined_{0};
    /// Calls that were taken from the stack and have not run, the oldest first. Whoever is inside
    /// has them.
    Call* taken_ = nullptr;
    /// To be dropped once nobody is inside. Whoever is inside has it.
    std::shared_ptr<void> parting_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_GATE_HPP
