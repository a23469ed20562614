/// @file
/// An execution context without threads, on which whatever is ready may run next: not in the order
/// in which it became so, but in any that a `ChoiceSource` picks. What an `io_context` with several
/// threads does once in a million runs happens here in every third, and again with the same seed.

#ifndef SOJOURN_TESTING_SIMULATED_CONTEXT_HPP
#define SOJOURN_TESTING_SIMULATED_CONTEXT_HPP

#include "sojourn/testing/choice_source.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace sojourn::testing {

/// A simulated execution context. Nothing runs but in `run` and `run_one`.
///
/// Asio's own timers, sockets and resolvers do not belong on it: on a context that is no
/// `io_context` they run a thread of their own, which would meet this one, and their time is real.
/// What waits for time waits by `Simulation::sleep`, or a `Timer` of the `ManualClock`.
///
/// *Thread safety*: none but what `on_post` allows. *Lifetime*: as any execution context, it must
/// outlive what uses its executors, but for what is told of its shutdown. Its destructor destroys
/// what has not run, and coroutine frames with it.
class SimulatedContext : public boost::asio::execution_context {
public:
    class executor_type; // NOLINT(readability-identifier-naming): Asio's name for it

    /// Precondition: `choices` is not null, and chooses what it is asked for.
    explicit SimulatedContext(std::shared_ptr<ChoiceSource> choices);
    SimulatedContext(const SimulatedContext&) = delete;
    SimulatedContext& operator=(const SimulatedContext&) = delete;
    SimulatedContext(SimulatedContext&&) = delete;
    SimulatedContext& operator=(SimulatedContext&&) = delete;
    ~SimulatedContext();

    [[nodiscard]] executor_type get_executor() noexcept;

    /// Runs one of those that are ready; false if none is. *Exceptions*: what it throws.
    bool run_one();

    /// Runs until nothing is ready, and returns how many it ran. *Exceptions*: what those throw;
    /// the others are still there then.
    std::size_t run();

    /// Functions that are ready to run.
    [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }

    /// Work that was announced and may still come: of operations that wait for something. Zero once
    /// an `io_context` would return from `run`, but for what is ready.
    [[nodiscard]] std::size_t outstanding_work() const noexcept { return outstanding_; }

    /// Functions that were run, ever.
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

    /// A number that two runs have in common only if they took the same steps.
    [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }

    /// What is called whenever something becomes ready, where that happens; by default nothing. It
    /// may call `run_one` in another thread and wait for it, as if that thread had come between.
    void on_post(std::function<void()> hook) { on_post_ = std::move(hook); }

private:
    using Function = boost::asio::any_completion_handler<void()>;

    void add(Function function);
    /// Whether the calling thread is in `run_one` of this context.
    [[nodiscard]] bool is_running_here() const noexcept;

    std::shared_ptr<ChoiceSource> choices_;
    std::vector<Function> ready_;
    std::function<void()> on_post_;
    std::size_t outstanding_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t trace_;
};

/// Models Asio's executor, with what an `any_io_executor` asks for. `dispatch` runs at once in what
/// the same context runs, and `post` never.
class SimulatedContext::executor_type {
    using Blocking = boost::asio::execution::blocking_t;
    using OutstandingWork = boost::asio::execution::outstanding_work_t;

public:
    explicit executor_type(SimulatedContext& context) noexcept : context_(&context) {}

    executor_type(const executor_type& other) noexcept
        : executor_type(*other.context_, other.runs_inline_, other.tracks_work_)
    {
    }

    executor_type& operator=(const executor_type& other) noexcept
    {
        executor_type copy(other);
        std::swap(context_, copy.context_);
        std::swap(runs_inline_, copy.runs_inline_);
        std::swap(tracks_work_, copy.tracks_work_);
        return *this;
    }

    executor_type(executor_type&& other) noexcept
        : context_(other.context_),
          runs_inline_(other.runs_inline_),
          tracks_work_(std::exchange(other.tracks_work_, false))
    {
    }

    executor_type& operator=(executor_type&& other) noexcept
    {
        std::swap(context_, other.context_);
        std::swap(runs_inline_, other.runs_inline_);
        std::swap(tracks_work_, other.tracks_work_);
        return *this;
    }

    ~executor_type()
    {
        if (tracks_work_) {
            --context_->outstanding_;
        }
    }

    [[nodiscard]] SimulatedContext& query(boost::asio::execution::context_t /*property*/
    ) const noexcept
    {
        return *context_;
    }

    [[nodiscard]] Blocking query(Blocking /*property*/) const noexcept
    {
        return runs_inline_ ? Blocking(Blocking::possibly) : Blocking(Blocking::never);
    }

    [[nodiscard]] OutstandingWork query(OutstandingWork /*property*/) const noexcept
    {
        return tracks_work_ ? OutstandingWork(OutstandingWork::tracked)
                            : OutstandingWork(OutstandingWork::untracked);
    }

    [[nodiscard]] executor_type require(Blocking::possibly_t /*property*/) const noexcept
    {
        return {*context_, true, tracks_work_};
    }

    [[nodiscard]] executor_type require(Blocking::never_t /*property*/) const noexcept
    {
        return {*context_, false, tracks_work_};
    }

    [[nodiscard]] executor_type require(OutstandingWork::tracked_t /*property*/) const noexcept
    {
        return {*context_, runs_inline_, true};
    }

    [[nodiscard]] executor_type require(OutstandingWork::untracked_t /*property*/) const noexcept
    {
        return {*context_, runs_inline_, false};
    }

    template <class Function>
    void execute(Function&& function) const
    {
        if (runs_inline_ && context_->is_running_here()) {
            std::decay_t<Function> here(std::forward<Function>(function));
            std::move(here)();
        } else {
            context_->add(std::forward<Function>(function));
        }
    }

    friend bool operator==(const executor_type& left, const executor_type& right) noexcept
    {
        return left.context_ == right.context_ && left.runs_inline_ == right.runs_inline_ &&
               left.tracks_work_ == right.tracks_work_;
    }

private:
    executor_type(SimulatedContext& context, bool runs_inline, bool tracks_work) noexcept
        : context_(&context), runs_inline_(runs_inline), tracks_work_(tracks_work)
    {
        if (tracks_work_) {
            ++context_->outstanding_;
        }
    }

    SimulatedContext* context_;
    bool runs_inline_ = true;
    bool tracks_work_ = false;
};

} // namespace sojourn::testing

#endif // SOJOURN_TESTING_SIMULATED_CONTEXT_HPP
