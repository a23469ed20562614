/// @file
/// Fuzzes a session service: the input's first bytes are its options and what its listeners do, the
/// rest are operations, each a byte that says which, and those that it draws. Some begin before
/// others have ended; some are cancelled; listeners throw, take long and use the service; the clock
/// goes forwards and backwards; the service may be destroyed in the middle of all. After each
/// operation the counters are looked at, and every answer is compared with what came before it.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <sojourn/format.hpp>
#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>
#include <sojourn/testing/seeded_id_source.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr std::uint32_t streams = 3;
constexpr std::string_view recording_name = "record";

/// The sessions of one principal are counted together; nobody is the empty one.
constexpr std::array<std::string_view, 3> principals = {"", "ada", "bob"};

ServiceOptions draw_options(Choices& choices)
{
    // None at all now and then, which is refused.
    const auto sessions = choices.one_in(32) ? 0 : choices.pick<std::size_t>({1, 2, 3, 8});
    ServiceOptions options;
    options.max_sessions(sessions)
        .shards(std::clamp<std::size_t>(
            choices.pick({1U, 2U, 3U}), 1, std::max<std::size_t>(sessions, 1)
        ))
        .idle_timeout(choices.pick<Duration>({1s, 5s, 30min}))
        .absolute_lifetime(choices.pick<Duration>({2s, 1min, 8h}))
        .half_open_timeout(choices.pick<Duration>({1s, 1min}))
        .max_half_open(choices.pick<std::size_t>({8, 1, 2}))
        .max_sessions_per_principal(choices.pick<std::optional<std::size_t>>({{}, 1, 2}))
        .creation_rate(choices.pick({RateLimit::unlimited(), RateLimit(1, 2)}))
        .creation_keys(4)
        .request_rate(choices.pick({RateLimit::unlimited(), RateLimit(1, 3)}))
        .max_in_flight(choices.pick<std::optional<std::size_t>>({{}, 1, 2}))
        .max_waiting_requests(choices.pick<std::size_t>({8, 1, 0}))
        .max_request_wait(choices.pick<Duration>({1s, 1ms}))
        .max_in_flight_per_session(choices.pick<std::size_t>({100, 1, 2}))
        .when_full(choices.pick({WhenFull::evict_idle, WhenFull::wait, WhenFull::reject}))
        .max_waiting_creations(choices.pick<std::size_t>({8, 1, 0}))
        .max_creation_wait(choices.pick<Duration>({1s, 1ms}))
        .eviction_grace(choices.pick<Duration>({0s, 10s}))
        .max_attribute_bytes(choices.pick<std::size_t>({1024, 200, 0}))
        .max_total_attribute_bytes(choices.pick<std::optional<std::size_t>>({{}, 400, 100}))
        .max_pending_events(choices.pick<std::size_t>({1024, 1, 2}))
        .listener_timeout(choices.pick<Duration>({30s, 1s}))
        .cleanup_batch(choices.pick<std::size_t>({128, 1, 2}));
    return options;
}

/// None are recorded where it draws zero.
void draw_frames(ServiceOptions& options, std::size_t number)
{
    constexpr std::array<std::size_t, 4> frames = {0, 1, 3, 20};
    constexpr std::array<std::size_t, 4> bytes = {100'000, 400, 1'000, 0};
    constexpr std::array<std::size_t, 4> bytes_in_all = {1'000'000, 900, 2'000, 0};
    options.max_frames_per_session(frames.at(number % 4))
        .max_frame_bytes_per_session(bytes.at(number / 4 % 4))
        .max_frame_bytes(bytes_in_all.at(number / 16 % 4));
}

/// What a listener does when it is called.
enum class Deed : std::uint8_t {
    nothing,
    throw_exception,
    throw_number,
    wait_shortly,
    wait_long,
    remove_same,
    rotate_same,
    acquire_same,
    create,
    end_all,
    wait_for_other,
    wait_for_drain,
    /// Whatever the next byte says.
    begin_anything,
};

constexpr std::size_t deed_count = 13;

/// What an operation is one of.
enum class Subject : std::uint8_t { service, lease };

/// An operation that was begun.
struct Operation {
    std::string_view name;
    asio::cancellation_signal signal;
    /// Asio ends the program if a coroutine is cancelled between `co_spawn` and its beginning.
    bool has_begun = false;
    bool is_cancelled = false;
    bool has_ended = false;
};

using Lease = std::variant<SessionLease, ExclusiveLease, WeakLease>;

/// A lease that somebody holds. It is kept until nobody asks it anything.
struct Held {
    explicit Held(Lease given) : lease(std::move(given)) {}

    [[nodiscard]] SessionReference reference() const
    {
        return std::visit([](const auto& some) { return some.info().reference; }, lease);
    }

    [[nodiscard]] bool is_weak() const { return std::holds_alternative<WeakLease>(lease); }

    Lease lease;
    /// Not the one that comes with a creation.
    bool is_of_request = true;
};

/// An id that was given to somebody.
struct Known {
    SessionId id;
    SessionReference reference;
    /// Adopted ids may come again.
    bool is_issued = true;
    /// Nobody may find a session by it any more.
    bool is_gone = false;
};

class World {
public:
    explicit World(Choices& choices) : choices_(choices)
    {
        auto options = draw_options(choices_);
        for (auto& deed : deeds_) {
            deed = static_cast<Deed>(choices_.below(deed_count));
        }
        const std::size_t world = choices_.draw();
        const auto listeners = world % 4;
        draw_frames(options, world / 4);
        auto environment =
            ServiceEnvironment().clock(clock_).id_source(std::make_shared<testing::SeededIdSource>()
            );
        environment.on_failure([](std::string_view, const std::exception_ptr&) {
            throw std::runtime_error("a reporter that fails");
        });
        if (listeners % 2 == 0) {
            listens_to_ends_ = true;
            environment.on_removed([this](RemovedSession removed) {
                return on_removed(std::move(removed));
            });
        }
        if (listeners >= 2) {
            listens_to_creations_ = true;
            environment.on_created([this](SessionInfo created) {
                return on_created(std::move(created));
            });
        }
        const bool is_valid = !options.validate().has_value();
        try {
            service_.emplace(context_->get_executor(), options, environment);
        } catch (const boost::system::system_error& error) {
            if (is_valid || error.code() != errc::invalid_options) {
                report_finding("no service: {}", error.what());
            }
            return;
        }
        if (!is_valid) {
            report_finding("a service of invalid options");
        }
        options_ = options;
    }

    World(const World&) = delete;
    World& operator=(const World&) = delete;
    World(World&&) = delete;
    World& operator=(World&&) = delete;
    ~World() = default;

    void run()
    {
        if (!service_) {
            return;
        }
        const auto order = choices_.draw();
        while (!choices_.empty()) {
            if (act() == Pace::as_far_as_it_goes) {
                settle();
            }
            check_counters();
        }
        const bool is_abrupt = order % 4 == 3;
        if (!is_abrupt) {
            wind_down();
        }
        destroy(order / 4);
    }

private:
    using Action = void (World::*)();

    enum class Pace : std::uint8_t { as_far_as_it_goes, not_yet };

    /// Begins one operation; says whether it and all others shall go on.
    Pace act()
    {
        static constexpr std::array<Action, 32> actions = {
            &World::create,
            &World::acquire,
            &World::create,
            &World::record,
            &World::release,
            &World::remove,
            &World::rotate,
            &World::acquire_weak,
            &World::acquire_exclusive,
            &World::acquire_as_peer,
            &World::advance,
            &World::read_frames,
            &World::touch,
            &World::peek,
            &World::snapshot,
            &World::commit,
            &World::modify,
            &World::list,
            &World::cleanup,
            &World::end_principal,
            &World::cancel,
            &World::await_end,
            &World::touch_weakly,
            &World::go_back,
            &World::step,
            &World::drain,
            &World::create_adopted,
            &World::ask_health,
            &World::end_all,
            &World::follow_frames,
            &World::pass_to_next,
            &World::destroy_service
        };
        const auto byte = choices_.draw();
        (this->*actions[byte % actions.size()])();
        return byte < 192 ? Pace::as_far_as_it_goes : Pace::not_yet;
    }

    // What is begun. The lambdas are called when the service is there, and once.

    void create() { create_with(draw_creation()); }

    void create_adopted()
    {
        const std::size_t length = choices_.pick({4U, 100U});
        const std::string text(length, choices_.pick({'a', 'b'}));
        create_with(draw_creation().adopt(SessionId::parse(text).value()));
    }

    void create_with(CreateOptions wish)
    {
        const bool is_issued = !wish.adopted_id();
        begin<CreatedSession>(
            "create",
            [this, wish = std::move(wish), face = choices_.one_in(2)] {
                return face ? service_->async_create(wish, asio::use_awaitable)
                            : service_->create(wish);
            },
            {errc::rate_limited, errc::overloaded, errc::attributes_too_large, errc::id_in_use},
            [this, is_issued](CreatedSession created) {
                note_created(std::move(created), is_issued);
            }
        );
    }

    void acquire()
    {
        begin_at_id<SessionLease>(
            "acquire",
            [this, face = choices_.one_in(2)](SessionId id) {
                return face ? service_->async_acquire(std::move(id), asio::use_awaitable)
                            : service_->acquire(std::move(id));
            },
            {errc::rate_limited, errc::overloaded},
            [this](SessionLease lease) { hold(std::move(lease)); }
        );
    }

    void acquire_as_peer()
    {
        begin_at_id<SessionLease>(
            "acquire as a peer",
            [this](SessionId id) {
                return service_->acquire(std::move(id), AcquireOptions().peer("10.0.0.1"));
            },
            {errc::rate_limited, errc::overloaded},
            [this](SessionLease lease) { hold(std::move(lease)); }
        );
    }

    void acquire_exclusive()
    {
        const auto limit = choices_.pick<Duration>({1s, 0s, -1s, Duration::max()});
        begin_at_id<ExclusiveLease>(
            "acquire exclusively",
            [this, limit, face = choices_.one_in(2)](SessionId id) {
                return face ? service_->async_acquire_exclusive(
                                  std::move(id), limit, asio::use_awaitable
                              )
                            : service_->acquire_exclusive(std::move(id), limit);
            },
            {errc::rate_limited, errc::overloaded, errc::timed_out},
            [this](ExclusiveLease lease) { hold(std::move(lease)); }
        );
    }

    void acquire_weak()
    {
        begin_at_id<WeakLease>(
            "acquire weakly",
            [this](SessionId id) { return service_->acquire_weak(std::move(id)); },
            {errc::rate_limited, errc::overloaded},
            [this](WeakLease lease) { hold(std::move(lease)); }
        );
    }

    void peek()
    {
        begin_at_id<SessionInfo>(
            "peek",
            [this](SessionId id) { return service_->peek(std::move(id)); },
            {},
            [](const SessionInfo&) {}
        );
    }

    void touch()
    {
        begin_at_id<SessionInfo>(
            "touch",
            [this](SessionId id) { return service_->touch(std::move(id)); },
            {},
            [](const SessionInfo&) {}
        );
    }

    void rotate()
    {
        RotateOptions options;
        if (choices_.one_in(2)) {
            options.principal(draw_principal());
        }
        const auto old = pick_known();
        begin_at<SessionId>(
            old,
            "rotate",
            [this, options](SessionId id) { return service_->rotate(std::move(id), options); },
            {errc::overloaded},
            [this, old](SessionId fresh) { note_rotated(old, std::move(fresh)); }
        );
    }

    void remove()
    {
        const auto victim = pick_known();
        begin_at<void>(
            victim,
            "remove",
            [this, face = choices_.one_in(2)](SessionId id) {
                return face ? service_->async_remove(std::move(id), asio::use_awaitable)
                            : service_->remove(std::move(id));
            },
            {},
            [this, victim] { lose(known_[victim.value()]); }
        );
    }

    void end_principal()
    {
        begin<std::size_t>(
            "remove by principal",
            [this, name = draw_principal(), face = choices_.one_in(2)] {
                return face ? service_->async_remove_by_principal(name, asio::use_awaitable)
                            : service_->remove_by_principal(name);
            },
            {},
            [](std::size_t) {}
        );
    }

    void list()
    {
        ListOptions options;
        options.limit(choices_.pick<std::size_t>({100, 1, 0}));
        options.after({.shard = choices_.draw() % 4U, .slot = choices_.draw() % 4U});
        if (choices_.one_in(2)) {
            options.filter(SessionFilter().principal(draw_principal()));
        }
        begin<SessionPage>(
            "list",
            [this, options] { return service_->list(options); },
            {},
            [](const SessionPage& page) {
                std::set<SessionReference> references;
                for (const auto& session : page.sessions) {
                    if (!references.insert(session.reference).second) {
                        report_finding("{} is listed twice", session.reference);
                    }
                }
            }
        );
    }

    void snapshot()
    {
        begin_at_id<AttributeSnapshot>(
            "snapshot",
            [this](SessionId id) { return service_->snapshot(std::move(id)); },
            {},
            [this](const AttributeSnapshot& snapshot) { last_version_ = snapshot.version; }
        );
    }

    void commit()
    {
        begin_at_id<std::uint64_t>(
            "commit",
            [this, expected = last_version_, data = draw_attributes()](SessionId id) {
                return service_->commit(std::move(id), expected, data);
            },
            {errc::conflict, errc::attributes_too_large, errc::overloaded},
            [this, expected = last_version_](std::uint64_t version) {
                if (version != expected + 1) {
                    report_finding("a commit on {} made version {}", expected, version);
                }
                last_version_ = version;
            }
        );
    }

    void modify()
    {
        const auto size = choices_.draw();
        begin_at_id<AttributeSnapshot>(
            "modify",
            [this, size, face = choices_.one_in(2)](SessionId id) {
                const auto change = [size](Attributes& attributes) {
                    attributes.set("m", std::string(size, 'm'));
                };
                return face ? service_->async_modify(std::move(id), change, asio::use_awaitable)
                            : service_->modify(std::move(id), change);
            },
            {errc::conflict, errc::attributes_too_large, errc::overloaded},
            [size](const AttributeSnapshot& snapshot) {
                if (snapshot.data.get("m").value_or("").size() != size) {
                    report_finding("{} bytes were written, and others are there", size);
                }
            }
        );
    }

    void cleanup() { clean(CleanupScope::expired); }

    void end_all() { clean(CleanupScope::all); }

    void clean(CleanupScope scope)
    {
        begin<std::size_t>(
            "cleanup",
            [this, scope, face = choices_.one_in(2)] {
                return face ? service_->async_cleanup(scope, asio::use_awaitable)
                            : service_->cleanup(scope);
            },
            {},
            [](std::size_t) {}
        );
    }

    void ask_health()
    {
        begin<Health>(
            "health",
            [this] { return service_->health(); },
            {},
            [](const Health& health) {
                if (health.cleanup_lag < Duration::zero()) {
                    report_finding("cleanup is ahead by {}", -health.cleanup_lag.count());
                }
            }
        );
    }

    void drain()
    {
        // Rarely: nothing goes on after it.
        if (!choices_.one_in(4)) {
            return;
        }
        const auto options = DrainOptions()
                                 .limit(choices_.pick<Duration>({30s, 0s, Duration::max()}))
                                 .cancel_grace(choices_.pick<Duration>({1s, 0s}));
        begin<DrainReport>(
            "drain",
            [this, options, face = choices_.one_in(2)] {
                return face ? service_->async_drain(options, asio::use_awaitable)
                            : service_->drain(options);
            },
            {},
            [this](const DrainReport& report) { note_report(report); }
        );
    }

    void release()
    {
        if (!held_.empty()) {
            const auto place = held_.begin() + static_cast<std::ptrdiff_t>(pick_index(held_));
            const auto held = *place;
            held_.erase(place);
            std::visit([](auto& lease) { lease.release(); }, held->lease);
        }
    }

    void await_end()
    {
        if (held_.empty()) {
            return;
        }
        begin<void, Subject::lease>(
            "wait for the end",
            [held = held_[pick_index(held_)]] {
                return std::visit([](const auto& lease) { return lease.closed(); }, held->lease);
            },
            {},
            [] {}
        );
    }

    void touch_weakly()
    {
        for (const auto& held : held_) {
            if (held->is_weak()) {
                begin<void, Subject::lease>(
                    "touch weakly",
                    [held] { return std::get<WeakLease>(held->lease).touch(); },
                    {errc::not_found},
                    [] {}
                );
                return;
            }
        }
    }

    void record()
    {
        if (held_.empty()) {
            return;
        }
        const auto held = held_[pick_index(held_)];
        const auto size = choices_.draw();
        const auto way = size % 2 == 0 ? FrameDirection::from_client : FrameDirection::to_client;
        const auto stream = size % streams;
        auto payload = fmt::format("{} {}", ++payloads_, std::string(size, 'f'));
        const Frame frame(way, std::move(payload), stream, WallTime());
        begin<std::uint64_t, Subject::lease>(
            recording_name,
            [held, frame] {
                return std::visit(
                    [&frame](auto& lease) {
                        return lease.record(frame.direction, frame.payload, frame.stream);
                    },
                    held->lease
                );
            },
            {errc::not_found},
            [this, frame, reference = held->reference()](std::uint64_t number) {
                note_recorded(reference, number, frame);
            }
        );
    }

    void read_frames() { read(Patience::none); }

    void follow_frames() { read(Patience::endless); }

    /// Whether it waits for a frame.
    enum class Patience : std::uint8_t { none, endless };

    void read(Patience patience)
    {
        const auto query = draw_query();
        if (!choices_.one_in(2) || held_.empty()) {
            const auto known = pick_known();
            const auto reference = known ? known_[*known].reference : SessionReference();
            begin_reading<Subject::service>(reference, query, [this, patience, reference, query] {
                return patience == Patience::none ? service_->frames(reference, query)
                                                  : service_->next_frames(reference, query);
            });
            return;
        }
        const auto held = held_[pick_index(held_)];
        begin_reading<Subject::lease>(held->reference(), query, [patience, held, query] {
            return std::visit(
                [&](const auto& lease) {
                    return patience == Patience::none ? lease.frames(query)
                                                      : lease.next_frames(query);
                },
                held->lease
            );
        });
    }

    template <Subject subject, class Make>
    void begin_reading(SessionReference reference, FrameQuery query, Make make)
    {
        const bool was_gone = told_ends_.contains(reference);
        begin<FramePage, subject>(
            "read frames",
            make,
            {errc::not_found, errc::not_recorded},
            [this, reference, query, was_gone](const FramePage& page) {
                if (was_gone) {
                    report_finding("{} has frames, and has ended", reference);
                }
                note_page(reference, query, page);
            }
        );
    }

    void cancel()
    {
        if (operations_.empty()) {
            return;
        }
        auto& operation = *operations_[pick_index(operations_)];
        const auto type = choices_.pick(
            {asio::cancellation_type::terminal,
             asio::cancellation_type::partial,
             asio::cancellation_type::total}
        );
        if (operation.has_begun) {
            operation.is_cancelled = true;
            operation.signal.emit(type);
        }
    }

    void advance() { clock_->advance(choices_.pick<Duration>({1s, 1ms, 100ms, 5s, 1min, 8h})); }

    void go_back()
    {
        const auto length = choices_.pick<Duration>({1ms, 1s, 1min, 1h});
        clock_->set(std::max(clock_->steady() - length, TimePoint()));
    }

    void pass_to_next()
    {
        if (const auto next = clock_->next_deadline(); next != TimePoint::max()) {
            clock_->set(std::max(next, clock_->steady()));
        }
    }

    void step()
    {
        if (is_inside_) {
            return;
        }
        context_->restart();
        for (auto steps = choices_.below(8); steps > 0; --steps) {
            context_->poll_one();
        }
    }

    void destroy_service()
    {
        if (choices_.one_in(8)) {
            service_.reset();
        }
    }

    // What is drawn.

    template <class T>
    [[nodiscard]] std::size_t pick_index(const std::vector<T>& some)
    {
        // From the back: an input that is cut means the same for longer.
        return some.size() - 1 - choices_.below(std::min<std::size_t>(some.size(), 256));
    }

    /// Nothing for an id that nobody was given.
    [[nodiscard]] std::optional<std::size_t> pick_known()
    {
        const auto back = choices_.below(16);
        return back < known_.size() ? std::optional(known_.size() - 1 - back) : std::nullopt;
    }

    [[nodiscard]] std::string draw_principal()
    {
        return std::string(principals[choices_.below(principals.size())]);
    }

    [[nodiscard]] Attributes draw_attributes()
    {
        const auto size = choices_.draw();
        return size == 0 ? Attributes() : Attributes({{"k", std::string(size, 'v')}});
    }

    [[nodiscard]] FrameQuery draw_query()
    {
        const auto shape = choices_.draw();
        FrameQuery query;
        query.limit(shape % 2 == 0 ? 100 : 1);
        if (shape / 2 % 2 == 1) {
            query.after(last_read_);
        }
        if (shape / 4 % 4 == 3) {
            query.stream(shape / 16U % streams);
        }
        return query;
    }

    [[nodiscard]] CreateOptions draw_creation()
    {
        const auto shape = choices_.draw();
        CreateOptions wish;
        wish.principal(std::string(principals[shape % principals.size()]));
        if (shape / 4 % 2 == 1) {
            wish.attributes(draw_attributes());
        }
        if (shape / 8 % 4 == 3) {
            wish.idle_timeout(1s).absolute_lifetime(3s);
        }
        if (shape / 32 % 4 == 3) {
            wish.peer("10.0.0.1");
        }
        return wish;
    }

    // How something is begun.

    template <class T>
    using Awaitable = asio::awaitable<Result<T>>;

    /// `make` begins the operation, and `use` gets its result; errors but these are findings.
    template <class T, Subject subject = Subject::service, class Make, class Use>
    void begin(std::string_view name, Make make, std::initializer_list<errc> errors, Use use)
    {
        if (const auto operation = add(name)) {
            spawn(operation, perform<T, subject>(operation, make, errors, use));
        }
    }

    /// The same of a session that is or was known, or of one that never was.
    template <class T, class Make, class Use>
    void begin_at(
        std::optional<std::size_t> known,
        std::string_view name,
        Make make,
        std::initializer_list<errc> errors,
        Use use
    )
    {
        if (const auto operation = add(name)) {
            spawn(operation, perform_at<T>(operation, known, make, errors, use));
        }
    }

    template <class T, class Make, class Use>
    void begin_at_id(std::string_view name, Make make, std::initializer_list<errc> errors, Use use)
    {
        begin_at<T>(pick_known(), name, make, errors, use);
    }

    /// Nothing if so much goes on that some must end first.
    std::shared_ptr<Operation> add(std::string_view name)
    {
        constexpr std::size_t operations_max = 64;
        std::erase_if(operations_, [](const auto& operation) { return operation->has_ended; });
        if (operations_.size() >= operations_max) {
            return nullptr;
        }
        operations_.push_back(std::make_shared<Operation>());
        operations_.back()->name = name;
        return operations_.back();
    }

    void spawn(const std::shared_ptr<Operation>& operation, asio::awaitable<void> performance)
    {
        asio::co_spawn(
            *context_,
            std::move(performance),
            asio::bind_cancellation_slot(
                operation->signal.slot(),
                [operation](const std::exception_ptr& failure) { end(*operation, failure); }
            )
        );
    }

    template <class T, Subject subject, class Make, class Use>
    asio::awaitable<void>
    perform(std::shared_ptr<Operation> operation, Make make, std::vector<errc> errors, Use use)
    {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        operation->has_begun = true;
        if (subject == Subject::service && !service_) {
            co_return;
        }
        std::optional<Make> once(std::move(make));
        auto begun = (*once)();
        once.reset();
        auto result = co_await std::move(begun);
        if (!result) {
            check_error(*operation, result.error(), errors);
        } else if constexpr (std::is_void_v<T>) {
            use();
        } else {
            use(*std::move(result));
        }
    }

    template <class T, class Make, class Use>
    asio::awaitable<void> perform_at(
        std::shared_ptr<Operation> operation,
        std::optional<std::size_t> known,
        Make make,
        std::vector<errc> errors,
        Use use
    )
    {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        operation->has_begun = true;
        if (!service_) {
            co_return;
        }
        const auto unknown = SessionId::parse(std::string(SessionId::issued_length, 'U')).value();
        const bool was_gone = !known || known_[*known].is_gone;
        auto begun = make(known ? known_[*known].id : unknown);
        auto result = co_await std::move(begun);
        if (!result) {
            if (result.error() == errc::not_found && known) {
                lose(known_[*known]);
            }
            errors.push_back(errc::not_found);
            check_error(*operation, result.error(), errors);
            co_return;
        }
        if (was_gone) {
            report_finding("{}: a session is found that is gone", operation->name);
        }
        if constexpr (std::is_void_v<T>) {
            use();
        } else {
            use(*std::move(result));
        }
    }

    void check_error(
        const Operation& operation, const Error& error, const std::vector<errc>& expected
    ) const
    {
        const bool is_running = service_ && service_->state() == ServiceState::running;
        const bool is_expected =
            std::ranges::any_of(expected, [&error](errc code) { return error == code; }) ||
            (error == errc::stopping && !is_running) ||
            (error.code() == asio::error::operation_aborted && (operation.is_cancelled || !service_)
            );
        if (!is_expected) {
            report_finding("{}: {}", operation.name, error);
        }
        if (error == errc::rate_limited && error.retry_after() <= Duration::zero()) {
            report_finding("{}: rate limited, but may come at once", operation.name);
        }
    }

    static void end(Operation& operation, const std::exception_ptr& failure)
    {
        if (std::exchange(operation.has_ended, true)) {
            report_finding("{} ended twice", operation.name);
        }
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const boost::system::system_error& error) {
                if (error.code() != asio::error::operation_aborted || !operation.is_cancelled) {
                    report_finding("{} threw '{}'", operation.name, error.what());
                }
            } catch (const std::exception& error) {
                report_finding("{} threw '{}'", operation.name, error.what());
            }
        }
    }

    // What is known.

    void note_created(CreatedSession created, bool is_issued)
    {
        known_.push_back(
            {.id = std::move(created.id),
             .reference = created.lease.info().reference,
             .is_issued = is_issued}
        );
        hold(std::move(created.lease), false);
    }

    void note_rotated(std::optional<std::size_t> old, SessionId fresh)
    {
        // Only what is known is found; but who had an adopted id may be another by now.
        auto& before = known_[old.value()];
        const auto reference = before.is_issued ? before.reference : SessionReference();
        lose(before);
        known_.push_back({.id = std::move(fresh), .reference = reference});
        if (told_ends_.contains(reference)) {
            lose(known_.back());
        }
    }

    static void lose(Known& known) { known.is_gone = known.is_issued; }

    void hold(Lease lease, bool is_of_request = true)
    {
        const auto fresh = std::make_shared<Held>(std::move(lease));
        fresh->is_of_request = is_of_request;
        held_.push_back(fresh);
        if (fresh->is_weak()) {
            return;
        }
        const auto reference = fresh->reference();
        if (told_ends_.contains(reference)) {
            report_finding("{} is leased, and was told to have ended", reference);
        }
        std::size_t of_session = 0;
        std::size_t exclusive = 0;
        std::size_t in_flight = 0;
        for (const auto& held : held_) {
            const bool is_same = held->reference() == reference;
            of_session += is_same && !held->is_weak() ? 1U : 0U;
            exclusive += is_same && std::holds_alternative<ExclusiveLease>(held->lease) ? 1U : 0U;
            in_flight += held->is_of_request && !held->is_weak() ? 1U : 0U;
        }
        if (of_session > options_.max_in_flight_per_session() || exclusive > 1 ||
            in_flight > options_.max_in_flight().value_or(in_flight)) {
            report_finding(
                "{} leases, of which {} are of {}, and {} of those exclusive",
                in_flight,
                of_session,
                reference,
                exclusive
            );
        }
    }

    /// 0 if it was not kept.
    void note_recorded(SessionReference reference, std::uint64_t number, const Frame& frame)
    {
        if (options_.max_frames_per_session() == 0) {
            if (number != 0) {
                report_finding("a frame is recorded where none are");
            }
            return;
        }
        ++frames_recorded_;
        if (number != 0) {
            note_frame(reference, number, frame);
        }
    }

    /// Whoever sees the frame of a number sees the same.
    void note_frame(SessionReference reference, std::uint64_t number, const Frame& frame)
    {
        const auto& known = frames_[reference].try_emplace(number, frame).first->second;
        if (known.payload != frame.payload || known.direction != frame.direction ||
            known.stream != frame.stream) {
            report_finding("there are two frames {} of {}", number, reference);
        }
    }

    void note_page(SessionReference reference, const FrameQuery& query, const FramePage& page)
    {
        auto before = std::max(query.after(), page.first_kept - 1);
        std::size_t bytes = 0;
        for (const auto& frame : page.frames) {
            if (frame->sequence <= before) {
                report_finding("frame {} of {} comes after {}", frame->sequence, reference, before);
            }
            if (query.stream().value_or(frame->stream) != frame->stream) {
                report_finding("a frame of stream {} was not asked for", frame->stream);
            }
            note_frame(reference, frame->sequence, *frame);
            before = frame->sequence;
            bytes += frame->bytes();
        }
        const auto kept = page.newest - page.dropped;
        if (page.frames.size() > std::min<std::uint64_t>(query.limit(), kept) ||
            kept > options_.max_frames_per_session() || page.dropped > page.newest ||
            bytes > options_.max_frame_bytes_per_session() || bytes > options_.max_frame_bytes()) {
            report_finding(
                "{} frames of {} bytes, of {} that are kept and {} dropped",
                page.frames.size(),
                bytes,
                kept,
                page.dropped
            );
        }
        if (page.next < before || (page.frames.size() < query.limit() && page.next < page.newest)) {
            report_finding("after {} of {} comes {}", before, page.newest, page.next);
        }
        last_read_ = page.next;
    }

    void note_report(const DrainReport& report)
    {
        if (report.still_leased > report.cancelled) {
            report_finding("{} of {} are left", report.still_leased, report.cancelled);
        }
        if (report_ && *report_ != report) {
            report_finding("two drains tell different reports");
        }
        report_ = report;
    }

    // What listeners do.

    asio::awaitable<void> on_created(SessionInfo created)
    {
        const auto reference = created.reference;
        if (!told_creations_.insert(reference).second) {
            report_finding("the creation of {} is told twice", reference);
        }
        if (told_ends_.contains(reference)) {
            report_finding("the creation of {} is told after its end", reference);
        }
        co_await do_next(reference);
    }

    asio::awaitable<void> on_removed(RemovedSession removed)
    {
        const auto reference = removed.reference;
        if (!told_ends_.insert(reference).second) {
            report_finding("the end of {} is told twice", reference);
        }
        for (const auto& held : held_) {
            if (!held->is_weak() && held->reference() == reference) {
                report_finding("the end of {} is told, and it is leased", reference);
            }
        }
        for (auto& known : known_) {
            if (known.reference == reference) {
                lose(known);
            }
        }
        co_await do_next(reference);
    }

    asio::awaitable<void> do_next(SessionReference reference)
    {
        // One that does something for each end, and ends something by that, would go on for ever.
        constexpr std::size_t deeds_max = 64;
        if (deeds_done_ == deeds_max || !service_) {
            co_return;
        }
        const auto deed = deeds_[deeds_done_ % deeds_.size()];
        ++deeds_done_;
        // What it awaits may be cut off at any time.
        const auto operation = std::make_shared<Operation>();
        operation->name = "in a listener";
        operation->is_cancelled = true;
        const auto same = find_known(reference);
        switch (deed) {
        case Deed::nothing:
            break;
        case Deed::throw_exception:
            throw std::runtime_error("a listener that fails");
        case Deed::throw_number:
            throw 42;
        case Deed::wait_shortly:
            co_await wait(10ms);
            break;
        case Deed::wait_long:
            co_await wait(10min);
            break;
        case Deed::begin_anything:
            is_inside_ = true;
            static_cast<void>(act());
            is_inside_ = false;
            break;
        default:
            co_await perform_deed(deed, operation, same);
        }
    }

    /// One that the listener waits for.
    asio::awaitable<void>
    perform_deed(Deed deed, std::shared_ptr<Operation> operation, std::optional<std::size_t> same)
    {
        static constexpr std::initializer_list<errc> refusals = {
            errc::rate_limited, errc::overloaded, errc::timed_out
        };
        switch (deed) {
        case Deed::remove_same:
            return perform_at<void>(
                operation,
                same,
                [this](SessionId id) { return service_->remove(std::move(id)); },
                {},
                [] {}
            );
        case Deed::rotate_same:
            return perform_at<SessionId>(
                operation,
                same,
                [this](SessionId id) { return service_->rotate(std::move(id)); },
                refusals,
                [this, same](SessionId fresh) { note_rotated(same, std::move(fresh)); }
            );
        case Deed::acquire_same:
            return perform_at<SessionLease>(
                operation,
                same,
                [this](SessionId id) { return service_->acquire(std::move(id)); },
                refusals,
                [this](SessionLease lease) { hold(std::move(lease)); }
            );
        case Deed::wait_for_other:
            return perform_at<ExclusiveLease>(
                operation,
                pick_known(),
                [this](SessionId id) {
                    return service_->acquire_exclusive(std::move(id), Duration::max());
                },
                refusals,
                [this](ExclusiveLease lease) { hold(std::move(lease)); }
            );
        case Deed::create:
            return perform<CreatedSession, Subject::service>(
                operation,
                [this] { return service_->create(); },
                refusals,
                [this](CreatedSession created) { note_created(std::move(created), true); }
            );
        case Deed::end_all:
            return perform<std::size_t, Subject::service>(
                operation,
                [this] { return service_->cleanup(CleanupScope::all); },
                {},
                [](std::size_t) {}
            );
        default:
            return perform<DrainReport, Subject::service>(
                operation,
                [this] { return service_->drain(DrainOptions().limit(1s)); },
                {},
                [this](const DrainReport& report) { note_report(report); }
            );
        }
    }

    [[nodiscard]] std::optional<std::size_t> find_known(SessionReference reference) const
    {
        const auto found = std::ranges::find(known_, reference, &Known::reference);
        return found == known_.end()
                   ? std::nullopt
                   : std::optional(static_cast<std::size_t>(found - known_.begin()));
    }

    /// Does not end before, whoever cancels it.
    asio::awaitable<void> wait(Duration length)
    {
        const auto timer = clock_->make_timer(co_await asio::this_coro::executor);
        const auto deadline = clock_->steady() + length;
        const auto start = [&timer, deadline](auto handler) {
            timer->start_wait(deadline, std::move(handler));
        };
        auto waiting =
            asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(
                start, asio::use_awaitable
            );
        co_await std::move(waiting);
    }

    // How it goes on, and ends.

    void settle()
    {
        constexpr std::size_t most = 100'000;
        context_->restart();
        std::size_t count = 0;
        while (context_->poll_one() > 0) {
            if (++count == most) {
                report_finding("the service does not come to rest");
            }
        }
    }

    /// The counters, and whether nothing else happened while they were looked at.
    std::pair<Metrics, bool> counters()
    {
        const auto found = std::make_shared<std::optional<Metrics>>();
        asio::co_spawn(
            observer_,
            service_->metrics(),
            [found](const std::exception_ptr& failure, const Result<Metrics>& metrics) {
                if (failure || !metrics) {
                    report_finding("there are no metrics");
                }
                *found = *metrics;
            }
        );
        constexpr std::size_t most = 100'000;
        for (std::size_t count = 0;; ++count) {
            observer_.restart();
            observer_.poll();
            if (*found) {
                return {**found, count == 0};
            }
            if (count == most) {
                report_finding("metrics are waited for");
            }
            context_->restart();
            context_->poll_one();
        }
    }

    void check_counters()
    {
        if (!service_) {
            return;
        }
        const auto recorded_before = frames_recorded_;
        const auto [now, is_exact] = counters();
        if (!now.ledger_holds()) {
            report_finding(
                "the ledger does not hold: {} created, {} live, {} removed, {} half-open, {} "
                "closing",
                now.created,
                now.live,
                now.removed_total(),
                now.half_open,
                now.closing
            );
        }
        const auto pending = now.pending_creations + now.pending_removals;
        // A new session that is told of takes two places.
        const auto pending_max =
            std::max<std::size_t>(options_.max_pending_events(), listens_to_creations_ ? 2 : 1);
        if (now.live > options_.max_sessions() || now.half_open > options_.max_half_open() ||
            now.leased > now.live || now.live + pending > options_.max_sessions() + pending_max) {
            report_finding(
                "{} live, {} leased, {} half-open, {} pending",
                now.live,
                now.leased,
                now.half_open,
                pending
            );
        }
        const auto recorded_most =
            frames_recorded_ +
            static_cast<std::uint64_t>(std::ranges::count_if(operations_, [](const auto& one) {
                return one->name == recording_name && !one->has_ended;
            }));
        const bool is_one = options_.shards() == 1;
        if (now.frames_recorded < recorded_before || now.frames_recorded > recorded_most ||
            now.frames > options_.max_sessions() * options_.max_frames_per_session() ||
            (is_one && now.frame_bytes > options_.max_frame_bytes())) {
            report_finding(
                "{} frames recorded of {} to {}, {} kept of {} bytes",
                now.frames_recorded,
                recorded_before,
                recorded_most,
                now.frames,
                now.frame_bytes
            );
        }
        if (now.created < before_.created || now.removed_total() < before_.removed_total() ||
            now.acquires < before_.acquires) {
            report_finding("a counter goes back");
        }
        before_ = now;
        const bool is_telling = listens_to_ends_ && is_exact &&
                                (service_->state() == ServiceState::running ||
                                 service_->state() == ServiceState::draining);
        const auto told = told_ends_.size();
        if (is_telling &&
            (told > now.removed_total() || told + now.pending_removals < now.removed_total())) {
            report_finding(
                "{} ends were told, {} are pending, of {}",
                told,
                now.pending_removals,
                now.removed_total()
            );
        }
    }

    void wind_down()
    {
        complete_all();
        if (!service_) {
            return;
        }
        const auto operation = add("drain");
        if (operation) {
            const auto make = [this] { return service_->drain(DrainOptions()); };
            const auto use = [this](const DrainReport& report) { note_report(report); };
            spawn(operation, perform<DrainReport, Subject::service>(operation, make, {}, use));
        }
        complete_all();
        check_counters();
        if (service_->state() != ServiceState::closed || !report_) {
            report_finding("drained, and {}", to_string(service_->state()));
        }
        if (before_.live != 0 || before_.leased != 0) {
            report_finding("drained, and {} live, {} leased", before_.live, before_.leased);
        }
        if (before_.frames != 0 || before_.frame_bytes != 0) {
            report_finding(
                "drained, and {} frames of {} bytes", before_.frames, before_.frame_bytes
            );
        }
        const bool are_all_told = listens_to_ends_ && report_->events_undelivered == 0;
        if (are_all_told && report_->still_leased == 0 &&
            told_ends_.size() != before_.removed_total()) {
            report_finding(
                "drained, and {} of {} were told", told_ends_.size(), before_.removed_total()
            );
        }
    }

    /// Gives all leases back, and lets as much time pass as is waited for.
    void complete_all()
    {
        constexpr std::size_t most = 10'000;
        for (std::size_t count = 0;; ++count) {
            while (!held_.empty()) {
                release();
            }
            settle();
            const auto waiting = std::ranges::find(operations_, false, [](const auto& operation) {
                return operation->has_ended;
            });
            if (waiting == operations_.end() && held_.empty()) {
                return;
            }
            const auto next = clock_->next_deadline();
            if (held_.empty() && (next == TimePoint::max() || count == most)) {
                report_finding("{} does not end", (*waiting)->name);
            }
            if (held_.empty()) {
                clock_->set(std::max(next, clock_->steady()));
            }
        }
    }

    void destroy(std::size_t order)
    {
        const std::array<std::function<void()>, 3> ends = {
            [this] { service_.reset(); }, [this] { context_.reset(); }, [this] { held_.clear(); }
        };
        std::array<std::size_t, 3> turns = {0, 1, 2};
        for (order %= 6; order > 0; --order) {
            std::ranges::next_permutation(turns);
        }
        for (const auto turn : turns) {
            ends[turn]();
        }
    }

    Choices& choices_;
    std::shared_ptr<testing::ManualClock> clock_ = std::make_shared<testing::ManualClock>();
    /// Runs nothing but what looks at the counters, so that nothing else goes on by that.
    asio::io_context observer_{1};
    std::optional<asio::io_context> context_{std::in_place, 1};
    ServiceOptions options_;
    std::array<Deed, 8> deeds_{};
    std::size_t deeds_done_ = 0;
    bool listens_to_creations_ = false;
    bool listens_to_ends_ = false;
    /// Inside a listener.
    bool is_inside_ = false;
    std::vector<Known> known_;
    std::vector<std::shared_ptr<Held>> held_;
    std::vector<std::shared_ptr<Operation>> operations_;
    std::set<SessionReference> told_creations_;
    std::set<SessionReference> told_ends_;
    std::uint64_t last_version_ = 1;
    /// Those that were kept, by session and number.
    std::map<SessionReference, std::map<std::uint64_t, Frame>> frames_;
    std::uint64_t payloads_ = 0;
    std::uint64_t frames_recorded_ = 0;
    std::uint64_t last_read_ = 0;
    Metrics before_;
    std::optional<DrainReport> report_;
    std::optional<SessionService> service_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Choices choices({data, size});
    World world(choices);
    world.run();
    return 0;
}
