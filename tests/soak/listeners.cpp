#include "soak/listeners.hpp"

#include <sojourn/service/session_service.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests::soak {

namespace {

asio::awaitable<void> sleep(Duration length)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, length);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

std::string_view ToldBook::created(SessionReference reference)
{
    const std::lock_guard guard(mutex_);
    ++sums_.created;
    return open_.insert(reference).second ? "" : "a creation was told twice";
}

std::string_view ToldBook::removed(const RemovedSession& session)
{
    const std::lock_guard guard(mutex_);
    ++sums_.removed[static_cast<std::size_t>(session.cause)];
    return open_.erase(session.reference) == 1 ? ""
                                               : "a removal was told twice, or before its creation";
}

ToldBook::Sums ToldBook::sums() const
{
    const std::lock_guard guard(mutex_);
    auto sums = sums_;
    sums.open = open_.size();
    return sums;
}

void Listeners::attach(ServiceEnvironment& environment)
{
    environment.on_created([this](SessionInfo session) { return created(std::move(session)); });
    environment.on_removed([this](RemovedSession session) { return removed(std::move(session)); });
}

asio::awaitable<void> Listeners::created(SessionInfo session)
{
    if (const auto fault = book_.created(session.reference); !fault.empty()) {
        faults_.add(fault);
    }
    co_await misbehave();
}

asio::awaitable<void> Listeners::removed(RemovedSession session)
{
    if (const auto fault = book_.removed(session); !fault.empty()) {
        faults_.add(fault);
    }
    co_await misbehave();
}

asio::awaitable<void> Listeners::misbehave()
{
    constexpr std::uint64_t one_in = 10'000;
    const auto drawn = draw() % one_in;
    if (drawn < 20) {
        ++thrown_;
        throw std::runtime_error("a listener's own");
    }
    if (drawn < 30) {
        ++thrown_;
        throw 42; // NOLINT(hicpp-exception-baseclass): whatever comes
    }
    if (drawn < 50) {
        co_await sleep(1ms * static_cast<int>(draw() % 5));
    } else if (drawn < 53) {
        // Until it is cancelled.
        ++thrown_;
        co_await sleep(10 * timeout);
    } else if (drawn < 55) {
        // Left to itself.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await sleep(2 * timeout);
    } else if (auto* const service = service_.load(); drawn < 255 && service != nullptr) {
        co_await call_back(*service);
    }
}

asio::awaitable<void> Listeners::call_back(SessionService& service)
{
    switch (draw() % 4) {
    case 0: {
        ++counts_.creations;
        auto options = CreateOptions().principal("a listener");
        const auto created = co_await service.create(options);
        faults_.judge(created.error(), "create, called by a listener,");
        counts_.created += created ? 1 : 0;
        break;
    }
    case 1:
        faults_.judge(
            (co_await service.remove_by_principal("a listener")).error(),
            "remove_by_principal, called by a listener,"
        );
        break;
    case 2:
        faults_.judge((co_await service.cleanup()).error(), "cleanup, called by a listener,");
        break;
    default: {
        const auto metrics = co_await service.metrics();
        faults_.judge(metrics.error(), "metrics, called by a listener,");
        if (metrics && !metrics->ledger_holds()) {
            faults_.add("the ledger does not hold in metrics that a listener asked for");
        }
    }
    }
}

std::uint64_t Listeners::draw() noexcept
{
    // splitmix64, of Vigna.
    constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
    auto bits = draws_.fetch_add(step, std::memory_order_relaxed) + step;
    bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31U);
}

} // namespace sojourn::tests::soak
