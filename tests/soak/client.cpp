#include "soak/client.hpp"

#include <sojourn/service/session_service.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

namespace asio = boost::asio;
using boost::asio::awaitable;
using boost::asio::experimental::awaitable_operators::operator||;
using namespace std::chrono_literals;

namespace sojourn::tests::soak {

namespace {

awaitable<void> sleep(Duration length)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, length);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Counts who waits, for as long as it lives.
class Waiting {
public:
    explicit Waiting(Counts& counts) : counts_(counts) { ++counts_.waiting; }

    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    Waiting(Waiting&&) = delete;
    Waiting& operator=(Waiting&&) = delete;

    ~Waiting() { --counts_.waiting; }

private:
    Counts& counts_;
};

/// A change of attributes that fails, as a user's may.
struct ChangedItsMind : std::runtime_error {
    ChangedItsMind() : std::runtime_error("a change's own") {}
};

/// What an awaitable gives, or nothing if it takes longer than that: then it is cancelled. Who is
/// cancelled meanwhile himself gets one exception, where two awaitables together have two.
template <class T>
awaitable<std::optional<Result<T>>> within(awaitable<Result<T>> wanted, Duration length)
{
    auto patience = sleep(length);
    try {
        auto first = co_await (std::move(wanted) || std::move(patience));
        if (auto* const result = std::get_if<0>(&first)) {
            co_return std::move(*result);
        }
        co_return std::nullopt;
    } catch (const asio::multiple_exceptions& both) {
        std::rethrow_exception(both.first_exception());
    }
}

} // namespace

awaitable<void> Client::run(std::unique_ptr<Client> self)
{
    while (self->scene_.is_open && !self->is_stopped_) {
        if (self->one_in(4)) {
            co_await self->visit_and_vanish();
        } else {
            co_await self->visit();
        }
        co_await sleep(self->up_to(20ms));
    }
}

awaitable<void> Client::visit_and_vanish()
{
    auto visit = this->visit();
    auto patience = sleep(up_to(3ms));
    const auto first = co_await (std::move(visit) || std::move(patience));
    scene_.counts.vanished += first.index();
}

awaitable<void> Client::visit()
{
    Leases leases;
    try {
        for (auto steps = 1 + random_() % 12; steps > 0 && !is_stopped_; --steps) {
            ++scene_.counts.operations;
            co_await step(leases);
            if (leases.size() > 2) {
                leases.erase(leases.begin());
            }
        }
    } catch (const boost::system::system_error& failure) {
        // Thrown into those who vanish.
        if (failure.code() != asio::error::operation_aborted) {
            scene_.faults.add(std::string("a visit threw: ") + failure.what());
        }
    } catch (const std::exception& failure) {
        scene_.faults.add(std::string("a visit threw: ") + failure.what());
    }
}

awaitable<void> Client::step(Leases& leases)
{
    const auto drawn = random_() % 100;
    if (drawn < 12) {
        return create(leases);
    }
    if (drawn < 47) {
        return acquire(leases);
    }
    if (drawn < 54) {
        return acquire_exclusive();
    }
    if (drawn < 59) {
        return stream();
    }
    if (drawn < 60) {
        return wait_until_closed();
    }
    if (drawn < 62) {
        return guess();
    }
    if (drawn < 76) {
        return look();
    }
    if (drawn < 82) {
        return rotate();
    }
    if (drawn < 94) {
        return change();
    }
    return drawn < 96 ? end() : administer();
}

awaitable<void> Client::create(Leases& leases)
{
    CreateOptions wish;
    if (one_in(2)) {
        wish.principal(any_principal());
    }
    if (one_in(3)) {
        wish.peer(any_peer());
    }
    if (one_in(2)) {
        wish.attributes(Attributes{{"text", any_text()}});
    }
    if (one_in(4)) {
        wish.idle_timeout(1ms + up_to(300ms)).absolute_lifetime(1ms + up_to(600ms));
    }
    if (one_in(4)) {
        wish.request_rate(RateLimit(20, 5));
    }
    if (one_in(20)) {
        wish.adopt(SessionId::parse("upstream-" + std::to_string(random_() % 500)).value());
    }
    ++scene_.counts.creations;
    auto created = co_await scene_.service.create(wish);
    judge(created.error(), "create");
    if (created) {
        ++scene_.counts.created;
        scene_.ids.add(created->id, random_());
        leases.push_back(std::move(created->lease));
    }
}

awaitable<void> Client::acquire(Leases& leases)
{
    AcquireOptions wish;
    if (one_in(4)) {
        wish.peer(any_peer());
    }
    const auto begin = std::chrono::steady_clock::now();
    Result<SessionLease> lease = errc::not_found;
    {
        const Waiting waiting(scene_.counts);
        lease = co_await scene_.service.acquire(any_id(), wish);
    }
    judge(lease.error(), "acquire");
    if (!lease) {
        co_return;
    }
    ++scene_.counts.leases;
    scene_.latencies.add(std::chrono::steady_clock::now() - begin);
    if (one_in(2)) {
        co_await record(*lease);
    }
    if (one_in(8)) {
        leases.push_back(std::move(*lease));
    } else if (one_in(2)) {
        co_await sleep(up_to(one_in(20) ? 10ms : 1ms));
    }
}

awaitable<void> Client::acquire_exclusive()
{
    Result<ExclusiveLease> lease = errc::not_found;
    {
        const Waiting waiting(scene_.counts);
        lease = co_await scene_.service.acquire_exclusive(any_id(), up_to(5ms));
    }
    judge(lease.error(), "acquire_exclusive");
    if (lease) {
        ++scene_.counts.leases;
        co_await sleep(up_to(1ms));
    }
}

awaitable<void> Client::stream()
{
    auto weak = co_await scene_.service.acquire_weak(any_id());
    judge(weak.error(), "acquire_weak");
    if (!weak) {
        co_return;
    }
    ++scene_.counts.leases;
    for (auto chunks = random_() % 4; chunks > 0; --chunks) {
        co_await sleep(up_to(1ms));
        judge((co_await weak->touch()).error(), "WeakLease::touch");
        co_await record(*weak);
    }
    if (one_in(2)) {
        (void)co_await within(weak->closed(), up_to(5ms));
    } else {
        co_await follow(*weak);
    }
    co_await read(weak->info().reference);
}

/// One message, of a few hundred bytes.
template <class Lease>
awaitable<void> Client::record(Lease& lease)
{
    const auto direction = one_in(2) ? FrameDirection::from_client : FrameDirection::to_client;
    const auto stream = static_cast<std::uint32_t>(random_() % 2);
    ++scene_.counts.recordings;
    const auto number = co_await lease.record(direction, any_text(), stream);
    scene_.counts.recorded += number ? 1 : 0;
    judge(number.error(), "record");
}

/// A few pages, as they come, of what there was before too.
awaitable<void> Client::follow(const WeakLease& weak)
{
    FrameQuery query;
    for (auto pages = 1 + random_() % 4; pages > 0; --pages) {
        auto next = one_in(2) ? weak.next_frames(query)
                              : scene_.service.next_frames(weak.info().reference, query);
        const auto page = co_await within(std::move(next), up_to(5ms));
        if (!page) {
            co_return;
        }
        judge(page->error(), "next_frames");
        if (!*page) {
            co_return;
        }
        judge(**page, query.after());
        if ((*page)->frames.empty()) {
            scene_.faults.add("who follows a session was told of nothing");
        }
        ++scene_.counts.followed;
        query.after((*page)->next);
    }
}

/// All that there is.
awaitable<void> Client::read(SessionReference reference)
{
    auto query = FrameQuery().limit(1 + random_() % 10);
    for (bool has_more = true; has_more;) {
        const auto page = co_await scene_.service.frames(reference, query);
        judge(page.error(), "frames");
        if (page) {
            judge(*page, query.after());
            query.after(page->next);
        }
        has_more = page && page->next < page->newest;
    }
}

awaitable<void> Client::wait_until_closed()
{
    auto id = any_id();
    auto lease = co_await scene_.service.acquire(id);
    judge(lease.error(), "acquire");
    if (!lease) {
        co_return;
    }
    ++scene_.counts.leases;
    if (one_in(2)) {
        judge((co_await scene_.service.remove(std::move(id))).error(), "remove");
    }
    (void)co_await within(lease->closed(), up_to(2ms));
}

awaitable<void> Client::guess()
{
    auto wish = AcquireOptions().peer(any_peer());
    auto id = SessionId::parse("no-such-session-" + std::to_string(random_())).value();
    const auto lease = co_await scene_.service.acquire(std::move(id), wish);
    judge(lease.error(), "acquire");
    if (lease) {
        scene_.faults.add("a guess was answered with a lease");
    }
}

awaitable<void> Client::look()
{
    auto& service = scene_.service;
    switch (random_() % 4) {
    case 0:
        judge((co_await service.peek(any_id())).error(), "peek");
        break;
    case 1:
        judge((co_await service.touch(any_id())).error(), "touch");
        break;
    case 2:
        judge((co_await service.snapshot(any_id())).error(), "snapshot");
        break;
    default:
        (void)service.state();
        judge((co_await service.health()).error(), "health");
    }
}

awaitable<void> Client::rotate()
{
    RotateOptions wish;
    if (one_in(2)) {
        // A login or, sometimes, a logout.
        wish.principal(one_in(4) ? "" : any_principal());
    }
    const auto fresh = co_await scene_.service.rotate(any_id(), wish);
    judge(fresh.error(), "rotate");
    if (fresh) {
        ++scene_.counts.rotated;
        scene_.ids.add(*fresh, random_());
    }
}

awaitable<void> Client::change()
{
    auto& service = scene_.service;
    auto id = any_id();
    if (one_in(2)) {
        const auto before = co_await service.snapshot(id);
        judge(before.error(), "snapshot");
        if (before) {
            auto data = before->data;
            data.set("text", any_text());
            const auto version = co_await service.commit(id, before->version, std::move(data));
            judge(version.error(), "commit");
            scene_.counts.committed += version ? 1 : 0;
        }
        co_return;
    }
    std::function<void(Attributes&)> set = [this](Attributes& attributes) {
        if (one_in(20)) {
            throw ChangedItsMind();
        }
        attributes.set("text", any_text());
    };
    try {
        const auto changed = co_await service.modify(std::move(id), std::move(set));
        judge(changed.error(), "modify");
        scene_.counts.committed += changed ? 1 : 0;
    } catch (const ChangedItsMind&) { // NOLINT(bugprone-empty-catch): nothing was written
    }
}

awaitable<void> Client::end()
{
    auto& service = scene_.service;
    if (one_in(20)) {
        judge(
            (co_await service.remove_by_principal(any_principal())).error(), "remove_by_principal"
        );
    } else {
        judge((co_await service.remove(any_id())).error(), "remove");
    }
}

awaitable<void> Client::administer()
{
    auto& service = scene_.service;
    const auto drawn = random_() % 20'000;
    if (drawn < 2'000) {
        auto wish = ListOptions().limit(50);
        if (one_in(2)) {
            wish.filter(SessionFilter().principal(any_principal()));
        }
        for (bool has_more = true; has_more;) {
            const auto page = co_await service.list(wish);
            judge(page.error(), "list");
            has_more = page && page->next;
            if (has_more) {
                wish.after(*page->next);
            }
        }
    } else if (drawn < 2'001) {
        judge((co_await service.cleanup(CleanupScope::all)).error(), "cleanup");
    } else if (drawn < 8'000) {
        judge((co_await service.cleanup()).error(), "cleanup");
    } else {
        const auto metrics = co_await service.metrics();
        judge(metrics.error(), "metrics");
        if (metrics && !(metrics->ledger_holds() && metrics->leased <= metrics->live)) {
            scene_.faults.add("the ledger does not hold in metrics that a client asked for");
        }
    }
}

void Client::judge(const Error& error, std::string_view operation)
{
    is_stopped_ = is_stopped_ || error == errc::stopping;
    scene_.faults.judge(error, operation);
}

/// The next page goes on where this one ends, so nobody reads a frame twice.
void Client::judge(const FramePage& page, std::uint64_t after)
{
    auto before = std::max(after, page.first_kept - 1);
    for (const auto& frame : page.frames) {
        if (frame->sequence <= before) {
            scene_.faults.add("a frame is on a page after one that is newer");
        }
        before = frame->sequence;
    }
    if (page.next < before || page.newest - page.dropped > max_frames_per_session) {
        scene_.faults.add("a page of frames goes back, or its session has too many");
    }
}

SessionId Client::any_id()
{
    return scene_.ids.pick(random_());
}

std::string Client::any_principal()
{
    return "user-" + std::to_string(random_() % 200);
}

std::string Client::any_peer()
{
    return "192.0.2." + std::to_string(random_() % 250);
}

std::string Client::any_text()
{
    return std::string(random_() % 500, 'x');
}

Duration Client::up_to(Duration length)
{
    return Duration(static_cast<Duration::rep>(
        random_() % static_cast<std::uint64_t>(std::max<Duration::rep>(length.count(), 1))
    ));
}

} // namespace sojourn::tests::soak
