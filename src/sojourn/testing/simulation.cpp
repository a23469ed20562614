#include "sojourn/testing/simulation.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>

namespace asio = boost::asio;

namespace sojourn::testing {

namespace {

constexpr std::size_t longest_settling = 1'000'000;
constexpr Duration longest_run = std::chrono::hours(24) * 365;

} // namespace

Simulation::Simulation(std::uint64_t seed) : Simulation(std::make_shared<SeededChoices>(seed), seed)
{
}

Simulation::Simulation(std::shared_ptr<ChoiceSource> choices, std::uint64_t id_seed)
    : ids_(std::make_shared<SeededIdSource>(id_seed)), context_(std::move(choices))
{
}

ServiceEnvironment Simulation::environment() const
{
    return ServiceEnvironment().clock(clock_).id_source(ids_);
}

std::size_t Simulation::settle()
{
    std::size_t steps = 0;
    while (context_.ready() > 0) {
        step(steps);
    }
    return steps;
}

void Simulation::pass(Duration length)
{
    const auto end = saturating_add(clock_->steady(), length);
    settle();
    for (auto now = clock_->steady(); now < end; now = clock_->steady()) {
        // Whoever waited for less has been woken.
        const auto next = std::min(clock_->next_deadline(), end);
        clock_->advance(next - now);
        settle();
    }
}

asio::awaitable<void> Simulation::sleep(Duration length)
{
    const std::shared_ptr<Timer> timer = clock_->make_timer(executor());
    const auto deadline = saturating_add(clock_->steady(), length);
    auto start = [&timer, deadline](auto token_handler) {
        // Erased first, which takes the slot of the handler for itself and gives another.
        asio::any_completion_handler<void(boost::system::error_code)> handler(
            std::move(token_handler)
        );
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr(timer)](asio::cancellation_type /*type*/) {
                if (const auto waiting = weak.lock()) {
                    waiting->cancel();
                }
            });
        }
        timer->start_wait(deadline, std::move(handler));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(
        std::move(start), asio::use_awaitable
    );
}

void Simulation::run_until(const bool& is_done)
{
    std::size_t steps = 0;
    const auto last = saturating_add(clock_->steady(), longest_run);
    while (!is_done) {
        if (context_.ready() > 0) {
            step(steps);
            continue;
        }
        const auto next = clock_->next_deadline();
        if (next == TimePoint::max()) {
            throw std::logic_error(
                "nothing is ready, and nobody waits for simulated time: the coroutine waits for "
                "what nobody does, or for a timer or a socket of Asio's"
            );
        }
        if (next > last) {
            throw std::runtime_error("a year has passed, and the coroutine has not ended");
        }
        steps = 0;
        clock_->advance(next - clock_->steady());
    }
}

void Simulation::step(std::size_t& steps)
{
    if (++steps > longest_settling) {
        throw std::runtime_error("something goes round in circles");
    }
    context_.run_one();
}

} // namespace sojourn::testing
