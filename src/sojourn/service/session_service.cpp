#include "sojourn/service/session_service.hpp"

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/shutdown_hook.hpp"
#include "sojourn/service/admission.hpp"
#include "sojourn/service/creation_line.hpp"
#include "sojourn/service/drain.hpp"
#include "sojourn/service/session_events.hpp"
#include "sojourn/service/session_frames.hpp"
#include "sojourn/service/shard_set.hpp"
#include "sojourn/service/turns.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::asio::awaitable;

namespace sojourn {

namespace {

ServiceEnvironment with_defaults(ServiceEnvironment environment)
{
    if (!environment.clock()) {
        environment.clock(std::make_shared<SystemClock>());
    }
    if (!environment.id_source()) {
        environment.id_source(std::make_shared<OsIdSource>());
    }
    return environment;
}

/// Of operations that have no effect if they are cancelled.
constexpr auto any_type = asio::cancellation_type::all;

ServiceOptions checked(const ServiceOptions& options)
{
    if (const auto invalid = options.validate()) {
        throw boost::system::system_error(
            make_error_code(errc::invalid_options), invalid->message()
        );
    }
    return options;
}

HashKey draw_key(IdSource& source)
{
    std::array<std::byte, sizeof(HashKey)> bytes{};
    if (source.fill(bytes)) {
        throw boost::system::system_error(make_error_code(errc::id_source_failed));
    }
    HashKey key;
    std::memcpy(&key.k0, bytes.data(), sizeof(key.k0));
    std::memcpy(&key.k1, bytes.data() + sizeof(key.k0), sizeof(key.k1));
    return key;
}

} // namespace

/// How an operation is cancelled that runs for a handler: its coroutine is told on the strand on
/// which it runs, whatever thread that is asked for in.
struct Cancellation {
    explicit Cancellation(const asio::any_io_executor& executor)
        : strand(asio::make_strand(executor))
    {
    }

    static void request(const std::weak_ptr<Cancellation>& weak)
    {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        try {
            asio::post(self->strand, [self] {
                self->signal.emit(asio::cancellation_type::terminal);
            });
        } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
            // Not cancelled, then: its limit ends it.
        }
    }

    asio::strand<asio::any_io_executor> strand;
    asio::cancellation_signal signal;
};

/// What the service's coroutines share. A round of the background holds it for as long as it takes;
/// between rounds the background holds nothing.
class SessionService::Implementation final : public std::enable_shared_from_this<Implementation>,
                                             private ShutdownHook {
public:
    using Self = std::shared_ptr<Implementation>;

    Implementation(
        const asio::any_io_executor& executor,
        const ServiceOptions& options,
        const ServiceEnvironment& environment
    )
        : ShutdownHook(asio::query(executor, asio::execution::context)),
          executor_(executor),
          options_(checked(options)),
          environment_(with_defaults(environment)),
          key_(draw_key(*environment_.id_source())),
          hash_(key_),
          modify_barrier_("modify", environment_.on_failure()),
          admission_(executor, options_, key_, environment_.clock(), shards_, on_arrival()),
          events_(options_, environment_),
          drain_(
              options_.shards(), options_.cleanup_batch(), environment_.clock(), shards_, events_
          )
    {
    }

    ~Implementation() = default;
    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;
    Implementation(Implementation&&) = delete;
    Implementation& operator=(Implementation&&) = delete;

    /// The second half of construction, for which the object must have an owner.
    void open()
    {
        const auto make_loop = [this](std::string name, auto round) {
            return std::make_shared<SupervisedLoop>(
                executor_,
                environment_.clock(),
                std::move(name),
                [weak = weak_from_this(), round] { return round(weak.lock()); },
                environment_.on_failure()
            );
        };
        cleanup_ = make_loop("cleanup", &Implementation::cleanup_round);
        if (environment_.on_created() || environment_.on_removed()) {
            telling_ = make_loop("session events", &Implementation::events_round);
        }
        for (std::size_t i = 0; i < options_.shards(); ++i) {
            auto& shard = shards_.add(std::make_shared<Shard>(
                executor_,
                options_,
                admission_.capacity(),
                key_,
                environment_.clock(),
                cleanup_,
                telling_,
                on_arrival()
            ));
            events_.add(shard);
        }
        if (const auto most = options_.max_in_flight()) {
            const auto line = SemaphoreOptions()
                                  .permits(*most)
                                  .max_waiters(options_.max_waiting_requests())
                                  .max_wait(options_.max_request_wait());
            in_flight_ = std::make_unique<AsyncSemaphore>(executor_, line, environment_.clock());
            drain_.add(*in_flight_);
        }
        for (auto& lane : admission_.lanes()) {
            drain_.add(lane);
        }
        if (options_.when_full() == WhenFull::wait) {
            anonymous_line_ = make_line();
            principals_line_ = make_line();
        }
        ensure_running();
    }

    /// The service goes: what waits for it to do something waits no more.
    void abandon() noexcept
    {
        stop_background();
        for (const auto& shard : shards_) {
            shard->abandon();
        }
        drain_.abandon();
    }

    /// Ends the background; what it was about to do is not done.
    void stop_background() noexcept
    {
        events_.stop();
        cleanup_->stop();
        if (telling_) {
            telling_->stop();
        }
    }

    [[nodiscard]] const ServiceOptions& options() const noexcept { return options_; }

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

    [[nodiscard]] std::uint64_t hash(const SessionId& id) const noexcept { return hash_(id); }

    [[nodiscard]] HashedId hashed(SessionId id) const { return hash_.hashed(std::move(id)); }

    [[nodiscard]] const ShardSet& shards() const noexcept { return shards_; }

    [[nodiscard]] Admission& admission() noexcept { return admission_; }

    [[nodiscard]] ServiceState state() const noexcept { return drain_.state(); }

    /// A service that is drained says so rather.
    [[nodiscard]] bool is_creation_limited(const CreateOptions& options) const noexcept
    {
        return state() == ServiceState::running && admission_.is_limited(options);
    }

    /// Whether a rotation may have to look for room in other shards.
    [[nodiscard]] bool may_need_room(const RotateOptions& options) const noexcept
    {
        const auto& principal = options.principal();
        return !shards_.is_one() && principal && admission_.is_bounded(*principal);
    }

    // Checks and preparations, outside any turn.

    [[nodiscard]] bool is_too_large(const Attributes& data) const noexcept
    {
        const auto all = options_.max_total_attribute_bytes();
        return data.bytes() > std::min(options_.max_attribute_bytes(), all.value_or(SIZE_MAX));
    }

    [[nodiscard]] Result<NewSession> prepare(const CreateOptions& options) const
    {
        const auto idle_timeout = options.idle_timeout().value_or(options_.idle_timeout());
        const auto lifetime = options.absolute_lifetime().value_or(options_.absolute_lifetime());
        if (!is_valid_timeout(idle_timeout) || !is_valid_timeout(lifetime)) {
            return errc::invalid_options;
        }
        if (!is_valid_rate(options.request_rate().value_or(RateLimit::unlimited()))) {
            return errc::invalid_options;
        }
        if (options.principal().size() > max_principal_length) {
            return errc::principal_too_long;
        }
        if (options.peer().size() > max_peer_length) {
            return errc::invalid_options;
        }
        if (is_too_large(options.attributes())) {
            return errc::attributes_too_large;
        }
        auto names = draw_names(*environment_.id_source());
        if (!names) {
            return names.error();
        }
        if (const auto& adopted = options.adopted_id()) {
            if (adopted->empty()) {
                return errc::invalid_id;
            }
            names->id = *adopted;
        }
        NewSession fresh;
        fresh.id = hashed(std::move(names->id));
        fresh.reference = names->reference;
        fresh.principal = options.principal();
        fresh.attributes = options.attributes();
        fresh.idle_timeout = idle_timeout;
        fresh.absolute_lifetime = lifetime;
        fresh.created = environment_.clock()->wall();
        fresh.request_rate = options.request_rate();
        return fresh;
    }

    /// A new id in the same shard: a session does not move. Draws again until one falls there, as
    /// many times as there are shards on average, which keeps all the entropy. The bound, which
    /// chance reaches once in 10^27 rotations, is for a source that repeats itself.
    [[nodiscard]] Result<HashedId>
    prepare_rotation(const HashedId& old, const RotateOptions& options) const
    {
        if (const auto& name = options.principal(); name && name->size() > max_principal_length) {
            return errc::principal_too_long;
        }
        for (std::size_t draws = 64 * shards_.size(); draws > 0; --draws) {
            auto id = draw_id(*environment_.id_source());
            if (!id) {
                return id.error();
            }
            if (auto fresh = hashed(std::move(*id));
                shards_.index_of(fresh.hash) == shards_.index_of(old.hash)) {
                return fresh;
            }
        }
        return errc::id_source_failed;
    }

    /// Whether requests may have to wait for others.
    [[nodiscard]] bool bounds_requests() const noexcept { return in_flight_ != nullptr; }

    // Operations that are more than one turn.

    /// Of a request that was acquired and has yet to get its lease. If it never does, because it is
    /// refused or because something is thrown between two turns, it counts as shed.
    class Undelivered {
    public:
        explicit Undelivered(std::atomic<std::uint64_t>& requests_shed) noexcept
            : requests_shed_(&requests_shed)
        {
        }

        Undelivered(const Undelivered&) = delete;
        Undelivered& operator=(const Undelivered&) = delete;
        Undelivered(Undelivered&&) = delete;
        Undelivered& operator=(Undelivered&&) = delete;

        ~Undelivered()
        {
            if (requests_shed_ != nullptr) {
                requests_shed_->fetch_add(1, std::memory_order_relaxed);
            }
        }

        void deliver() noexcept { requests_shed_ = nullptr; }

    private:
        std::atomic<std::uint64_t>* requests_shed_;
    };

    static awaitable<Result<SessionLease>> acquire_in_flight(Self self, SessionId id)
    {
        const auto hash = self->hash(id);
        auto& shard = self->shards_.of(hash);
        auto turn = AcquireTurn{{std::move(id), hash}};
        auto lease = co_await shard.call(std::move(turn), TurnTime::of_request);
        if (!lease) {
            co_return lease.error();
        }
        if (self->in_flight_) {
            Undelivered undelivered(self->requests_shed_);
            auto permit = co_await self->in_flight_->acquire();
            if (!permit) {
                co_return self->refuse_permit(permit.error());
            }
            lease->permit_ = std::move(*permit);
            undelivered.deliver();
        }
        co_return std::move(*lease);
    }

    static awaitable<Result<SessionLease>>
    acquire_for(Self self, SessionId id, AcquireOptions options)
    {
        const auto& peer = options.peer();
        if (peer.size() > max_peer_length) {
            co_return errc::invalid_options;
        }
        auto lease = co_await acquire_in_flight(self, std::move(id));
        const bool is_guess = lease.error() == errc::not_found && !peer.empty() &&
                              !self->options_.creation_rate().is_unlimited();
        if (is_guess) {
            const auto counted = co_await self->admission_.limit_guess(peer);
            if (!counted) {
                co_return counted.error();
            }
        }
        co_return std::move(lease);
    }

    static awaitable<Result<ExclusiveLease>>
    acquire_exclusive(Self self, SessionId id, Duration limit)
    {
        const auto deadline =
            saturating_add(self->environment_.clock()->steady(), std::max(limit, Duration::zero()));
        const auto hash = self->hash(id);
        auto& shard = self->shards_.of(hash);
        auto turn = AcquireTurn{{std::move(id), hash}};
        auto lease = co_await shard.call(std::move(turn), TurnTime::of_request);
        if (!lease) {
            co_return lease.error();
        }
        Undelivered undelivered(self->requests_shed_);
        const auto watch = co_await lease->watch();
        if (!watch) {
            co_return watch.error();
        }
        Result<Permit> alone = errc::stopping;
        if (*watch != nullptr) {
            alone = co_await (*watch)->take_turn(limit);
        }
        if (!alone) {
            co_return self->refuse_turn(alone.error(), shard);
        }
        // Last, so that nobody has a permit who only waits for his turn.
        if (self->in_flight_) {
            const auto now = self->environment_.clock()->steady();
            const auto rest =
                deadline == TimePoint::max() ? Duration::max() : time_between(now, deadline);
            const auto longest = self->options_.max_request_wait();
            auto permit = co_await self->in_flight_->acquire(std::min(rest, longest));
            if (!permit) {
                co_return rest <= longest ? self->refuse_turn(permit.error(), shard)
                                          : self->refuse_permit(permit.error());
            }
            lease->permit_ = std::move(*permit);
        }
        undelivered.deliver();
        co_return ExclusiveLease(std::move(*lease), std::move(*alone));
    }

    /// Why a request does not get its turn. If the session ended, and not the service, it is gone.
    [[nodiscard]] Error refuse_turn(const Error& error, const Shard& shard) const noexcept
    {
        const bool is_service_there = state() == ServiceState::running && !shard.is_abandoned();
        return error == errc::stopping && is_service_there ? errc::not_found : error;
    }

    /// Why it does not get a permit.
    [[nodiscard]] Error refuse_permit(const Error& error) const noexcept
    {
        // Whoever has waited as long as one may should stay away for as long.
        return error == errc::timed_out ? Error(errc::overloaded, options_.max_request_wait())
                                        : error;
    }

    static awaitable<Result<CreatedSession>> create(Self self, CreateOptions options)
    {
        if (self->is_creation_limited(options)) {
            if (const auto admitted = co_await self->admission_.limit(options); !admitted) {
                co_return admitted.error();
            }
        }
        auto fresh = self->prepare(options);
        if (!fresh) {
            co_return fresh.error();
        }
        if (self->waits_for_room()) {
            auto& line = fresh->principal.empty() ? self->anonymous_line_ : self->principals_line_;
            CreationLine::Attempt attempt = [self, fresh = std::move(*fresh)](Shortage& shortage) {
                return create_prepared(self, fresh, shortage);
            };
            co_return co_await line->create(std::move(attempt));
        }
        if (self->shards_.is_one()) {
            auto& shard = self->shards_.of(fresh->id);
            auto turn = create_turn(std::move(*fresh));
            co_return co_await shard.call(std::move(turn));
        }
        Shortage shortage{};
        co_return co_await create_prepared(self, std::move(*fresh), shortage);
    }

    /// Whether new ones may have to wait for room.
    [[nodiscard]] bool waits_for_room() const noexcept { return anonymous_line_ != nullptr; }

    /// If there is no room, `shortage` says where.
    static awaitable<Result<CreatedSession>>
    create_prepared(Self self, NewSession fresh, Shortage& shortage)
    {
        auto& shard = self->shards_.of(fresh.id);
        if (self->shards_.is_one()) {
            auto turn = create_turn(std::move(fresh), shortage);
            co_return co_await shard.call(std::move(turn));
        }
        if (auto place = self->admission_.take_place(fresh)) {
            auto turn = create_turn(std::move(fresh), std::move(*place));
            co_return co_await shard.call(std::move(turn));
        }
        co_return co_await create_with_care(self, std::move(fresh), shortage);
    }

    /// With several shards, where somebody may have to make room.
    static awaitable<Result<CreatedSession>>
    create_with_care(Self self, NewSession fresh, Shortage& shortage)
    {
        const auto lane = co_await self->admission_.enter_lane(fresh.principal);
        // Where it is closed, so is the shard, which counts whom it refuses.
        if (!lane && !(lane.error() == errc::stopping)) {
            co_return lane.error();
        }
        auto& home = self->shards_.of(fresh.id);
        // Nobody shall make room for a session that is not made after all.
        auto check = [&fresh](ShardState& state) { return state.table().check(fresh); };
        if (const auto fault = co_await home.call(std::move(check)); !fault) {
            co_return fault.error();
        }
        if (!lane) {
            co_return lane.error();
        }
        Capacity::Place place(*self->admission_.capacity());
        const auto lacking = co_await self->admission_.make_room(fresh, place);
        if (lacking) {
            shortage = *lacking;
            auto refuse = [lacking](ShardState& state) -> Result<CreatedSession> {
                return lacking == Shortage::own ? state.table().refuse()
                                                : state.table().refuse_creation();
            };
            co_return co_await home.call(std::move(refuse));
        }
        auto turn = create_turn(std::move(fresh), std::move(place));
        co_return co_await home.call(std::move(turn));
    }

    /// The same for one who does not ask why.
    static awaitable<Result<CreatedSession>> create_with_care(Self self, NewSession fresh)
    {
        Shortage shortage{};
        co_return co_await create_with_care(self, std::move(fresh), shortage);
    }

    static awaitable<Result<SessionId>> rotate(Self self, SessionId id, RotateOptions options)
    {
        auto old = self->hashed(std::move(id));
        auto fresh = self->prepare_rotation(old, options);
        if (!fresh) {
            co_return fresh.error();
        }
        auto& shard = self->shards_.of(old);
        const auto& principal = options.principal();
        Result<Permit> lane = Permit();
        if (principal && self->may_need_room(options)) {
            lane = co_await self->admission_.enter_lane(*principal);
            if (!lane) {
                co_return lane.error();
            }
            auto look = peek_turn(old);
            const auto info = co_await shard.call(std::move(look));
            if (!info) {
                co_return info.error();
            }
            Capacity::Place place(*self->admission_.capacity());
            bool has_room = info->principal_text() == *principal;
            if (!has_room) {
                has_room = co_await self->admission_.make_room_among_own(*principal, place);
            }
            if (!has_room) {
                auto refuse = [](ShardState& state) -> Result<SessionId> {
                    return state.table().refuse();
                };
                co_return co_await shard.call(std::move(refuse));
            }
        }
        auto turn = rotate_turn(std::move(old), std::move(*fresh), principal);
        co_return co_await shard.call(std::move(turn));
    }

    static awaitable<Result<std::uint64_t>>
    commit(Self self, SessionId id, std::uint64_t expected_version, Attributes data)
    {
        if (self->is_too_large(data)) {
            co_return errc::attributes_too_large;
        }
        auto hashed = self->hashed(std::move(id));
        auto& shard = self->shards_.of(hashed);
        auto turn = commit_turn(std::move(hashed), expected_version, std::move(data));
        co_return co_await shard.call(std::move(turn));
    }

    static awaitable<Result<AttributeSnapshot>>
    modify(Self self, SessionId id, std::function<void(Attributes&)> change)
    {
        // Each failed attempt means that somebody else's succeeded; this many in a row is a storm.
        constexpr int max_attempts = 64;

        const auto hashed = self->hashed(std::move(id));
        auto& shard = self->shards_.of(hashed);
        for (int attempt = 0; attempt < max_attempts; ++attempt) {
            auto look = snapshot_turn(hashed);
            const auto before = co_await shard.call(std::move(look));
            if (!before) {
                co_return before.error();
            }
            Attributes data = before->data;
            change(data);
            if (self->is_too_large(data)) {
                co_return errc::attributes_too_large;
            }
            auto turn = commit_turn(hashed, before->version, data);
            const auto version = co_await shard.call(std::move(turn));
            if (version) {
                co_return AttributeSnapshot{std::move(data), *version};
            }
            if (!(version.error() == errc::conflict)) {
                co_return version.error();
            }
        }
        co_return errc::conflict;
    }

    static awaitable<Result<std::size_t>> remove_by_principal(Self self, std::string principal)
    {
        const auto batch = self->options_.cleanup_batch();
        std::size_t total = 0;
        for (const auto& shard : self->shards_) {
            for (std::size_t removed = batch; removed == batch;) {
                auto turn = [&principal, batch](ShardState& state) -> Result<std::size_t> {
                    return state.table().remove_by_principal(principal, batch);
                };
                const auto result = co_await shard->call(std::move(turn));
                if (!result) {
                    co_return result.error();
                }
                removed = *result;
                total += removed;
            }
        }
        co_return total;
    }

    static awaitable<Result<SessionPage>> list(Self self, ListOptions options)
    {
        SessionPage page;
        auto at = options.cursor();
        while (at.shard < self->shards_.size()) {
            if (page.sessions.size() == options.limit()) {
                page.next = at;
                break;
            }
            auto turn = [&, wanted = options.limit() - page.sessions.size()](ShardState& state
                        ) -> Result<SessionTable::Page> {
                return state.table().list(options.filter(), at.slot, wanted);
            };
            auto part = co_await self->shards_[at.shard].call(std::move(turn));
            if (!part) {
                co_return part.error();
            }
            std::ranges::move(part->sessions, std::back_inserter(page.sessions));
            const auto& next_slot = part->next_slot;
            at = next_slot ? SessionCursor{at.shard, *next_slot} : SessionCursor{at.shard + 1, 0};
        }
        co_return page;
    }

    static awaitable<Result<std::size_t>> count(Self self, SessionFilter filter)
    {
        auto count_some = [&filter](const SessionTable& table, std::uint32_t from) {
            return table.count(filter, from);
        };
        co_return co_await sweep(std::move(self), count_some);
    }

    static awaitable<Result<std::size_t>> remove_matching(Self self, SessionFilter filter)
    {
        auto remove_some = [&filter, batch = self->options_.cleanup_batch()](
                               SessionTable& table, std::uint32_t from
                           ) { return table.remove(filter, from, batch); };
        co_return co_await sweep(std::move(self), remove_some);
    }

    static awaitable<Result<FramePage>>
    frames(Self self, SessionReference reference, FrameQuery query)
    {
        if (self->options_.max_frames_per_session() == 0) {
            co_return errc::not_recorded;
        }
        const auto place = co_await find(std::move(self), reference);
        if (!place) {
            co_return place.error();
        }
        co_return co_await read_frames(*place, query);
    }

    static awaitable<Result<FramePage>>
    next_frames(Self self, SessionReference reference, FrameQuery query)
    {
        if (self->options_.max_frames_per_session() == 0) {
            co_return errc::not_recorded;
        }
        const auto place = co_await find(std::move(self), reference);
        if (!place) {
            co_return place.error();
        }
        co_return co_await sojourn::next_frames(*place, query);
    }

    static awaitable<Result<std::size_t>> cleanup(Self self, CleanupScope scope)
    {
        if (scope == CleanupScope::all) {
            auto end_all = [batch = self->options_.cleanup_batch()](
                               SessionTable& table, std::uint32_t from
                           ) { return table.end_all(from, batch, RemovalCause::deleted); };
            co_return co_await sweep(std::move(self), end_all);
        }
        std::size_t ended = 0;
        for (const auto& shard : self->shards_) {
            const auto result = co_await end_expired(self, *shard);
            if (!result) {
                co_return result.error();
            }
            ended += *result;
        }
        co_return ended;
    }

    static awaitable<Result<Metrics>> metrics(Self self)
    {
        Metrics sum;
        for (std::size_t i = 0; i < self->shards_.size(); ++i) {
            auto& shard = self->shards_[i];
            auto turn = [&events = self->events_, i](ShardState& state) -> Result<Metrics> {
                return events.exact(i, state.table().metrics());
            };
            const auto part = co_await shard.call(std::move(turn));
            if (!part) {
                co_return part.error();
            }
            sum += *part;
            const auto counts = shard.counts();
            sum.calls_inline += counts.ran_inline;
            sum.calls_combined += counts.combined;
            sum.calls_suspended += counts.suspended;
        }
        if (self->waits_for_room()) {
            sum.refused_overloaded +=
                self->anonymous_line_->refused() + self->principals_line_->refused();
        }
        sum.guesses_rate_limited = self->admission_.guesses_limited();
        sum.requests_shed = self->requests_shed_.load(std::memory_order_relaxed);
        sum.creations_rate_limited = self->admission_.rate_limited();
        co_return sum;
    }

    static awaitable<Result<SemaphoreMetrics>> in_flight(Self self)
    {
        if (self->in_flight_ == nullptr) {
            co_return SemaphoreMetrics{};
        }
        co_return co_await self->in_flight_->metrics();
    }

    static awaitable<Result<Health>> health(Self self)
    {
        Health health;
        health.state = self->state();
        health.listener_failures = self->events_.failures();
        for (const auto& shard : self->shards_) {
            auto turn = [](ShardState& state) -> Result<Duration> {
                const auto due = state.table().next_deadline();
                return std::max(time_between(due, state.table().now()), Duration::zero());
            };
            const auto lag = co_await shard->call(std::move(turn));
            if (!lag) {
                co_return lag.error();
            }
            health.cleanup_lag = std::max(health.cleanup_lag, *lag);
        }
        if (health.state == ServiceState::closed) {
            // Nobody cleans up any more, and nobody has to.
            health.cleanup_lag = Duration::zero();
        }
        health.cleanup = self->cleanup_->health();
        if (self->telling_) {
            health.events = self->telling_->health();
        }
        co_return health;
    }

    static awaitable<Result<DrainReport>> drain(Self self)
    {
        const auto report = co_await self->drain_.run();
        if (report) {
            self->stop_background();
        }
        co_return report;
    }

    static void
    start_drain(const Self& self, const DrainOptions& options, Handler<DrainReport> handler)
    {
        self->require_context();
        self->drain_.begin(options);
        self->start_uncancelled(drain(self), std::move(handler));
    }

    /// A drain for a coroutine, whose cancellation must not end it half-way: so it runs by itself.
    static awaitable<Result<DrainReport>> drain_for(Self self, DrainOptions options)
    {
        co_return co_await asio::
            async_initiate<const asio::use_awaitable_t<>, void(Result<DrainReport>)>(
                [](auto handler, const Self& service, const DrainOptions& wish) {
                    start_drain(service, wish, Handler<DrainReport>(std::move(handler)));
                },
                asio::use_awaitable,
                self,
                options
            );
    }

    /// Runs an operation of several turns for a handler, which may cancel it by one of these types.
    template <class T>
    void start(
        awaitable<Result<T>> operation,
        Handler<T> handler,
        asio::cancellation_type accepted = asio::cancellation_type::terminal
    )
    {
        require_context();
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (!slot.is_connected()) {
            start_uncancelled(std::move(operation), std::move(handler));
            return;
        }
        const auto cancellation = std::make_shared<Cancellation>(executor_);
        // Stays where it is after the operation, of which it holds nothing.
        slot.assign([weak = std::weak_ptr(cancellation), accepted](asio::cancellation_type type) {
            if ((type & accepted) != asio::cancellation_type::none) {
                Cancellation::request(weak);
            }
        });
        auto complete = [cancellation, complete = completion(std::move(handler))](
                            const std::exception_ptr& failure, Result<T> result
                        ) mutable { complete(failure, std::move(result)); };
        asio::co_spawn(
            cancellation->strand,
            std::move(operation),
            asio::bind_cancellation_slot(cancellation->signal.slot(), std::move(complete))
        );
    }

    /// The same for one that runs to its end and completes, whoever wants it cancelled.
    template <class T>
    void start_uncancelled(awaitable<Result<T>> operation, Handler<T> handler)
    {
        require_context();
        asio::co_spawn(executor_, std::move(operation), completion(std::move(handler)));
    }

    /// What completes the handler.
    template <class T>
    auto completion(Handler<T> handler)
    {
        auto work = asio::make_work_guard(asio::get_associated_executor(handler, executor_));
        return [self = shared_from_this(),
                executor = executor_,
                work = std::move(work),
                handler = std::move(handler
                )](const std::exception_ptr& failure, Result<T> result) mutable {
            if (failure) {
                result = self->error_of(failure);
            }
            asio::post(executor, asio::append(std::move(handler), std::move(result)));
        };
    }

    /// Completes a handler with an error that was found before any turn.
    template <class T>
    void refuse(const Error& error, Handler<T> handler)
    {
        require_context();
        asio::post(executor_, asio::append(std::move(handler), Result<T>(error)));
    }

private:
    void on_context_shutdown() noexcept override { executor_ = asio::any_io_executor(); }

    void require_context() const
    {
        if (!executor_) {
            throw asio::execution::bad_executor();
        }
    }

    /// What an operation of several turns threw, for a handler, which takes no exceptions.
    [[nodiscard]] Error error_of(const std::exception_ptr& failure) noexcept
    {
        try {
            std::rethrow_exception(failure);
        } catch (const std::bad_alloc&) {
            return make_error_code(boost::system::errc::not_enough_memory);
        } catch (const boost::system::system_error& error) {
            return error.code();
        } catch (const std::system_error& error) {
            return boost::system::error_code(error.code());
        } catch (...) {
            // The function that `modify` was given is the only code in there that is not ours.
            modify_barrier_.caught(failure);
            return make_error_code(boost::system::errc::operation_canceled);
        }
    }

    [[nodiscard]] std::unique_ptr<CreationLine> make_line()
    {
        auto line =
            std::make_unique<CreationLine>(executor_, options_, environment_.clock(), shards_);
        drain_.add(line->line());
        return line;
    }

    [[nodiscard]] OnArrival on_arrival() const noexcept
    {
        return environment_.on_created() ? OnArrival::keep : OnArrival::forget;
    }

    void ensure_running() noexcept
    {
        cleanup_->ensure_running();
        if (telling_) {
            telling_->ensure_running();
        }
    }

    /// The session of this name; if there are two, one of them.
    static awaitable<Result<SessionPlace>> find(Self self, SessionReference reference)
    {
        for (const auto& shard : self->shards_) {
            for (std::optional<std::uint32_t> slot = 0; slot;) {
                auto turn = [reference,
                             from = *slot](ShardState& state) -> Result<SessionTable::Located> {
                    return state.table().locate(reference, from);
                };
                const auto located = co_await shard->call(std::move(turn));
                if (!located) {
                    co_return located.error();
                }
                if (const auto& found = located->slot) {
                    co_return SessionPlace(shard, *found, reference);
                }
                slot = located->next_slot;
            }
        }
        co_return errc::not_found;
    }

    static awaitable<Result<std::size_t>> end_expired(Self self, Shard& shard)
    {
        struct Progress {
            bool has_more = false;
            std::size_t ended = 0;
        };

        std::size_t total = 0;
        for (;;) {
            auto turn = [batch = self->options_.cleanup_batch()](ShardState& state
                        ) -> Result<Progress> {
                const auto before =
                    state.table().metrics().removed_total() + state.table().metrics().closing;
                Progress progress;
                progress.has_more = state.table().expire(batch);
                progress.ended = state.table().metrics().removed_total() +
                                 state.table().metrics().closing - before;
                return progress;
            };
            const auto progress = co_await shard.call(std::move(turn));
            if (!progress) {
                co_return progress.error();
            }
            total += progress->ended;
            if (!progress->has_more) {
                co_return total;
            }
            co_await asio::post(asio::use_awaitable);
        }
    }

    /// Goes through all slots, a turn of `visit(table, from)` after the other, and adds up what
    /// they counted.
    template <class Visit>
    static awaitable<Result<std::size_t>> sweep(Self self, Visit visit)
    {
        std::size_t total = 0;
        for (const auto& shard : self->shards_) {
            for (std::optional<std::uint32_t> slot = 0; slot;) {
                auto turn = [&visit, from = *slot](ShardState& state
                            ) -> Result<SessionTable::Sweep> { return visit(state.table(), from); };
                const auto sweep = co_await shard->call(std::move(turn));
                if (!sweep) {
                    co_return sweep.error();
                }
                total += sweep->count;
                slot = sweep->next_slot;
                co_await asio::post(asio::use_awaitable);
            }
        }
        co_return total;
    }

    // The background. A round finds the service gone if it was destroyed meanwhile.

    static awaitable<TimePoint> cleanup_round(Self self)
    {
        auto next = TimePoint::max();
        if (!self) {
            co_return next;
        }
        for (const auto& shard : self->shards_) {
            if (const auto ended = co_await end_expired(self, *shard); !ended) {
                throw boost::system::system_error(ended.error().code());
            }
            auto turn = [](ShardState& state) -> Result<TimePoint> { return state.arm_cleanup(); };
            const auto due = co_await shard->call(std::move(turn));
            next = std::min(next, due.value());
        }
        co_return next;
    }

    static awaitable<TimePoint> events_round(Self self)
    {
        if (!self) {
            co_return TimePoint::max();
        }
        co_await self->events_.round(self);
        co_return TimePoint::max();
    }

    /// Empty once the execution context is destroyed.
    asio::any_io_executor executor_;
    const ServiceOptions options_;
    const ServiceEnvironment environment_;
    const HashKey key_;
    const SessionIdHash hash_;
    ExceptionBarrier modify_barrier_;
    std::atomic<std::uint64_t> requests_shed_{0};
    ShardSet shards_;
    Admission admission_;
    SessionEvents events_;
    Drain drain_;
    // Of those who wait for room, null if nobody does. Two, since only anonymous ones need a
    // half-open place, and others shall not wait behind who lacks one.
    std::unique_ptr<CreationLine> anonymous_line_;
    std::unique_ptr<CreationLine> principals_line_;
    /// Null if requests in flight are not bounded.
    std::unique_ptr<AsyncSemaphore> in_flight_;
    std::shared_ptr<SupervisedLoop> cleanup_;
    /// Null if there is no listener.
    std::shared_ptr<SupervisedLoop> telling_;
};

SessionService::SessionService(
    const asio::any_io_executor& executor,
    const ServiceOptions& options,
    const ServiceEnvironment& environment
)
    : implementation_(std::make_shared<Implementation>(executor, options, environment))
{
    implementation_->open();
}

SessionService::~SessionService()
{
    implementation_->abandon();
}

const ServiceOptions& SessionService::options() const noexcept
{
    return implementation_->options();
}

// The coroutine face. What is one turn goes straight to its shard.

awaitable<Result<CreatedSession>> SessionService::create(CreateOptions options)
{
    return Implementation::create(implementation_, std::move(options));
}

awaitable<Result<SessionLease>> SessionService::acquire(SessionId id)
{
    if (implementation_->bounds_requests()) {
        return Implementation::acquire_in_flight(implementation_, std::move(id));
    }
    const auto hash = implementation_->hash(id);
    auto& shard = implementation_->shards().of(hash);
    return shard.call(AcquireTurn{{std::move(id), hash}}, TurnTime::of_request);
}

awaitable<Result<SessionLease>> SessionService::acquire(SessionId id, AcquireOptions options)
{
    return Implementation::acquire_for(implementation_, std::move(id), std::move(options));
}

awaitable<Result<ExclusiveLease>> SessionService::acquire_exclusive(SessionId id)
{
    return acquire_exclusive(std::move(id), options().max_request_wait());
}

awaitable<Result<ExclusiveLease>> SessionService::acquire_exclusive(SessionId id, Duration limit)
{
    return Implementation::acquire_exclusive(implementation_, std::move(id), limit);
}

awaitable<Result<WeakLease>> SessionService::acquire_weak(SessionId id)
{
    auto hashed = implementation_->hashed(std::move(id));
    auto& shard = implementation_->shards().of(hashed);
    return shard.call(acquire_weak_turn(std::move(hashed)));
}

awaitable<Result<SessionInfo>> SessionService::peek(SessionId id)
{
    auto hashed = implementation_->hashed(std::move(id));
    auto& shard = implementation_->shards().of(hashed);
    return shard.call(peek_turn(std::move(hashed)));
}

awaitable<Result<SessionInfo>> SessionService::touch(SessionId id)
{
    auto hashed = implementation_->hashed(std::move(id));
    auto& shard = implementation_->shards().of(hashed);
    return shard.call(touch_turn(std::move(hashed)));
}

awaitable<Result<SessionId>> SessionService::rotate(SessionId id, RotateOptions options)
{
    return Implementation::rotate(implementation_, std::move(id), std::move(options));
}

awaitable<Result<void>> SessionService::remove(SessionId id)
{
    auto hashed = implementation_->hashed(std::move(id));
    auto& shard = implementation_->shards().of(hashed);
    return shard.call(remove_turn(std::move(hashed)));
}

awaitable<Result<std::size_t>> SessionService::remove_by_principal(std::string principal)
{
    return Implementation::remove_by_principal(implementation_, std::move(principal));
}

awaitable<Result<SessionPage>> SessionService::list(ListOptions options)
{
    return Implementation::list(implementation_, std::move(options));
}

awaitable<Result<AttributeSnapshot>> SessionService::snapshot(SessionId id)
{
    auto hashed = implementation_->hashed(std::move(id));
    auto& shard = implementation_->shards().of(hashed);
    return shard.call(snapshot_turn(std::move(hashed)));
}

awaitable<Result<std::uint64_t>>
SessionService::commit(SessionId id, std::uint64_t expected_version, Attributes data)
{
    return Implementation::commit(
        implementation_, std::move(id), expected_version, std::move(data)
    );
}

awaitable<Result<AttributeSnapshot>>
SessionService::modify(SessionId id, std::function<void(Attributes&)> change)
{
    return Implementation::modify(implementation_, std::move(id), std::move(change));
}

awaitable<Result<std::size_t>> SessionService::count(SessionFilter filter)
{
    return Implementation::count(implementation_, std::move(filter));
}

awaitable<Result<std::size_t>> SessionService::remove_matching(SessionFilter filter)
{
    return Implementation::remove_matching(implementation_, std::move(filter));
}

awaitable<Result<FramePage>> SessionService::frames(SessionReference reference, FrameQuery query)
{
    return Implementation::frames(implementation_, reference, query);
}

awaitable<Result<FramePage>>
SessionService::next_frames(SessionReference reference, FrameQuery query)
{
    return Implementation::next_frames(implementation_, reference, query);
}

awaitable<Result<std::size_t>> SessionService::cleanup(CleanupScope scope)
{
    return Implementation::cleanup(implementation_, scope);
}

awaitable<Result<Metrics>> SessionService::metrics()
{
    return Implementation::metrics(implementation_);
}

awaitable<Result<SemaphoreMetrics>> SessionService::in_flight()
{
    return Implementation::in_flight(implementation_);
}

awaitable<Result<Health>> SessionService::health()
{
    return Implementation::health(implementation_);
}

ServiceState SessionService::state() const noexcept
{
    return implementation_->state();
}

awaitable<Result<DrainReport>> SessionService::drain(DrainOptions options)
{
    return Implementation::drain_for(implementation_, options);
}

awaitable<Result<DrainReport>> SessionService::drain(Duration limit)
{
    return drain(DrainOptions().limit(limit));
}

// The Asio face.

void SessionService::start_create(
    const Self& self, const CreateOptions& options, Handler<CreatedSession> handler
)
{
    if (self->is_creation_limited(options) || self->waits_for_room()) {
        self->start(Implementation::create(self, options), std::move(handler), any_type);
        return;
    }
    auto fresh = self->prepare(options);
    if (!fresh) {
        self->refuse<CreatedSession>(fresh.error(), std::move(handler));
        return;
    }
    auto& shard = self->shards().of(fresh->id);
    if (self->shards().is_one()) {
        shard.start(create_turn(std::move(*fresh)), std::move(handler));
    } else if (auto place = self->admission().take_place(*fresh)) {
        auto turn = create_turn(std::move(*fresh), std::move(*place));
        shard.start(std::move(turn), std::move(handler));
    } else {
        self->start(Implementation::create_with_care(self, std::move(*fresh)), std::move(handler));
    }
}

void SessionService::start_acquire(const Self& self, SessionId id, Handler<SessionLease> handler)
{
    if (self->bounds_requests()) {
        self->start(
            Implementation::acquire_in_flight(self, std::move(id)), std::move(handler), any_type
        );
        return;
    }
    const auto hash = self->hash(id);
    auto& shard = self->shards().of(hash);
    shard.start(AcquireTurn{{std::move(id), hash}}, std::move(handler), TurnTime::of_request);
}

void SessionService::start_acquire_for(
    const Self& self, SessionId id, AcquireOptions options, Handler<SessionLease> handler
)
{
    self->start(
        Implementation::acquire_for(self, std::move(id), std::move(options)),
        std::move(handler),
        any_type
    );
}

void SessionService::start_acquire_exclusive(
    const Self& self, SessionId id, Duration limit, Handler<ExclusiveLease> handler
)
{
    self->start(
        Implementation::acquire_exclusive(self, std::move(id), limit), std::move(handler), any_type
    );
}

void SessionService::start_acquire_weak(const Self& self, SessionId id, Handler<WeakLease> handler)
{
    auto hashed = self->hashed(std::move(id));
    auto& shard = self->shards().of(hashed);
    shard.start(acquire_weak_turn(std::move(hashed)), std::move(handler));
}

void SessionService::start_peek(const Self& self, SessionId id, Handler<SessionInfo> handler)
{
    auto hashed = self->hashed(std::move(id));
    auto& shard = self->shards().of(hashed);
    shard.start(peek_turn(std::move(hashed)), std::move(handler));
}

void SessionService::start_touch(const Self& self, SessionId id, Handler<SessionInfo> handler)
{
    auto hashed = self->hashed(std::move(id));
    auto& shard = self->shards().of(hashed);
    shard.start(touch_turn(std::move(hashed)), std::move(handler));
}

void SessionService::start_rotate(
    const Self& self, SessionId id, const RotateOptions& options, Handler<SessionId> handler
)
{
    if (self->may_need_room(options)) {
        self->start(Implementation::rotate(self, std::move(id), options), std::move(handler));
        return;
    }
    auto old = self->hashed(std::move(id));
    auto fresh = self->prepare_rotation(old, options);
    if (!fresh) {
        self->refuse<SessionId>(fresh.error(), std::move(handler));
        return;
    }
    auto& shard = self->shards().of(old);
    shard.start(
        rotate_turn(std::move(old), std::move(*fresh), options.principal()), std::move(handler)
    );
}

void SessionService::start_remove(const Self& self, SessionId id, Handler<void> handler)
{
    auto hashed = self->hashed(std::move(id));
    auto& shard = self->shards().of(hashed);
    shard.start(remove_turn(std::move(hashed)), std::move(handler));
}

void SessionService::start_remove_by_principal(
    const Self& self, std::string principal, Handler<std::size_t> handler
)
{
    self->start(
        Implementation::remove_by_principal(self, std::move(principal)), std::move(handler)
    );
}

void SessionService::start_list(const Self& self, ListOptions options, Handler<SessionPage> handler)
{
    self->start(Implementation::list(self, std::move(options)), std::move(handler), any_type);
}

void SessionService::start_snapshot(
    const Self& self, SessionId id, Handler<AttributeSnapshot> handler
)
{
    auto hashed = self->hashed(std::move(id));
    auto& shard = self->shards().of(hashed);
    shard.start(snapshot_turn(std::move(hashed)), std::move(handler));
}

void SessionService::start_commit(
    const Self& self,
    SessionId id,
    std::uint64_t expected_version,
    Attributes data,
    Handler<std::uint64_t> handler
)
{
    if (self->is_too_large(data)) {
        self->refuse<std::uint64_t>(errc::attributes_too_large, std::move(handler));
        return;
    }
    auto hashed = self->hashed(std::move(id));
    auto& shard = self->shards().of(hashed);
    shard.start(
        commit_turn(std::move(hashed), expected_version, std::move(data)), std::move(handler)
    );
}

void SessionService::start_modify(
    const Self& self,
    SessionId id,
    std::function<void(Attributes&)> change,
    Handler<AttributeSnapshot> handler
)
{
    self->start(Implementation::modify(self, std::move(id), std::move(change)), std::move(handler));
}

void SessionService::start_count(
    const Self& self, SessionFilter filter, Handler<std::size_t> handler
)
{
    self->start(Implementation::count(self, std::move(filter)), std::move(handler), any_type);
}

void SessionService::start_remove_matching(
    const Self& self, SessionFilter filter, Handler<std::size_t> handler
)
{
    self->start(Implementation::remove_matching(self, std::move(filter)), std::move(handler));
}

void SessionService::start_frames(
    const Self& self,
    SessionReference reference,
    const FrameQuery& query,
    Handler<FramePage> handler
)
{
    self->start(Implementation::frames(self, reference, query), std::move(handler), any_type);
}

void SessionService::start_next_frames(
    const Self& self,
    SessionReference reference,
    const FrameQuery& query,
    Handler<FramePage> handler
)
{
    self->start(Implementation::next_frames(self, reference, query), std::move(handler), any_type);
}

void SessionService::start_cleanup(
    const Self& self, CleanupScope scope, Handler<std::size_t> handler
)
{
    self->start(Implementation::cleanup(self, scope), std::move(handler));
}

void SessionService::start_metrics(const Self& self, Handler<Metrics> handler)
{
    self->start(Implementation::metrics(self), std::move(handler), any_type);
}

void SessionService::start_in_flight(const Self& self, Handler<SemaphoreMetrics> handler)
{
    self->start(Implementation::in_flight(self), std::move(handler), any_type);
}

void SessionService::start_health(const Self& self, Handler<Health> handler)
{
    self->start(Implementation::health(self), std::move(handler), any_type);
}

void SessionService::start_drain(
    const Self& self, const DrainOptions& options, Handler<DrainReport> handler
)
{
    Implementation::start_drain(self, options, std::move(handler));
}

} // namespace sojourn
