#include "faults/operations.hpp"

#include <chrono>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

template <class T>
asio::awaitable<Error> error_of(asio::awaitable<Result<T>> operation)
{
    const auto result = co_await std::move(operation);
    co_return result.error();
}

/// With both faces.
template <class Call, class Start>
Operation operation(std::string_view name, Call call, Start start)
{
    Operation made;
    made.name = name;
    made.call = [call](World& world) { return error_of(call(world)); };
    made.start = start;
    return made;
}

/// For coroutines alone.
template <class Call>
Operation operation(std::string_view name, Call call)
{
    Operation made;
    made.name = name;
    made.call = [call](World& world) { return error_of(call(world)); };
    return made;
}

/// What a service does by itself, once `end` lets it.
Operation background(std::string_view name, Operation::Step prepare, Operation::Step end)
{
    Operation made;
    made.name = name;
    made.prepare = prepare;
    made.end = end;
    return made;
}

const std::string long_name(100, 'q');

// The services.

ServiceOptions limited(std::size_t shards)
{
    return small_options(shards).creation_rate({10, 100}).creation_keys(4);
}

ServiceOptions bounded_principals(std::size_t shards)
{
    return small_options(shards).max_sessions_per_principal(1);
}

ServiceOptions waiting_for_room(std::size_t shards)
{
    return small_options(shards).when_full(WhenFull::wait);
}

ServiceOptions recording(std::size_t shards)
{
    return small_options(shards).max_frames_per_session(20);
}

/// As many as the world holds leases of this kind.
ServiceOptions bounded_requests(std::size_t shards)
{
    return small_options(shards).max_in_flight(2);
}

// The worlds.

void fill(World& world)
{
    world.fill(world.service->options().max_sessions());
    world.settle();
}

/// More than one turn ends.
void add_principal(World& world)
{
    for (int i = 0; i < 4; ++i) {
        (void)world.establish(CreateOptions().principal("bob"));
    }
    world.settle();
}

/// The one whose login the operation is, somewhere else.
void have_logged_in(World& world)
{
    (void)world.establish(CreateOptions().principal(long_name));
    world.settle();
}

/// The leased session has been removed, so its lease is all that keeps its room.
void fill_for_one_lease(World& world)
{
    fill(world);
    (void)world.run(world.service->remove(world.leased_id)).value();
    world.settle();
}

void add_overdue(World& world)
{
    world.fill(8);
    world.settle();
    // The background has not noticed when the operation begins.
    world.clock().advance(60s);
}

/// Some have come and some have gone, and nobody was told yet.
void leave_untold(World& world)
{
    for (int i = 0; i < 2; ++i) {
        auto created = world.run_apart(world.service->create()).value();
        created.lease.release();
        (void)world.run_apart(world.service->remove(created.id)).value();
    }
}

/// As many as a ring has room for before it grows.
void record_some(World& world)
{
    for (int i = 0; i < 8; ++i) {
        (void)world.run(world.lease.record(FrameDirection::to_client, "frame")).value();
    }
}

void release_lease(World& world)
{
    world.lease.release();
}

void release_exclusive(World& world)
{
    world.exclusive.release();
}

void outlive_all(World& world)
{
    world.clock().advance(9h);
}

CreateOptions long_wish()
{
    // Long enough to be nowhere in place.
    return CreateOptions()
        .principal(std::string(100, 'p'))
        .attributes({{std::string(50, 'n'), std::string(50, 'v')}})
        .adopt(SessionId::parse(std::string(128, 'i')).value());
}

SessionId unknown_id()
{
    return SessionId::parse(std::string(64, 'u')).value();
}

Attributes new_data()
{
    return {{std::string(50, 'm'), std::string(50, 'w')}};
}

std::function<void(Attributes&)> new_change()
{
    return [](Attributes& data) { data.set(std::string(50, 'm'), std::string(50, 'w')); };
}

} // namespace

std::vector<Operation> all_operations()
{
    auto create = operation(
        "create",
        [](World& w) { return w.service->create(); },
        [](World& w, Noting h) { w.service->async_create(CreateOptions(), std::move(h)); }
    );
    auto create_for_alice = operation(
        "create for a principal",
        [](World& w) { return w.service->create(CreateOptions().principal("alice")); },
        [](World& w, Noting h) {
            w.service->async_create(CreateOptions().principal("alice"), std::move(h));
        }
    );
    auto create_at_length = operation(
        "create with everything",
        [](World& w) { return w.service->create(long_wish()); },
        [](World& w, Noting h) { w.service->async_create(long_wish(), std::move(h)); }
    );
    auto create_for_peer = operation(
        "create for a peer",
        [](World& w) { return w.service->create(CreateOptions().peer("192.0.2.1")); },
        [](World& w, Noting h) {
            w.service->async_create(CreateOptions().peer("192.0.2.1"), std::move(h));
        }
    );
    auto acquire = operation(
        "acquire",
        [](World& w) { return w.service->acquire(w.id); },
        [](World& w, Noting h) { w.service->async_acquire(w.id, std::move(h)); }
    );
    auto acquire_for_peer = operation(
        "acquire for a peer",
        [](World& w) { return w.service->acquire(w.id, AcquireOptions().peer("192.0.2.1")); },
        [](World& w, Noting h) {
            w.service->async_acquire(w.id, AcquireOptions().peer("192.0.2.1"), std::move(h));
        }
    );
    auto guess = operation(
        "acquire for a peer: a guess",
        [](World& w) { return w.service->acquire(unknown_id(), AcquireOptions().peer("peer")); },
        [](World& w, Noting h) {
            w.service->async_acquire(unknown_id(), AcquireOptions().peer("peer"), std::move(h));
        }
    );
    auto acquire_exclusive = operation(
        "acquire_exclusive",
        [](World& w) { return w.service->acquire_exclusive(w.id); },
        [](World& w, Noting h) { w.service->async_acquire_exclusive(w.id, 1s, std::move(h)); }
    );
    auto wait_for_turn = operation(
        "acquire_exclusive: a wait for a turn",
        [](World& w) { return w.service->acquire_exclusive(w.exclusive_id, 1h); },
        [](World& w, Noting h) {
            w.service->async_acquire_exclusive(w.exclusive_id, 1h, std::move(h));
        }
    );
    auto acquire_weak = operation(
        "acquire_weak",
        [](World& w) { return w.service->acquire_weak(w.id); },
        [](World& w, Noting h) { w.service->async_acquire_weak(w.id, std::move(h)); }
    );
    auto peek = operation(
        "peek",
        [](World& w) { return w.service->peek(w.id); },
        [](World& w, Noting h) { w.service->async_peek(w.id, std::move(h)); }
    );
    auto touch = operation(
        "touch",
        [](World& w) { return w.service->touch(w.id); },
        [](World& w, Noting h) { w.service->async_touch(w.id, std::move(h)); }
    );
    auto rotate = operation(
        "rotate",
        [](World& w) { return w.service->rotate(w.id); },
        [](World& w, Noting h) { w.service->async_rotate(w.id, RotateOptions(), std::move(h)); }
    );
    auto log_in = operation(
        "rotate: a login",
        [](World& w) { return w.service->rotate(w.id, RotateOptions().principal(long_name)); },
        [](World& w, Noting h) {
            w.service->async_rotate(w.id, RotateOptions().principal(long_name), std::move(h));
        }
    );
    auto remove = operation(
        "remove",
        [](World& w) { return w.service->remove(w.id); },
        [](World& w, Noting h) { w.service->async_remove(w.id, std::move(h)); }
    );
    auto remove_by_principal = operation(
        "remove_by_principal",
        [](World& w) { return w.service->remove_by_principal("bob"); },
        [](World& w, Noting h) { w.service->async_remove_by_principal("bob", std::move(h)); }
    );
    auto list = operation(
        "list",
        [](World& w) { return w.service->list(); },
        [](World& w, Noting h) { w.service->async_list(ListOptions(), std::move(h)); }
    );
    auto count = operation(
        "count",
        [](World& w) { return w.service->count(SessionFilter()); },
        [](World& w, Noting h) { w.service->async_count(SessionFilter(), std::move(h)); }
    );
    auto remove_matching = operation(
        "remove_matching",
        [](World& w) { return w.service->remove_matching(SessionFilter().principal("bob")); },
        [](World& w, Noting h) {
            w.service->async_remove_matching(SessionFilter().principal("bob"), std::move(h));
        }
    );
    auto snapshot = operation(
        "snapshot",
        [](World& w) { return w.service->snapshot(w.id); },
        [](World& w, Noting h) { w.service->async_snapshot(w.id, std::move(h)); }
    );
    auto commit = operation(
        "commit",
        [](World& w) { return w.service->commit(w.id, 1, new_data()); },
        [](World& w, Noting h) { w.service->async_commit(w.id, 1, new_data(), std::move(h)); }
    );
    auto modify = operation(
        "modify",
        [](World& w) { return w.service->modify(w.id, new_change()); },
        [](World& w, Noting h) { w.service->async_modify(w.id, new_change(), std::move(h)); }
    );
    auto frames = operation(
        "frames",
        [](World& w) { return w.service->frames(w.lease.info().reference); },
        [](World& w, Noting h) {
            w.service->async_frames(w.lease.info().reference, FrameQuery(), std::move(h));
        }
    );
    auto next_frames = operation(
        "next_frames",
        [](World& w) { return w.service->next_frames(w.lease.info().reference); },
        [](World& w, Noting h) {
            w.service->async_next_frames(w.lease.info().reference, FrameQuery(), std::move(h));
        }
    );
    auto cleanup = operation(
        "cleanup of the expired",
        [](World& w) { return w.service->cleanup(); },
        [](World& w, Noting h) { w.service->async_cleanup(CleanupScope::expired, std::move(h)); }
    );
    auto cleanup_of_all = operation(
        "cleanup of all",
        [](World& w) { return w.service->cleanup(CleanupScope::all); },
        [](World& w, Noting h) { w.service->async_cleanup(CleanupScope::all, std::move(h)); }
    );
    auto metrics = operation(
        "metrics",
        [](World& w) { return w.service->metrics(); },
        [](World& w, Noting h) { w.service->async_metrics(std::move(h)); }
    );
    auto health = operation(
        "health",
        [](World& w) { return w.service->health(); },
        [](World& w, Noting h) { w.service->async_health(std::move(h)); }
    );
    auto drain = operation(
        "drain",
        [](World& w) { return w.service->drain(DrainOptions().limit(1s).cancel_grace(1s)); },
        [](World& w, Noting h) {
            w.service->async_drain(DrainOptions().limit(1s).cancel_grace(1s), std::move(h));
        }
    );
    auto drain_by_limit = operation(
        "drain with a limit",
        [](World& w) { return w.service->drain(1s); },
        [](World& w, Noting h) { w.service->async_drain(1s, std::move(h)); }
    );
    auto closed = operation("SessionLease::closed", [](World& w) { return w.lease.closed(); });
    auto closed_exclusive =
        operation("ExclusiveLease::closed", [](World& w) { return w.exclusive.closed(); });
    auto closed_weak = operation("WeakLease::closed", [](World& w) { return w.weak.closed(); });
    const auto record = operation("SessionLease::record", [](World& w) {
        return w.lease.record(FrameDirection::from_client, std::string(50, 'f'));
    });
    auto record_weak = operation("WeakLease::record", [](World& w) {
        return w.weak.record(FrameDirection::from_client, std::string(50, 'f'), 1);
    });
    auto frames_of_lease =
        operation("SessionLease::frames", [](World& w) { return w.lease.frames(); });
    auto next_frames_weak =
        operation("WeakLease::next_frames", [](World& w) { return w.weak.next_frames(); });
    auto touch_weak = operation("WeakLease::touch", [](World& w) { return w.weak.touch(); });

    const auto named = [](Operation made, std::string_view name) {
        made.name = name;
        return made;
    };
    const auto check_drained = [](World& world) { world.check_drained(); };

    return {
        create,
        create_at_length,
        create_for_alice,
        named(create, "create where somebody makes room").after(&fill),
        named(create_for_alice, "create for a principal at its bound").with(&bounded_principals),
        create_for_peer.with(&limited),
        named(create, "create: a wait for room")
            .with(&waiting_for_room)
            .after(&fill_for_one_lease)
            .ended_by(&release_lease),
        acquire,
        named(acquire, "acquire: a wait for a permit")
            .with(&bounded_requests)
            .ended_by(&release_lease),
        acquire_for_peer.with(&limited),
        guess.with(&limited).giving(errc::not_found),
        acquire_exclusive,
        wait_for_turn.ended_by(&release_exclusive),
        named(wait_for_turn, "acquire_exclusive: a wait for a turn, and then for a permit")
            .with(&bounded_requests)
            .ended_by(&release_exclusive),
        acquire_weak,
        peek,
        touch,
        rotate,
        log_in,
        named(log_in, "rotate: a login of one at his bound")
            .with(&bounded_principals)
            .after(&have_logged_in),
        remove,
        remove_by_principal.after(&add_principal),
        list.after(&fill),
        count.after(&fill),
        remove_matching.after(&add_principal),
        snapshot,
        commit,
        modify,
        frames.with(&recording).after(&record_some),
        named(next_frames, "next_frames: at once").with(&recording).after(&record_some),
        next_frames.with(&recording).ended_by(&outlive_all).giving(errc::not_found),
        cleanup.after(&add_overdue),
        cleanup_of_all.after(&fill),
        metrics,
        health,
        drain.ended_by([](World& world) { world.release_all(); }).then(check_drained),
        named(drain_by_limit, "drain that cancels")
            .ended_by([](World& world) { world.clock().advance(2s); })
            .then(check_drained),
        closed.ended_by(&release_lease),
        closed_exclusive.ended_by(&release_exclusive),
        closed_weak.ended_by(&outlive_all),
        touch_weak,
        named(record, "SessionLease::record: the first").with(&recording),
        named(record, "SessionLease::record: where the ring must grow")
            .with(&recording)
            .after(&record_some),
        record_weak.with(&recording),
        frames_of_lease.with(&recording).after(&record_some),
        next_frames_weak.with(&recording).ended_by(&outlive_all).giving(errc::not_found),
        background("a round of cleanup", &add_overdue, nullptr),
        background("a round of the listeners", &leave_untold, nullptr),
    };
}

} // namespace sojourn::tests
