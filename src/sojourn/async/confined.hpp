/// @file
/// A value that lives behind a strand. `Confined<T>` owns a `T`, and the only way to the `T` is to
/// hand `call` a function. What cannot be reached off the strand cannot race, so the `T` needs no
/// locks and can be tested without threads. sojourn keeps its session tables in these; they serve
/// any state that coroutines share.

#ifndef SOJOURN_ASYNC_CONFINED_HPP
#define SOJOURN_ASYNC_CONFINED_HPP

#include "sojourn/async/gate.hpp"
#include "sojourn/detail/assert.hpp"
#include "sojourn/detail/pause.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace sojourn {

namespace detail {

/// What a call gave back: a value or an exception, kept until its caller takes it.
template <class R>
class CallOutcome {
public:
    template <class F, class T>
    void capture(F& function, T& value) noexcept
    {
        try {
            if constexpr (std::is_void_v<R>) {
                function(value);
                result_.emplace();
            } else {
                result_.emplace(function(value));
            }
        } catch (...) {
            exception_ = std::current_exception();
        }
    }

    [[nodiscard]] R take()
    {
        if (exception_) {
            std::rethrow_exception(std::move(exception_));
        }
        SOJOURN_ASSERT(result_.has_value());
        if constexpr (!std::is_void_v<R>) {
            return std::move(*result_);
        }
    }

    /// Hands the exception, if there can be one, and the value, if there is one, to `complete`.
    template <bool CanThrow, class Complete>
    void give_to(Complete complete)
    {
        if constexpr (std::is_void_v<R>) {
            if constexpr (CanThrow) {
                complete(std::move(exception_));
            } else {
                complete();
            }
        } else if constexpr (CanThrow) {
            complete(std::move(exception_), result_ ? std::move(*result_) : R());
        } else {
            SOJOURN_ASSERT(result_.has_value());
            complete(std::move(*result_));
        }
    }

private:
    using Stored = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

    std::optional<Stored> result_;
    std::exception_ptr exception_;
};

/// The signature of an asynchronous call of an `F` that gives an `R`.
template <class R, bool CanThrow>
struct CallSignature {
    using type = void(std::exception_ptr, R);
};

template <class R>
struct CallSignature<R, false> {
    using type = void(R);
};

template <>
struct CallSignature<void, true> {
    using type = void(std::exception_ptr);
};

template <>
struct CallSignature<void, false> {
    using type = void();
};

template <class F, class T>
using CallSignatureOf =
    typename CallSignature<std::invoke_result_t<F&, T&>, !std::is_nothrow_invocable_v<F&, T&>>::
        type;

} // namespace detail

/// A `T` that only turns of a strand can reach.
///
/// A *turn* is one call of a function `f(T&)`; turns never overlap. `f` must be short, must not
/// block and must run no user code: everybody else waits for it. Nothing that points into the `T`
/// may leave it; results are handed back by value.
///
/// An idle strand runs `f` at once, in the caller's thread. A busy one gets it queued, and whoever
/// is inside runs it; its caller spins for a moment and is then suspended. Either way **the caller
/// continues on its own executor and never inside the strand.**
///
/// *Thread safety*: all members, from any thread. *Lifetime*: calls that wait keep the `T` alive,
/// so a `Confined` may be destroyed before they complete; but, as with any object, not while
/// another thread is inside one of its members or about to enter one, which includes a `call` that
/// was not awaited yet. It may outlive its execution context, and then still runs calls that need
/// not wait; no other thread may use it while the context is being destroyed. *Completion*: exactly
/// once, unless the execution context is destroyed first, which destroys what waits; by `post`,
/// never from inside the initiating function and never inside somebody else's call. *Cancellation*:
/// none; a turn is too short to be worth it, so a call that was begun is run, and only a coroutine
/// that was cancelled before does not begin one. *Example*: the `confined` region of
/// examples/02_confined.cpp.
template <class T>
class Confined {
public:
    /// Makes the `T` from `args`. Whatever must run on the strand itself runs on `executor`, which
    /// may be of any kind: an `io_context` with any number of threads, a `thread_pool`, a strand.
    template <class... Args>
    explicit Confined(const boost::asio::any_io_executor& executor, Args&&... args)
        : state_(std::make_shared<State>(executor, std::forward<Args>(args)...))
    {
    }

    Confined(const Confined&) = delete;
    Confined& operator=(const Confined&) = delete;
    Confined(Confined&&) = delete;
    Confined& operator=(Confined&&) = delete;
    ~Confined() = default;

    /// Runs `f` in a turn if that can be done at once, and returns what it returned; nothing if the
    /// strand is busy, or if this thread has run so many calls without a pause that others are due
    /// (see `inline_completion_budget`). Then `call` is the way.
    ///
    /// *Exceptions*: what `f` throws.
    template <std::invocable<T&> F>
        requires(!std::is_void_v<std::invoke_result_t<F&, T&>>)
    [[nodiscard]] std::optional<std::invoke_result_t<F&, T&>> try_call(F&& f)
    {
        if (!spend_inline_budget() || !state_->try_enter()) {
            return std::nullopt;
        }
        const Leave leave(*state_);
        state_->count_inline();
        return f(state_->value);
    }

    /// Runs `f` in a turn if the strand is idle; false if it is not. For what must neither wait nor
    /// fail, and is no call that somebody awaits: it is not counted as one.
    template <std::invocable<T&> F>
        requires std::is_nothrow_invocable_v<F&, T&>
    [[nodiscard]] bool try_turn(F&& f) noexcept
    {
        if (!state_->try_enter()) {
            return false;
        }
        const Leave leave(*state_);
        f(state_->value);
        return true;
    }

    /// Runs `f` in a turn and gives the caller what it returned. Finishes without suspending when
    /// the strand is idle or soon is; every `inline_completion_budget` calls it suspends once all
    /// the same, so that others on the caller's executor get their turn. If `f` has a member
    /// `prepare()`, that is called before, outside any turn: a place for what would make the turn
    /// longer. If it has a member `keep()`, that is called too where the caller may be suspended:
    /// the place to take hold of what could go meanwhile.
    ///
    /// *Exceptions*: what `f` throws; `bad_alloc`, and then `f` has not been run.
    template <std::invocable<T&> F>
    [[nodiscard]] boost::asio::awaitable<std::invoke_result_t<F&, T&>> call(F f)
    {
        if constexpr (requires { f.prepare(); }) {
            f.prepare();
        }
        const bool has_budget = spend_inline_budget();
        if (has_budget) {
            State& state = *state_;
            // Another processor may have written both last: fetched together.
            __builtin_prefetch(&state.value, 1);
            if (state.try_enter()) {
                const Leave leave(state);
                state.count_inline();
                co_return f(state.value);
            }
        }
        if constexpr (requires { f.keep(); }) {
            f.keep();
        }
        co_return co_await call_or_wait(state_, f, has_budget);
    }

    /// Runs `f` in a turn and completes the token, of any kind, with what it returned.
    ///
    /// *Completion* signature: `void(std::exception_ptr, R)`, without the exception if `f` is
    /// `noexcept` and without the `R` if it returns nothing. If `f` can throw, `R` must be default
    /// constructible. *Executor*: the token's associated one, else the one given to the
    /// constructor. *Exceptions*: from the initiating function, and then `f` is not run:
    /// `bad_alloc`; `bad_executor` if the context is gone and the token brings no executor, or is
    /// type-erased.
    template <
        std::invocable<T&> F,
        boost::asio::completion_token_for<detail::CallSignatureOf<F, T>> Token>
    auto async_call(F f, Token&& token)
    {
        using R = std::invoke_result_t<F&, T&>;

        return boost::asio::async_initiate<Token, detail::CallSignatureOf<F, T>>(
            [](auto handler, std::shared_ptr<State> state, F function) {
                using Handler = std::decay_t<decltype(handler)>;
                HandlerCall<F, R, Handler>::start(
                    std::move(state), std::move(function), std::move(handler)
                );
            },
            token,
            state_,
            std::move(f)
        );
    }

    /// Runs `T::nudged()` in a turn, soon: at once if the strand is idle, else before it becomes
    /// so. Several nudges may be answered by one turn, which begins after the last of them.
    /// Allocates nothing, fails never, may be called where nothing else may: in a destructor, at
    /// shutdown. Like any turn it may go on to run some calls of others before it returns.
    void nudge() noexcept
        requires requires(T& value) {
            { value.nudged() } noexcept;
        }
    {
        state_->nudge.submit();
    }

    /// Keeps an object until the strand is idle and drops it then, for what a turn must not
    /// destroy: itself, for one. To be called from inside a turn. Another object takes the place of
    /// the one before, which is dropped at once.
    void drop_after_turn(std::shared_ptr<void> parting) noexcept
    {
        SOJOURN_ASSERT(running_in_this_thread());
        state_->drop_on_leaving(std::move(parting));
    }

    /// Whether the calling thread is inside a turn. Never true in a coroutine that has awaited.
    [[nodiscard]] bool running_in_this_thread() const noexcept
    {
        return state_->running_in_this_thread();
    }

    /// How the calls ran so far.
    [[nodiscard]] CallCounts counts() const noexcept { return state_->counts(); }

private:
    struct State;

    /// The call where others may be inside, or are due. `keep` is of the frame, so that the value
    /// outlives this object.
    template <class F>
    static boost::asio::awaitable<std::invoke_result_t<F&, T&>>
    call_or_wait(std::shared_ptr<State> keep, F& f, bool has_budget)
    {
        State& state = *keep;
        if (!has_budget) {
            // Before the turn: whatever goes wrong here, nothing has been done yet.
            co_await boost::asio::post(boost::asio::use_awaitable);
            renew_inline_budget();
        }
        FrameCall<F, std::invoke_result_t<F&, T&>> call(state, f);
        // Made before the call is queued: from then until the suspension, nothing may fail. Nor
        // may the coroutine be cancelled then, which would end it at the `co_await`.
        auto suspension = call.suspend();
        const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        if (state.enter_or_queue(call)) {
            const Leave leave(state);
            state.count_inline();
            call.run_inside();
        } else if (!call.spin()) {
            co_await std::move(suspension);
            renew_inline_budget();
        }
        co_await boost::asio::this_coro::throw_if_cancelled(throws);
        co_return call.take();
    }

    struct Nothing {
        explicit Nothing(State& /*state*/) noexcept {}
    };

    /// The call of `nudge`: there is one, it can be queued once, and it is part of the state.
    class Nudge final : public Gate::Call {
    public:
        explicit Nudge(State& state) noexcept : state_(state) {}

        void submit() noexcept
        {
            if (!is_queued_.exchange(true, std::memory_order_seq_cst)) {
                state_.submit(*this);
            } else {
                // Perhaps it is part of a drain that waits for the executor.
                state_.help();
            }
        }

    private:
        void run() noexcept override
        {
            // An exchange, so that what was done before any of the nudges is seen.
            is_queued_.exchange(false, std::memory_order_seq_cst);
            state_.value.nudged();
        }

        /// Needs no context, so the end of one is no reason to leave it out.
        void abandon() noexcept override { run(); }

        State& state_;
        std::atomic<bool> is_queued_{false};
    };

    static constexpr bool can_be_nudged = requires(T& value) { value.nudged(); };

    /// One object, so that a drain that was handed to the strand keeps gate and value alive.
    struct State final : Gate {
        template <class... Args>
        explicit State(const boost::asio::any_io_executor& executor, Args&&... args)
            : Gate(executor), value(std::forward<Args>(args)...), nudge(*this)
        {
        }

        T value;
        [[no_unique_address]] std::conditional_t<can_be_nudged, Nudge, Nothing> nudge;
    };

    /// Leaves the gate at the end of a scope.
    class Leave {
    public:
        explicit Leave(Gate& gate) noexcept : gate_(gate) {}

        Leave(const Leave&) = delete;
        Leave& operator=(const Leave&) = delete;
        Leave(Leave&&) = delete;
        Leave& operator=(Leave&&) = delete;

        ~Leave() { gate_.leave(); }

    private:
        Gate& gate_;
    };

    /// A call whose node, function and result live in the frame of the coroutine that makes it.
    template <class F, class R>
    class FrameCall final : public Gate::Call {
    public:
        FrameCall(State& state, F& function) noexcept : state_(state), function_(function) {}

        ~FrameCall()
        {
            // The frame must not go while the node is in the queue. It cannot: from the push until
            // the suspension nothing fails, and a suspended frame belongs to the handler below.
            SOJOURN_ASSERT(
                phase_.load(std::memory_order_relaxed) != Phase::waiting || !was_queued_
            );
        }

        FrameCall(const FrameCall&) = delete;
        FrameCall& operator=(const FrameCall&) = delete;
        FrameCall(FrameCall&&) = delete;
        FrameCall& operator=(FrameCall&&) = delete;

        void run_inside() noexcept { outcome_.capture(function_, state_.value); }

        /// Waits about as long as a few turns take. True if the call was run.
        bool spin() noexcept
        {
            was_queued_ = true;
            // Most turns are shorter than this; a longer wait only burns the processor.
            constexpr int pauses = 50;
            for (int i = 0; i < pauses; ++i) {
                if (phase_.load(std::memory_order_acquire) == Phase::done) {
                    return true;
                }
                detail::pause();
                state_.help();
            }
            return phase_.load(std::memory_order_acquire) == Phase::done;
        }

        /// What to await in order to be resumed once the call was run; takes its memory now.
        [[nodiscard]] boost::asio::awaitable<void> suspend()
        {
            return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
                [](Handler handler, FrameCall* call) { call->wait_with(std::move(handler)); },
                boost::asio::use_awaitable,
                this
            );
        }

        [[nodiscard]] R take() { return outcome_.take(); }

    private:
        using Handler = typename boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::
            handler_type;
        using WorkGuard =
            boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>>;

        enum class Phase : std::uint8_t { waiting, suspended, done };

        /// The handler resumes the frame that holds it. No memory is taken on the way, so that
        /// nothing can fail while the node is in the queue.
        void wait_with(Handler handler)
        {
            work_.emplace(boost::asio::get_associated_executor(handler));
            handler_.emplace(std::move(handler));
            auto& state = state_;
            state.count_suspended();
            if (phase_.exchange(Phase::suspended, std::memory_order_acq_rel) == Phase::done) {
                // It has been run, and counted as combined.
                state.uncount_suspended();
                complete();
            }
        }

        void run() noexcept override
        {
            run_inside();
            // Once it is done, a caller that did not suspend may go on and the node be gone.
            auto& state = state_;
            if (phase_.exchange(Phase::done, std::memory_order_acq_rel) == Phase::suspended) {
                complete();
            } else {
                state.count_combined();
            }
        }

        void complete() noexcept
        {
            SOJOURN_ASSERT(handler_.has_value());
            auto work = std::move(work_);
            Handler handler(std::move(*handler_));
            handler_.reset();
            try {
                boost::asio::post(std::move(handler));
            } catch (...) {
                // No memory to tell the caller with. Its frame goes with the handler, as it does
                // whenever Asio itself runs out of memory on the way to a completion.
            }
        }

        void abandon() noexcept override
        {
            // Destroys the frame and this node with it, now or when the caller's executor is gone.
            phase_.store(Phase::done, std::memory_order_relaxed);
            auto work = std::move(work_);
            if (handler_) {
                const Handler handler(std::move(*handler_));
                handler_.reset();
            }
        }

        // What whoever runs the call needs, close together: it comes from another processor.

        std::atomic<Phase> phase_{Phase::waiting};
        bool was_queued_ = false;
        State& state_;
        F& function_;
        detail::CallOutcome<R> outcome_;

        std::optional<Handler> handler_;
        std::optional<WorkGuard> work_;
    };

    /// A call that owns everything it needs, in memory of the handler's allocator.
    template <class F, class R, class Handler>
    class HandlerCall final : public Gate::Call {
    public:
        static void start(std::shared_ptr<State> state, F function, Handler handler)
        {
            if (!can_complete(*state, handler)) {
                throw boost::asio::execution::bad_executor();
            }
            auto allocator = allocator_of(handler);
            auto* const memory = Traits::allocate(allocator, 1);
            HandlerCall* call = nullptr;
            try {
                call = ::new (static_cast<void*>(std::to_address(memory)))
                    HandlerCall(std::move(state), std::move(function), std::move(handler));
            } catch (...) {
                Traits::deallocate(allocator, memory, 1);
                throw;
            }
            auto& gate = *call->state_;
            const std::shared_ptr<State> keep = call->state_;
            if (gate.enter_or_queue(*call)) {
                gate.count_inline();
                call->run();
                gate.leave();
            } else {
                gate.count_suspended();
            }
        }

        HandlerCall(const HandlerCall&) = delete;
        HandlerCall& operator=(const HandlerCall&) = delete;
        HandlerCall(HandlerCall&&) = delete;
        HandlerCall& operator=(HandlerCall&&) = delete;

    private:
        using Allocator = typename std::allocator_traits<
            boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<HandlerCall>;
        using Traits = std::allocator_traits<Allocator>;
        using Executor = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;

        HandlerCall(std::shared_ptr<State> state, F function, Handler handler)
            : state_(std::move(state)),
              function_(std::move(function)),
              executor_(state_->executor()),
              work_(boost::asio::get_associated_executor(handler, executor_)),
              handler_(std::move(handler))
        {
        }

        ~HandlerCall() = default;

        /// Whether there is an executor to complete the handler with.
        static bool
        can_complete([[maybe_unused]] const State& state, [[maybe_unused]] const Handler& handler)
        {
            if constexpr (std::is_same_v<Executor, boost::asio::any_io_executor>) {
                return static_cast<bool>(
                    boost::asio::get_associated_executor(handler, state.executor())
                );
            } else if constexpr (std::is_same_v<Executor, boost::asio::any_completion_executor>) {
                return static_cast<bool>(state.executor());
            } else {
                return true;
            }
        }

        static Allocator allocator_of(const Handler& handler)
        {
            return Allocator(boost::asio::get_associated_allocator(handler));
        }

        void run() noexcept override
        {
            outcome_.capture(function_, state_->value);
            // The memory goes back before the handler is called, and before its context may go.
            auto outcome = std::move(outcome_);
            auto home = std::move(executor_);
            auto work = std::move(work_);
            auto handler = destroy();
            try {
                outcome.template give_to<!std::is_nothrow_invocable_v<F&, T&>>([&](auto... results
                                                                               ) {
                    // Asked before `append`, whose result is a token: it has no associated
                    // executor.
                    const auto own = boost::asio::get_associated_executor(handler, home);
                    auto complete = boost::asio::append(std::move(handler), std::move(results)...);
                    if constexpr (std::is_same_v<Executor, boost::asio::any_completion_executor>) {
                        // Nothing can be posted to a type-erased handler's executor, only to the
                        // home, which passes it on.
                        boost::asio::post(home, std::move(complete));
                    } else {
                        // Straight to the handler's own: the home may not be running, or be gone.
                        boost::asio::post(own, std::move(complete));
                    }
                });
            } catch (...) {
                // No memory to complete with: the handler is destroyed, which its owner notices.
            }
        }

        void abandon() noexcept override { [[maybe_unused]] const auto handler = destroy(); }

        Handler destroy() noexcept
        {
            auto handler = std::move(handler_);
            auto allocator = allocator_of(handler);
            this->~HandlerCall();
            Traits::deallocate(
                allocator, std::pointer_traits<typename Traits::pointer>::pointer_to(*this), 1
            );
            return handler;
        }

        std::shared_ptr<State> state_;
        F function_;
        boost::asio::any_io_executor executor_;
        boost::asio::executor_work_guard<Executor> work_;
        Handler handler_;
        detail::CallOutcome<R> outcome_;
    };

    std::shared_ptr<State> state_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_CONFINED_HPP
