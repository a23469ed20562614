#include "sojourn/testing/simulated_context.hpp"

#include "sojourn/async/gate.hpp"
#include "sojourn/detail/assert.hpp"

namespace sojourn::testing {

namespace {

// Fowler, Noll and Vo's hash, FNV-1a, over whole words.
constexpr std::uint64_t hash_basis = 0xcbf29ce484222325U;
constexpr std::uint64_t hash_prime = 0x100000001b3U;

/// The context whose function this thread runs.
const SimulatedContext*& running() noexcept
{
    thread_local const SimulatedContext* context = nullptr;
    return context;
}

/// One step. The next begins with a whole budget of calls that complete inline, whatever this one
/// has spent: the budget is the thread's, and would carry over into the next run. It is filled
/// behind a step and not before it, so that a test may begin one with less.
class Running {
public:
    explicit Running(const SimulatedContext& context) noexcept
        : outer_(std::exchange(running(), &context))
    {
    }

    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    Running(Running&&) = delete;
    Running& operator=(Running&&) = delete;

    ~Running()
    {
        running() = outer_;
        renew_inline_budget();
    }

private:
    const SimulatedContext* outer_;
};

} // namespace

SimulatedContext::SimulatedContext(std::shared_ptr<ChoiceSource> choices)
    : choices_(std::move(choices)), trace_(hash_basis)
{
    SOJOURN_ASSERT(choices_ != nullptr);
    renew_inline_budget();
}

SimulatedContext::~SimulatedContext()
{
    on_post_ = nullptr;
    shutdown();
    // What is destroyed may post, and that is destroyed too.
    while (!ready_.empty()) {
        const auto abandoned = std::exchange(ready_, {});
    }
    destroy();
}

SimulatedContext::executor_type SimulatedContext::get_executor() noexcept
{
    return executor_type(*this);
}

bool SimulatedContext::run_one()
{
    if (ready_.empty()) {
        return false;
    }
    const auto choice = choices_->choose(ready_.size());
    SOJOURN_ASSERT(choice < ready_.size());
    trace_ = (trace_ ^ (ready_.size() << 32U ^ choice)) * hash_prime;
    ++steps_;
    // The others stay in the order in which they came, which `FirstChoice` keeps to.
    auto function = std::move(ready_[choice]);
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(choice));
    const Running scope(*this);
    std::move(function)();
    return true;
}

std::size_t SimulatedContext::run()
{
    std::size_t count = 0;
    while (run_one()) {
        ++count;
    }
    return count;
}

void SimulatedContext::add(Function function)
{
    ready_.push_back(std::move(function));
    if (on_post_) {
        on_post_();
    }
}

bool SimulatedContext::is_running_here() const noexcept
{
    return running() == this;
}

} // namespace sojourn::testing
