/// @file
/// The session service: what a server embeds, one for all its coroutines. It creates, finds,
/// limits, expires, evicts and accounts for sessions. Its tables live behind strands, so that they
/// never race; nothing takes a lock around a session, and a call at an idle strand does not even
/// suspend.

#ifndef SOJOURN_SERVICE_SESSION_SERVICE_HPP
#define SOJOURN_SERVICE_SESSION_SERVICE_HPP

#include "sojourn/async/supervised_loop.hpp"
#include "sojourn/core/acquire_options.hpp"
#include "sojourn/core/create_options.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/core/session_filter.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_info.hpp"
#include "sojourn/core/session_page.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/service/drain_options.hpp"
#include "sojourn/service/drain_report.hpp"
#include "sojourn/service/exclusive_lease.hpp"
#include "sojourn/service/service_environment.hpp"
#include "sojourn/service/service_state.hpp"
#include "sojourn/service/session_lease.hpp"
#include "sojourn/service/weak_lease.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sojourn {

/// What `cleanup` shall end.
enum class CleanupScope : std::uint8_t {
    /// Sessions that have expired.
    expired,
    /// All sessions, those with a cause of `deleted`; leased ones end with their last lease.
    all,
};

/// How a service is doing.
struct Health {
    /// Whether it takes new sessions and requests; it does not once a drain has begun.
    ServiceState state = ServiceState::running;
    /// The coroutine that ends expired sessions.
    LoopHealth cleanup;
    /// How far cleanup is behind: no session has been overdue for longer. Zero if it is not.
    Duration cleanup_lag{};
    /// The coroutine that tells the listeners.
    LoopHealth events;
    /// Listeners that threw or took too long.
    std::uint64_t listener_failures = 0;

    /// Running, and neither background coroutine is failing.
    [[nodiscard]] bool is_ready() const noexcept
    {
        return state == ServiceState::running && cleanup.consecutive_failures == 0 &&
               events.consecutive_failures == 0;
    }
};

/// Options of `SessionService::rotate`, with chained setters.
class RotateOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    RotateOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Whom the session belongs to from now on, for a login; an empty name for nobody, for a logout
    /// that keeps the session. Default: as before.
    RotateOptions& principal(std::string name)
    {
        principal_ = std::move(name);
        return *this;
    }

    [[nodiscard]] const std::optional<std::string>& principal() const noexcept
    {
        return principal_;
    }

private:
    std::optional<std::string> principal_;
};

/// A service for sessions.
///
/// Each operation has two faces over one body: `x(...)` for coroutines, an `awaitable`, and
/// `async_x(..., token)` for any other completion token. Both give a `Result`: what normal traffic
/// produces is a value, and `Error::retry_after` tells where waiting helps.
///
/// *Thread safety*: all members, from any thread. *Lifetime*: may be destroyed before or after its
/// execution context, with operations that wait and leases held. As with any object, not while
/// another thread is inside one of its members or about to enter one, which includes an awaitable
/// that was not awaited yet. The destructor ends nothing
/// gracefully: sessions are gone, and listeners that were not told yet never are, though
/// one that is running goes on; `drain` first. While another thread destroys the execution context,
/// nobody may use the service or release a lease. Until it is drained, the background keeps the
/// execution context busy, so `io_context::run` does not return. *Executor*: a coroutine continues
/// on its own executor and a handler runs on its associated one; never on a strand of the service.
/// *Completion*: exactly once, never inside the initiating function; none if the execution context
/// is destroyed first. *Cancellation*: an operation that is one turn is too short to be cancelled;
/// one that was begun takes effect, and its result is delivered. One of several turns, or that
/// waits in a line, says below what has happened when it ends before its time: with
/// `operation_aborted`, thrown between two turns or given as an error by a wait, if the coroutine
/// that awaits it is cancelled. Each turn that was run has left everything in order. In the
/// `async_` faces it is always an error, and the signal may be emitted in any thread; those that
/// have no effect when cancelled, as their documentation says, accept all types, others `terminal`.
/// *Time limits*: nothing waits for ever that was not asked to. In line: `max_request_wait`,
/// `max_creation_wait`, the limit that is given; five seconds for others who create for the same
/// principal, over several shards. The rest is a number of turns that does not depend on others.
/// *Exceptions*: a turn that finds no memory does nothing and gives an error equal to
/// `std::errc::not_enough_memory`; a coroutine frame or a handler's node that finds none throws
/// `bad_alloc`, before its turn. Once the execution context is destroyed, what needs it throws
/// `boost::asio::execution::bad_executor`: the `async_` faces, `drain`, and what has to wait.
/// *Complexity*: O(1) on average and O(log n) where a session is created or ends, in one turn of
/// less than a microsecond, unless the function says otherwise. *Example*:
/// examples/01_quickstart.cpp.
class SessionService {
public:
    /// Starts a service on `executor`, which may be of any kind.
    ///
    /// *Exceptions*: `boost::system::system_error` with `errc::invalid_options` and a text that
    /// names the first bad option; with `errc::id_source_failed` if there are no random bytes;
    /// `bad_alloc`.
    explicit SessionService(
        const boost::asio::any_io_executor& executor,
        const ServiceOptions& options = ServiceOptions(),
        const ServiceEnvironment& environment = ServiceEnvironment()
    );

    SessionService(const SessionService&) = delete;
    SessionService& operator=(const SessionService&) = delete;
    SessionService(SessionService&&) = delete;
    SessionService& operator=(SessionService&&) = delete;
    ~SessionService();

    [[nodiscard]] const ServiceOptions& options() const noexcept;

    /// Creates a session and leases it. Checked in this order, and before anything is made: whether
    /// the client may create one (`ServiceOptions::creation_rate`); whether there is room among the
    /// half-open sessions, or among those of the principal; whether there is room at all, for a
    /// session and for its attributes. Where there is none, sessions that have expired make room
    /// first; then `ServiceOptions::when_full` decides. No answer tells how many there are.
    ///
    /// *Errors*: `stopping`; `rate_limited` with the exact `retry_after`; `overloaded`;
    /// `id_source_failed`; `attributes_too_large`; `principal_too_long`; `invalid_options` if a
    /// timeout, the rate or the peer is out of bounds; `id_in_use` or `invalid_id`, if it is empty,
    /// for an adopted id. Nothing was created then.
    ///
    /// *Cancellation*: while it waits for room (`WhenFull::wait`) or, over several shards, for
    /// others who create for the same principal, and between turns. Nothing was created then; the
    /// creation has been counted against its rate, and over several shards somebody may have made
    /// room in vain.
    [[nodiscard]] boost::asio::awaitable<Result<CreatedSession>>
    create(CreateOptions options = CreateOptions());

    /// Acquires a lease on the session with this id: finds it, counts the request against its rate,
    /// and keeps it from being evicted or expired until the lease is released.
    ///
    /// If `ServiceOptions::max_in_flight` requests hold leases, it then waits for one of them to be
    /// released. That makes those wait who have a session and keep to its rate, and nobody else;
    /// the request has been counted by then, and the session cannot go.
    ///
    /// *Errors*: `not_found`; `rate_limited` with the exact `retry_after`, and the session is
    /// neither touched nor leased; `overloaded` if too many wait already, or it took longer than
    /// `max_request_wait`, or at once if the session has `max_in_flight_per_session` already;
    /// `stopping`.
    ///
    /// *Cancellation*: while it waits, by any type, with an error equal to
    /// `boost::asio::error::operation_aborted`. The request has been counted; the session is not
    /// leased by it any more. A cancellation that comes after the permit has been granted comes too
    /// late, and the lease is delivered.
    [[nodiscard]] boost::asio::awaitable<Result<SessionLease>> acquire(SessionId id);

    /// The same for a request of which more is known: see `AcquireOptions`. *Errors*: also
    /// `rate_limited` instead of `not_found`, with the exact `retry_after`, if its peer has guessed
    /// too often; `invalid_options` if the peer is too long.
    [[nodiscard]] boost::asio::awaitable<Result<SessionLease>>
    acquire(SessionId id, AcquireOptions options);

    /// `acquire` for requests of one session that must not overlap: waits until nobody else has an
    /// exclusive lease on it, first come, first served, for no longer than `limit`, by default
    /// `max_request_wait`; `Duration::max()` waits for ever. Then it waits for a permit as
    /// `acquire` does, within the same limit. Those who wait are in flight: they count against
    /// `max_in_flight_per_session`, and the session cannot go. Takes two turns more than `acquire`.
    /// *Cancellation*: any type, while it waits; the request has been counted by then, and nothing
    /// else has happened. One that is granted its turn at the same time is delivered.
    ///
    /// *Errors*: those of `acquire`; `timed_out`; `not_found` also if the session ended meanwhile.
    [[nodiscard]] boost::asio::awaitable<Result<ExclusiveLease>> acquire_exclusive(SessionId id);
    [[nodiscard]] boost::asio::awaitable<Result<ExclusiveLease>>
    acquire_exclusive(SessionId id, Duration limit);

    /// Acquires a weak lease on the session, for a stream that stays open: see `WeakLease`. Counts
    /// as one request, and its time in use begins anew. A session may have 63 of them.
    ///
    /// *Errors*: `not_found`; `rate_limited` with the exact `retry_after`; `overloaded`;
    /// `stopping`.
    [[nodiscard]] boost::asio::awaitable<Result<WeakLease>> acquire_weak(SessionId id);

    /// Tells of a session without touching it or counting a request. *Errors*: `not_found`.
    [[nodiscard]] boost::asio::awaitable<Result<SessionInfo>> peek(SessionId id);

    /// Begins a session's idle time anew, as the end of a first request does too, but without a
    /// lease and without counting a request. *Errors*: `not_found`.
    [[nodiscard]] boost::asio::awaitable<Result<SessionInfo>> touch(SessionId id);

    /// Gives the session a new id, as must be done at login and whenever privileges change. From
    /// that turn on the old id is unknown. Everything else stays: reference, attributes, deadlines,
    /// rate, leases.
    ///
    /// A new principal counts as in `create`: its least recently used session makes room.
    ///
    /// *Errors*: `not_found`; `overloaded`; `id_source_failed`; `principal_too_long`; `stopping`,
    /// for a new principal over several shards, once a drain has begun. The old id is valid then.
    ///
    /// *Cancellation*: with a new principal, over several shards, before its last turn. The old id
    /// is valid then; a session of that principal may have made room in vain.
    [[nodiscard]] boost::asio::awaitable<Result<SessionId>>
    rotate(SessionId id, RotateOptions options = RotateOptions());

    /// Ends the session: at once, or with its last lease if it is leased; either way nobody can
    /// acquire it any more. *Errors*: `not_found`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> remove(SessionId id);

    /// Ends all sessions of a principal, and returns how many those were. O(their number), in turns
    /// of `cleanup_batch`. A session that is created meanwhile may survive. *Cancellation*: between
    /// turns; those that were ended are.
    [[nodiscard]] boost::asio::awaitable<Result<std::size_t>>
    remove_by_principal(std::string principal);

    /// A page of sessions, for an administrator. See `SessionPage`. O(all sessions) in the worst
    /// case, when the filter means few, in turns of at most 4,096 slots. *Cancellation*: between
    /// turns; it has changed nothing.
    [[nodiscard]] boost::asio::awaitable<Result<SessionPage>>
    list(ListOptions options = ListOptions());

    /// How many sessions the filter means. One that is created, used or ends meanwhile may count or
    /// not. O(all sessions), in turns of at most 4,096 slots. *Cancellation*: between turns; it has
    /// changed nothing.
    [[nodiscard]] boost::asio::awaitable<Result<std::size_t>> count(SessionFilter filter);

    /// Ends the sessions that the filter means, each as `remove` does, and returns how many. A
    /// session that is created meanwhile may survive, and one that is used meanwhile too, if the
    /// filter asks for idle ones. O(all sessions), in turns of `cleanup_batch` sessions and at most
    /// 4,096 slots. *Cancellation*: between turns; those that were ended are.
    [[nodiscard]] boost::asio::awaitable<Result<std::size_t>> remove_matching(SessionFilter filter);

    /// The session's attributes and their version. Touches nothing. *Errors*: `not_found`.
    [[nodiscard]] boost::asio::awaitable<Result<AttributeSnapshot>> snapshot(SessionId id);

    /// Replaces the session's attributes if their version is still `expected_version`, and returns
    /// the new version. Touches nothing else.
    ///
    /// *Errors*: `conflict`; `not_found`; `attributes_too_large`; `overloaded`, if all sessions'
    /// attributes together would be too large and no idle session can make room. Nothing was
    /// written then.
    [[nodiscard]] boost::asio::awaitable<Result<std::uint64_t>>
    commit(SessionId id, std::uint64_t expected_version, Attributes data);

    /// Changes the session's attributes: takes a snapshot, lets `change` work on a copy, commits,
    /// and starts over if another commit came between. `change` runs on the caller's executor, off
    /// every strand, perhaps more than once; what it throws comes out here, and nothing is written.
    /// (In `async_modify` it runs on the service's executor, and what it throws becomes an error:
    /// the code of a `system_error`, else `std::errc::operation_canceled`, and `on_failure` is
    /// told.)
    ///
    /// *Errors*: those of `commit`; `conflict` only after 64 attempts in vain. *Cancellation*:
    /// between turns; nothing was written then.
    [[nodiscard]] boost::asio::awaitable<Result<AttributeSnapshot>>
    modify(SessionId id, std::function<void(Attributes&)> change);

    /// A page of a session's frames, those that its leases have recorded: see `FrameQuery` and
    /// `FramePage`. A session that was rotated has those of before too; one that was removed has
    /// none, even while it is leased. Touches nothing. O(all sessions) to find the session by its
    /// reference, in turns of at most 4,096 slots, and one more, O(log n) and 1,000 frames at most;
    /// a lease knows where it is. *Errors*: `not_found`; `not_recorded`, if the service records
    /// none; `stopping` once it is destroyed. *Cancellation*: between turns; it has changed
    /// nothing.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    frames(SessionReference reference, FrameQuery query = FrameQuery());

    /// The same, but waits until there is a frame on the page. 64 may wait for one session; each
    /// costs a turn whenever that has another frame. *Errors*: also `not_found` when the session
    /// ends meanwhile, and whoever follows it is done; `overloaded`, at once, if as many wait as
    /// may. *Cancellation*: while it waits, by any type, with an error equal to
    /// `boost::asio::error::operation_aborted`; it has changed nothing.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    next_frames(SessionReference reference, FrameQuery query = FrameQuery());

    /// Ends expired sessions now, or all sessions, and returns how many. The background does the
    /// former by itself. A session that is created meanwhile may survive. O(n log n), in turns of
    /// `cleanup_batch` between which others run. *Cancellation*: between turns; those that were
    /// ended are.
    [[nodiscard]] boost::asio::awaitable<Result<std::size_t>>
    cleanup(CleanupScope scope = CleanupScope::expired);

    /// The counters. Each shard's are taken in one turn, so the ledger holds in every snapshot.
    /// *Cancellation*: between turns; it has changed nothing.
    [[nodiscard]] boost::asio::awaitable<Result<Metrics>> metrics();

    /// The requests that hold one of `ServiceOptions::max_in_flight`, those that wait for it, and
    /// how long they waited. Where there is no such limit nobody counts them, and all is zero, the
    /// limit too.
    [[nodiscard]] boost::asio::awaitable<Result<SemaphoreMetrics>> in_flight();

    /// How the service is doing. *Cancellation*: between turns; it has changed nothing.
    [[nodiscard]] boost::asio::awaitable<Result<Health>> health();

    /// Where the service stands. Waits for nothing, so it is what a readiness probe may ask.
    [[nodiscard]] ServiceState state() const noexcept;

    /// Drains the service, which is final. From the moment in which this begins (before it is
    /// suspended first, where it is awaited) the service is `draining`, and so not ready. Nobody
    /// gets in any more: creations and acquires are refused with `stopping`, and so are those who
    /// wait in a line of the service's own. Sessions that nobody leases end with `drained`; others
    /// may still be looked at and changed, and end when their last lease is given back. Listeners
    /// go on being told. Once all sessions have ended and all listeners returned, the background is
    /// ended and the service is `closed`.
    ///
    /// If that takes longer than `DrainOptions::limit`, and sessions are leased, the service is
    /// `cancelling`: these sessions are closing, as if they were removed. If something is still
    /// left after `DrainOptions::cancel_grace`, it is left behind: sessions end with their lease,
    /// no listener is told any more, and the report says how many there are.
    ///
    /// May be called at the same time and again: all tell the same report, the earliest of their
    /// moments counts, and once the service is closed none waits. A listener may begin a drain
    /// (`async_drain`); one that awaits it waits for itself, until the limit and the grace are
    /// over.
    ///
    /// *Errors*: one equal to `boost::asio::error::operation_aborted` if the service is destroyed
    /// while there is still something to wait for; `std::errc::not_enough_memory`, and then the
    /// drain may be called again, and goes on where it was. *Cancellation*: ignored once it has
    /// begun; a drain with a shorter limit hurries it. *Complexity*: O(all sessions), in turns of
    /// `cleanup_batch`.
    [[nodiscard]] boost::asio::awaitable<Result<DrainReport>>
    drain(DrainOptions options = DrainOptions());

    /// The same with this limit, and the default grace.
    [[nodiscard]] boost::asio::awaitable<Result<DrainReport>> drain(Duration limit);

    // The same with any completion token, completing with void(Result<...>).

    template <boost::asio::completion_token_for<void(Result<CreatedSession>)> Token>
    auto async_create(CreateOptions options, Token&& token)
    {
        return initiate<CreatedSession>(token, &SessionService::start_create, std::move(options));
    }

    template <boost::asio::completion_token_for<void(Result<SessionLease>)> Token>
    auto async_acquire(SessionId id, Token&& token)
    {
        return initiate<SessionLease>(token, &SessionService::start_acquire, std::move(id));
    }

    template <boost::asio::completion_token_for<void(Result<SessionLease>)> Token>
    auto async_acquire(SessionId id, AcquireOptions options, Token&& token)
    {
        return initiate<SessionLease>(
            token, &SessionService::start_acquire_for, std::move(id), std::move(options)
        );
    }

    template <boost::asio::completion_token_for<void(Result<ExclusiveLease>)> Token>
    auto async_acquire_exclusive(SessionId id, Duration limit, Token&& token)
    {
        return initiate<ExclusiveLease>(
            token, &SessionService::start_acquire_exclusive, std::move(id), limit
        );
    }

    template <boost::asio::completion_token_for<void(Result<WeakLease>)> Token>
    auto async_acquire_weak(SessionId id, Token&& token)
    {
        return initiate<WeakLease>(token, &SessionService::start_acquire_weak, std::move(id));
    }

    template <boost::asio::completion_token_for<void(Result<SessionInfo>)> Token>
    auto async_peek(SessionId id, Token&& token)
    {
        return initiate<SessionInfo>(token, &SessionService::start_peek, std::move(id));
    }

    template <boost::asio::completion_token_for<void(Result<SessionInfo>)> Token>
    auto async_touch(SessionId id, Token&& token)
    {
        return initiate<SessionInfo>(token, &SessionService::start_touch, std::move(id));
    }

    template <boost::asio::completion_token_for<void(Result<SessionId>)> Token>
    auto async_rotate(SessionId id, RotateOptions options, Token&& token)
    {
        return initiate<SessionId>(
            token, &SessionService::start_rotate, std::move(id), std::move(options)
        );
    }

    template <boost::asio::completion_token_for<void(Result<void>)> Token>
    auto async_remove(SessionId id, Token&& token)
    {
        return initiate<void>(token, &SessionService::start_remove, std::move(id));
    }

    template <boost::asio::completion_token_for<void(Result<std::size_t>)> Token>
    auto async_remove_by_principal(std::string principal, Token&& token)
    {
        return initiate<std::size_t>(
            token, &SessionService::start_remove_by_principal, std::move(principal)
        );
    }

    template <boost::asio::completion_token_for<void(Result<SessionPage>)> Token>
    auto async_list(ListOptions options, Token&& token)
    {
        return initiate<SessionPage>(token, &SessionService::start_list, std::move(options));
    }

    template <boost::asio::completion_token_for<void(Result<std::size_t>)> Token>
    auto async_count(SessionFilter filter, Token&& token)
    {
        return initiate<std::size_t>(token, &SessionService::start_count, std::move(filter));
    }

    template <boost::asio::completion_token_for<void(Result<std::size_t>)> Token>
    auto async_remove_matching(SessionFilter filter, Token&& token)
    {
        return initiate<std::size_t>(
            token, &SessionService::start_remove_matching, std::move(filter)
        );
    }

    template <boost::asio::completion_token_for<void(Result<AttributeSnapshot>)> Token>
    auto async_snapshot(SessionId id, Token&& token)
    {
        return initiate<AttributeSnapshot>(token, &SessionService::start_snapshot, std::move(id));
    }

    template <boost::asio::completion_token_for<void(Result<std::uint64_t>)> Token>
    auto async_commit(SessionId id, std::uint64_t expected_version, Attributes data, Token&& token)
    {
        return initiate<std::uint64_t>(
            token, &SessionService::start_commit, std::move(id), expected_version, std::move(data)
        );
    }

    template <boost::asio::completion_token_for<void(Result<AttributeSnapshot>)> Token>
    auto async_modify(SessionId id, std::function<void(Attributes&)> change, Token&& token)
    {
        return initiate<AttributeSnapshot>(
            token, &SessionService::start_modify, std::move(id), std::move(change)
        );
    }

    template <boost::asio::completion_token_for<void(Result<FramePage>)> Token>
    auto async_frames(SessionReference reference, FrameQuery query, Token&& token)
    {
        return initiate<FramePage>(token, &SessionService::start_frames, reference, query);
    }

    template <boost::asio::completion_token_for<void(Result<FramePage>)> Token>
    auto async_next_frames(SessionReference reference, FrameQuery query, Token&& token)
    {
        return initiate<FramePage>(token, &SessionService::start_next_frames, reference, query);
    }

    template <boost::asio::completion_token_for<void(Result<std::size_t>)> Token>
    auto async_cleanup(CleanupScope scope, Token&& token)
    {
        return initiate<std::size_t>(token, &SessionService::start_cleanup, scope);
    }

    template <boost::asio::completion_token_for<void(Result<Metrics>)> Token>
    auto async_metrics(Token&& token)
    {
        return initiate<Metrics>(token, &SessionService::start_metrics);
    }

    template <boost::asio::completion_token_for<void(Result<SemaphoreMetrics>)> Token>
    auto async_in_flight(Token&& token)
    {
        return initiate<SemaphoreMetrics>(token, &SessionService::start_in_flight);
    }

    template <boost::asio::completion_token_for<void(Result<Health>)> Token>
    auto async_health(Token&& token)
    {
        return initiate<Health>(token, &SessionService::start_health);
    }

    template <boost::asio::completion_token_for<void(Result<DrainReport>)> Token>
    auto async_drain(DrainOptions options, Token&& token)
    {
        return initiate<DrainReport>(token, &SessionService::start_drain, options);
    }

    template <boost::asio::completion_token_for<void(Result<DrainReport>)> Token>
    auto async_drain(Duration limit, Token&& token)
    {
        return initiate<DrainReport>(
            token, &SessionService::start_drain, DrainOptions().limit(limit)
        );
    }

private:
    class Implementation; // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final.
    using Self = std::shared_ptr<Implementation>;

    template <class T>
    using Handler = boost::asio::any_completion_handler<void(Result<T>)>;

    template <class T, class Token, class Start, class... Args>
    auto initiate(Token& token, Start start, Args... args) const
    {
        // A token may start the operation later, when this object is gone.
        return boost::asio::async_initiate<Token, void(Result<T>)>(
            [self = implementation_, start](auto handler, Args... arguments) {
                start(self, std::move(arguments)..., Handler<T>(std::move(handler)));
            },
            token,
            std::move(args)...
        );
    }

    static void
    start_create(const Self& self, const CreateOptions& options, Handler<CreatedSession> handler);
    static void start_acquire(const Self& self, SessionId id, Handler<SessionLease> handler);
    static void start_acquire_for(
        const Self& self, SessionId id, AcquireOptions options, Handler<SessionLease> handler
    );
    static void start_acquire_exclusive(
        const Self& self, SessionId id, Duration limit, Handler<ExclusiveLease> handler
    );
    static void start_acquire_weak(const Self& self, SessionId id, Handler<WeakLease> handler);
    static void start_peek(const Self& self, SessionId id, Handler<SessionInfo> handler);
    static void start_touch(const Self& self, SessionId id, Handler<SessionInfo> handler);
    static void start_rotate(
        const Self& self, SessionId id, const RotateOptions& options, Handler<SessionId> handler
    );
    static void start_remove(const Self& self, SessionId id, Handler<void> handler);
    static void start_remove_by_principal(
        const Self& self, std::string principal, Handler<std::size_t> handler
    );
    static void start_list(const Self& self, ListOptions options, Handler<SessionPage> handler);
    static void start_count(const Self& self, SessionFilter filter, Handler<std::size_t> handler);
    static void
    start_remove_matching(const Self& self, SessionFilter filter, Handler<std::size_t> handler);
    static void start_snapshot(const Self& self, SessionId id, Handler<AttributeSnapshot> handler);
    static void start_commit(
        const Self& self,
        SessionId id,
        std::uint64_t expected_version,
        Attributes data,
        Handler<std::uint64_t> handler
    );
    static void start_modify(
        const Self& self,
        SessionId id,
        std::function<void(Attributes&)> change,
        Handler<AttributeSnapshot> handler
    );
    static void start_frames(
        const Self& self,
        SessionReference reference,
        const FrameQuery& query,
        Handler<FramePage> handler
    );
    static void start_next_frames(
        const Self& self,
        SessionReference reference,
        const FrameQuery& query,
        Handler<FramePage> handler
    );
    static void start_cleanup(const Self& self, CleanupScope scope, Handler<std::size_t> handler);
    static void start_metrics(const Self& self, Handler<Metrics> handler);
    static void start_in_flight(const Self& self, Handler<SemaphoreMetrics> handler);
    static void start_health(const Self& self, Handler<Health> handler);
    static void
    start_drain(const Self& self, const DrainOptions& options, Handler<DrainReport> handler);

    Self implementation_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_SERVICE_HPP
