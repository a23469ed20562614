// Uses every name that sojourn exports, as a user would. Built twice: with the headers, and with
// SOJOURN_USE_MODULE from `import sojourn;`.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#ifdef SOJOURN_USE_MODULE
import sojourn;
#else
#include <sojourn/sojourn.hpp>
#endif

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Runs a coroutine to its end on the context, for no longer than a test may take.
template <class T>
T run(asio::io_context& context, asio::awaitable<T> coroutine)
{
    std::optional<T> result;
    std::exception_ptr failure;
    asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
        failure = std::move(thrown);
        result.emplace(std::move(value));
    });
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!result && std::chrono::steady_clock::now() < end) {
        context.restart();
        context.run_one_for(100ms);
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    return std::move(result.value());
}

/// A clock and a source of bytes of the user's own.
class FixedClock final : public sojourn::Clock {
public:
    [[nodiscard]] sojourn::TimePoint steady() const noexcept override { return now; }

    [[nodiscard]] sojourn::WallTime wall() const noexcept override
    {
        return sojourn::WallTime(100s);
    }

    [[nodiscard]] std::unique_ptr<sojourn::Timer> make_timer(const asio::any_io_executor& executor
    ) override
    {
        return real_.make_timer(executor);
    }

    std::atomic<sojourn::TimePoint> now{sojourn::TimePoint(1h)};

private:
    sojourn::SystemClock real_;
};

class CountingSource final : public sojourn::IdSource {
public:
    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        for (auto& byte : bytes) {
            // Knuth's multiplicative hashing: any bytes will do, if they do not repeat soon.
            byte = static_cast<std::byte>((++next_ * 2'654'435'761U) >> 24U);
        }
        return {};
    }

private:
    std::atomic<std::uint32_t> next_{0};
};

asio::awaitable<void> count(std::shared_ptr<int> told, sojourn::RemovedSession removed)
{
    *told += removed.cause == sojourn::RemovalCause::deleted ? 1 : 100;
    co_return;
}

} // namespace

TEST_CASE("public_api: values and their errors", "[api]")
{
    CHECK(sojourn::version == "0.1.0");
    CHECK(
        sojourn::version_major * 10'000 + sojourn::version_minor * 100 + sojourn::version_patch ==
        100
    );

    CHECK(sojourn::parse_duration("1h30m").value() == 90min);
    CHECK(sojourn::to_string(sojourn::Duration(90min)) == "1h30m");
    CHECK(sojourn::parse_duration("366d").error() == sojourn::errc::duration_too_long);
    CHECK(sojourn::is_valid_timeout(sojourn::max_duration));
    CHECK(sojourn::saturating_add(sojourn::TimePoint::max(), 1s) == sojourn::TimePoint::max());
    CHECK(sojourn::time_between(sojourn::TimePoint(), sojourn::TimePoint(1s)) == 1s);

    const sojourn::Error error(sojourn::errc::rate_limited, 5ms);
    CHECK(error.retry_after() == 5ms);
    CHECK(error.code() == sojourn::make_error_code(sojourn::errc::rate_limited));
    CHECK(&error.code().category() == &sojourn::error_category());
    CHECK(std::string_view(sojourn::error_category().name()) == "sojourn");
    const sojourn::Result<int> result = error;
    CHECK_THROWS_AS(result.value(), boost::system::system_error);
    CHECK_THROWS_AS(
        sojourn::throw_exception_from_error(error, BOOST_CURRENT_LOCATION),
        boost::system::system_error
    );

    sojourn::Attributes attributes{{"theme", "dark"}};
    attributes.set("lang", "en");
    CHECK(attributes.get("theme") == "dark");
    const sojourn::AttributeSnapshot snapshot{attributes, 1};
    CHECK(snapshot.data.size() == 2);

    CHECK(sojourn::SessionId::parse("with space").error() == sojourn::errc::invalid_id);
    sojourn::OsIdSource source;
    const sojourn::SessionNames names = sojourn::draw_names(source).value();
    CHECK(sojourn::SessionId::parse_issued(names.id.text()).value() == names.id);
    CHECK(sojourn::draw_id(source).value().text().size() == sojourn::SessionId::issued_length);
    CHECK(to_string(sojourn::SessionReference(0xabc)) == "0000000000000abc");

    CHECK(sojourn::removal_causes.size() == sojourn::removal_cause_count);
    CHECK(to_string(sojourn::RemovalCause::evicted) == "evicted");

    const sojourn::RateLimit limit(10, 2);
    const sojourn::RateLimiter limiter(limit);
    sojourn::TimePoint arrival;
    CHECK(limiter.admit(arrival, sojourn::TimePoint(1s)) == sojourn::Duration::zero());

    auto options = sojourn::ServiceOptions().when_full(sojourn::WhenFull::reject).shards(0);
    const std::optional<sojourn::InvalidOption> invalid = options.validate();
    REQUIRE(invalid);
    CHECK(invalid->field == "shards");
    CHECK(std::string(256, 'p').size() == sojourn::max_principal_length);
}

namespace {

asio::awaitable<bool> tour(sojourn::SessionService& sessions)
{
    auto wish = sojourn::CreateOptions().principal("alice").attributes({{"k", "v"}});
    sojourn::Result<sojourn::CreatedSession> created = co_await sessions.create(std::move(wish));
    created.value().lease.release();
    auto id = created->id;

    sojourn::Result<sojourn::SessionLease> lease = co_await sessions.acquire(id);
    const sojourn::SessionInfo& info = lease.value().info();
    bool is_right = info.requests == 1 && info.principal_text() == "alice";

    const auto touched = co_await sessions.touch(id);
    const auto peeked = co_await sessions.peek(id);
    is_right =
        is_right && touched.value().leases == 1 && peeked.value().reference == info.reference;

    auto login = sojourn::RotateOptions().principal("bob");
    const auto rotated = co_await sessions.rotate(id, std::move(login));
    id = rotated.value();

    const auto before = co_await sessions.snapshot(id);
    sojourn::Attributes data = before.value().data;
    data.set("k", "w");
    const auto version = co_await sessions.commit(id, before->version, std::move(data));
    const std::function<void(sojourn::Attributes&)> erase = [](sojourn::Attributes& all) {
        all.erase("k");
    };
    const auto modified = co_await sessions.modify(id, erase);
    is_right = is_right && version.value() == 2 && modified.value().data.empty();

    const sojourn::SessionFilter of_bob = sojourn::SessionFilter().principal("bob");
    auto query = sojourn::ListOptions().filter(of_bob).limit(1).after(sojourn::SessionCursor{});
    const sojourn::Result<sojourn::SessionPage> page = co_await sessions.list(std::move(query));
    is_right = is_right && page.value().sessions.size() == 1 &&
               page->sessions.front().use == sojourn::SessionUse::in_use;
    const sojourn::Result<std::size_t> of_him = co_await sessions.count(of_bob);
    auto idle_ones = sojourn::SessionFilter().use(sojourn::SessionUse::idle).idle_for(1h);
    const sojourn::Result<std::size_t> ended = co_await sessions.remove_matching(idle_ones);
    is_right = is_right && of_him.value() == 1 && ended.value() == 0;

    const sojourn::Result<sojourn::Metrics> metrics = co_await sessions.metrics();
    is_right = is_right && metrics.value().ledger_holds() && metrics->leased == 1;
    const sojourn::Result<sojourn::Health> health = co_await sessions.health();
    const sojourn::LoopHealth& cleanup = health.value().cleanup;
    is_right = is_right && health->is_ready() && cleanup.failures == 0;

    lease->release();
    const auto removed = co_await sessions.remove_by_principal("bob");
    const auto gone = co_await sessions.remove(id);
    const auto cleaned = co_await sessions.cleanup(sojourn::CleanupScope::all);
    is_right = is_right && removed.value() == 1 && gone.error() == sojourn::errc::not_found &&
               cleaned.value() == 0;

    auto patience = sojourn::DrainOptions().limit(10s).cancel_grace(1s);
    const sojourn::Result<sojourn::DrainReport> drained = co_await sessions.drain(patience);
    const auto again = co_await sessions.drain(10s);
    is_right = is_right && sessions.state() == sojourn::ServiceState::closed;
    co_return is_right && drained->is_clean() && *again == *drained;
}

} // namespace

TEST_CASE("public_api: a service from its creation to its drain, in coroutines", "[api]")
{
    asio::io_context context;
    const auto told = std::make_shared<int>(0);
    const sojourn::RemovalListener listener = [told](sojourn::RemovedSession removed) {
        return count(told, std::move(removed));
    };
    const sojourn::FailureReporter reporter = [](std::string_view, const std::exception_ptr&) {};
    auto environment = sojourn::ServiceEnvironment()
                           .clock(std::make_shared<FixedClock>())
                           .id_source(std::make_shared<CountingSource>())
                           .on_removed(listener)
                           .on_failure(reporter);
    auto options = sojourn::ServiceOptions().max_sessions(1000).shards(4).request_rate(
        sojourn::RateLimit::unlimited()
    );
    sojourn::SessionService sessions(context.get_executor(), options, environment);
    CHECK(run(context, tour(sessions)));
    CHECK(*told == 1);
}

TEST_CASE("public_api: a service in futures", "[api]")
{
    asio::io_context context;
    sojourn::SessionService sessions(context.get_executor());
    auto created = sessions.async_create(sojourn::CreateOptions(), asio::use_future);
    auto missing = sessions.async_acquire(sojourn::SessionId(), asio::as_tuple(asio::use_future));
    auto drained = sessions.async_drain(0s, asio::deferred)(asio::use_future);
    context.run_for(20s);
    CHECK(created.get().has_value());
    CHECK(std::get<0>(missing.get()).error() == sojourn::errc::not_found);
    CHECK(drained.valid());
}

namespace {

asio::awaitable<int> use_confined(sojourn::Confined<std::vector<int>>& confined)
{
    const auto push = [](std::vector<int>& numbers) { numbers.push_back(7); };
    co_await confined.call(push);
    const auto sum = [](std::vector<int>& numbers) {
        return static_cast<int>(numbers.size()) + numbers.front();
    };
    co_return co_await confined.call(sum);
}

asio::awaitable<void> fail()
{
    throw std::runtime_error("no");
    co_return;
}

asio::awaitable<bool> use_barrier(sojourn::ExceptionBarrier& barrier)
{
    co_return co_await barrier.run(fail);
}

asio::awaitable<sojourn::TimePoint> round_of(std::shared_ptr<std::atomic<int>> rounds)
{
    ++*rounds;
    co_return sojourn::TimePoint::max();
}

} // namespace

TEST_CASE("public_api: what the service is built from serves others too", "[api]")
{
    asio::io_context context;
    sojourn::Confined<std::vector<int>> confined(context.get_executor());
    CHECK(run(context, use_confined(confined)) == 8);
    const sojourn::CallCounts counts = confined.counts();
    CHECK(counts.ran_inline == 2);

    sojourn::ExceptionBarrier barrier("tests");
    CHECK_FALSE(run(context, use_barrier(barrier)));
    CHECK(barrier.failures() == 1);

    const auto rounds = std::make_shared<std::atomic<int>>(0);
    const auto loop = std::make_shared<sojourn::SupervisedLoop>(
        context.get_executor(),
        std::make_shared<sojourn::SystemClock>(),
        "rounds",
        [rounds] { return round_of(rounds); },
        sojourn::FailureReporter()
    );
    loop->ensure_running();
    context.restart();
    context.run_for(50ms);
    CHECK(*rounds == 1);
    CHECK(loop->health().last_success.has_value());
    loop->stop();
    context.restart();
    context.run_for(20s);
    CHECK(context.stopped());
    CHECK_FALSE(loop->health().running);
}

namespace {

asio::awaitable<bool> use_semaphore(sojourn::AsyncSemaphore& semaphore)
{
    sojourn::Result<sojourn::Permit> first = co_await semaphore.acquire();
    sojourn::Permit permit = std::move(first.value());
    const auto second = co_await semaphore.acquire(0s);
    bool is_right = permit && second.error() == sojourn::errc::timed_out;
    is_right = is_right && semaphore.try_acquire().error() == sojourn::errc::overloaded;
    is_right = is_right && semaphore.resize(2).has_value();
    const auto third = co_await semaphore.async_acquire(asio::deferred);
    const auto [fourth] = co_await semaphore.async_acquire(1ms, asio::as_tuple(asio::deferred));
    is_right = is_right && third.has_value() && fourth.error() == sojourn::errc::timed_out;
    permit.release();
    const sojourn::SemaphoreMetrics metrics = co_await semaphore.metrics();
    const sojourn::WaitHistogram& waits = metrics.waits;
    is_right = is_right && metrics.held == 1 && metrics.ledger_holds() && waits.count() == 2;
    const auto again = co_await semaphore.async_metrics(asio::deferred);
    semaphore.close();
    const auto closed = co_await semaphore.acquire();
    co_return is_right&& again == metrics&& closed.error() == sojourn::errc::stopping;
}

} // namespace

TEST_CASE("public_api: a semaphore", "[api]")
{
    asio::io_context context;
    const auto options = sojourn::SemaphoreOptions().permits(1).max_waiters(4).max_wait(10s);
    REQUIRE_FALSE(options.validate());
    sojourn::AsyncSemaphore semaphore(context.get_executor(), options);
    CHECK(run(context, use_semaphore(semaphore)));
}
