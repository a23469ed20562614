// What went through a session: a stream that is cut, a client that comes back and has what it
// missed, and an administrator who looks on.

#include <sojourn/sojourn.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace {

/// What a client has received.
using Client = std::vector<std::string>;

// [send]
// Sends a message over one of the session's streams. It has the frame's number, such as an event of
// server-sent events has in `id`, which the client tells when it comes back. Returns that number.
asio::awaitable<std::uint64_t>
send(sojourn::WeakLease& lease, std::uint32_t stream, std::string message, Client& client)
{
    const auto number = co_await lease.record(sojourn::FrameDirection::to_client, message, stream);
    client.push_back(std::move(message)); // if it is still connected
    co_return number.value();
}

// [/send]

// [replay]
// A client that lost its stream comes back, and had everything up to this number. Returns whether
// it missed something that is not kept any more.
asio::awaitable<bool>
replay(sojourn::WeakLease& lease, std::uint32_t stream, std::uint64_t last, Client& client)
{
    auto query = sojourn::FrameQuery().after(last).stream(stream);
    bool has_missed_some = false;
    for (;;) {
        const auto page = co_await lease.frames(query);
        if (!page) {
            co_return true; // The session has ended.
        }
        has_missed_some = has_missed_some || page->first_kept > query.after() + 1;
        for (const auto& frame : page->frames) {
            client.push_back(frame->payload);
        }
        query.after(page->next);
        if (page->next == page->newest) {
            co_return has_missed_some;
        }
    }
}

// [/replay]

// [follow]
// An administrator who looks at what a client does, until the session ends.
asio::awaitable<void>
look_on(sojourn::SessionService& sessions, sojourn::SessionReference reference, Client& seen)
{
    sojourn::FrameQuery query;
    for (;;) {
        const auto page = co_await sessions.next_frames(reference, query);
        if (!page) {
            co_return;
        }
        for (const auto& frame : page->frames) {
            seen.push_back(frame->payload);
        }
        query.after(page->next);
    }
}

// [/follow]

struct Log {
    Client first;
    Client second;
    Client seen;
    bool has_missed_some = true;
    bool has_looked = false;
};

asio::awaitable<void> run(sojourn::SessionService& sessions, Log& log)
{
    const auto executor = co_await asio::this_coro::executor;
    auto created = co_await sessions.create();
    const auto id = created.value().id;
    const auto reference = created->lease.info().reference;
    asio::co_spawn(executor, look_on(sessions, reference, log.seen), [&](const auto& failure) {
        log.has_looked = !failure;
    });

    auto acquired = co_await sessions.acquire_weak(id);
    auto& lease = acquired.value();
    const auto last = co_await send(lease, 1, "one", log.first);
    Client nobody;
    (void)co_await send(lease, 1, "two", nobody);
    (void)co_await send(lease, 2, "of another stream", nobody);
    (void)co_await send(lease, 1, "three", nobody);

    log.has_missed_some = co_await replay(lease, 1, last, log.second);
    // Whoever looks on may be a little behind, and nothing is left once the session has ended.
    const auto all = co_await lease.frames();
    while (log.seen.size() < all.value().frames.size()) {
        co_await asio::post(asio::use_awaitable);
    }
    const auto removed = co_await sessions.remove(id);
    std::cout << "it was sent " << log.first.size() << ", then " << log.second.size()
              << " again; the administrator has seen " << log.seen.size()
              << (removed ? ".\n" : "?\n");
}

} // namespace

int main()
{
    asio::io_context context;
    sojourn::SessionService sessions(
        context.get_executor(), sojourn::ServiceOptions().max_frames_per_session(100)
    );
    Log log;
    bool went_well = false;
    asio::co_spawn(context, run(sessions, log), [&](const std::exception_ptr& failure) {
        went_well = !failure && log.second == Client{"two", "three"} && !log.has_missed_some;
        sessions.async_drain(sojourn::Duration::zero(), [](const auto&) {});
    });
    context.run();
    return went_well && log.has_looked ? EXIT_SUCCESS : EXIT_FAILURE;
}
