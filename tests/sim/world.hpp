/// @file
/// A simulated world: a service, its listeners with their faults, and clients that create, acquire,
/// hold, change, are cancelled and vanish, as a plan says and in an order that a seed picks.

#ifndef SOJOURN_TESTS_SIM_WORLD_HPP
#define SOJOURN_TESTS_SIM_WORLD_HPP

#include "sim/known.hpp"
#include "sim/plan.hpp"
#include "sim/second_thread.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sojourn::tests::sim {

/// What a run came to.
struct Outcome {
    std::uint64_t operations = 0;
    std::uint64_t steps = 0;
    std::uint64_t sessions = 0;
    /// Steps that another thread took in the middle of one.
    std::uint64_t interruptions = 0;
    std::uint64_t cancellations = 0;
    Duration time{};
    /// Of all that was chosen and answered: the same for every run of the same plan.
    std::uint64_t trace = 0xcbf29ce484222325U;
};

/// A world. For one run.
class World {
    struct Flight;

public:
    /// An operation that has begun.
    using Operation = std::weak_ptr<Flight>;

    World(Swarm swarm, std::shared_ptr<testing::ChoiceSource> choices, std::uint64_t seed);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    World(World&&) = delete;
    World& operator=(World&&) = delete;
    ~World();

    /// Takes a step, and then some of what it made ready.
    void take(const Step& step);

    /// Begins what a step says, and runs nothing yet. Empty if that is no operation which waits.
    Operation begin(const Step& step);

    /// The same as one more step that is ready, where others take effect as they begin.
    Operation post(const Step& step);

    /// Runs one of those that are ready; false if none is.
    bool run_one();

    /// Lets time pass, and what is due run.
    void pass(Duration length);

    /// Brings everything to its end, as the swarm says, and looks at what is left.
    void end();

    /// False if it has ended, or there is none.
    bool cancel(const Operation& operation, boost::asio::cancellation_type type);

    [[nodiscard]] Outcome outcome() const;

private:
    struct FaultyIdSource;
    using FlightPointer = std::shared_ptr<Flight>;
    template <class T>
    using Begin = std::function<boost::asio::awaitable<Result<T>>(SessionService&)>;
    template <class T>
    using Finish = void (World::*)(const Flight&, Result<T>&);

    template <class Lease>
    struct Held {
        std::size_t session;
        Lease lease;
        bool has_permit;
        bool is_first;
    };

    enum class Face : std::uint8_t { coroutine, handler };

    [[nodiscard]] ServiceEnvironment environment();
    void mix(std::uint64_t decision) noexcept;
    [[nodiscard]] std::size_t choose(std::size_t count);
    [[nodiscard]] bool happens(unsigned percent);
    void settle();
    void run_interrupted();

    // Beginning operations.

    [[nodiscard]] FlightPointer
    prepare(Action action, std::optional<std::size_t> session = std::nullopt) const;
    template <class T>
    void launch(const FlightPointer& flight, Begin<T> begin, Finish<T> finish);
    template <class T>
    static boost::asio::awaitable<void>
    follow(World& self, FlightPointer flight, Begin<T> begin, Finish<T> finish);
    void begin_step(const Step& step);
    void take_off(Flight& flight);
    void touch_down(const Flight& flight);
    void land(const FlightPointer& flight, const std::exception_ptr& failure);
    void begin_on(Action action, std::size_t session, const Step& step, Face face);
    void begin_creation(const Step& step, Face face);
    void begin_commit(std::size_t session, const Step& step, Face face);
    void begin_drain(Duration limit, Duration grace, Face face);
    void release(std::uint32_t number);
    void release_all();
    void touch_weak(std::uint32_t number);
    void wait_for_end(std::uint32_t number);
    template <class F>
    void with_lease(std::uint32_t number, F f);
    void record(const Step& step);
    [[nodiscard]] FlightPointer prepare_reading(const Step& step, std::size_t session) const;
    void begin_reading(const Step& step, Face face);
    boost::asio::awaitable<Result<FramePage>> read(FlightPointer flight, Face face);
    boost::asio::awaitable<Result<FramePage>> ask_for_page(const Flight& flight, Face face);
    boost::asio::awaitable<Result<FramePage>>
    read_on(FlightPointer flight, boost::asio::awaitable<Result<FramePage>> first);
    void pass_some(const Step& step);
    void turn_back(const Step& step);

    // Judging what came of them.

    void created(const Flight& flight, Result<CreatedSession>& result);
    void acquired(const Flight& flight, Result<SessionLease>& result);
    void acquired_exclusive(const Flight& flight, Result<ExclusiveLease>& result);
    void acquired_weak(const Flight& flight, Result<WeakLease>& result);
    void looked_at(const Flight& flight, Result<SessionInfo>& result);
    void rotated(const Flight& flight, Result<SessionId>& result);
    void removed(const Flight& flight, Result<void>& result);
    void counted(const Flight& flight, Result<std::size_t>& result);
    void listed(const Flight& flight, Result<SessionPage>& result);
    void saw(const Flight& flight, Result<AttributeSnapshot>& result);
    void committed(const Flight& flight, Result<std::uint64_t>& result);
    void measured(const Flight& flight, Result<Metrics>& result);
    void asked(const Flight& flight, Result<Health>& result);
    void touched_weak(const Flight& flight, Result<void>& result);
    void saw_end(const Flight& flight, Result<void>& result);
    void recorded(const Flight& flight, Result<std::uint64_t>& result);
    void read_frames(const Flight& flight, Result<FramePage>& result);
    void judge_page(const Flight& flight, const FramePage& page);
    void drained(const Flight& flight, Result<DrainReport>& result);
    void judge_error(const Flight& flight, const Error& error);
    void judge_missing(const Flight& flight) const;
    void judge_rate_limit(const Flight& flight, const Error& error) const;
    void judge_count(const Flight& flight, std::size_t count) const;
    void judge_found(const Flight& flight, std::size_t session);
    void judge_lease(const Flight& flight, std::size_t session);

    // Listeners.

    boost::asio::awaitable<void> hear_created(SessionInfo session);
    boost::asio::awaitable<void> hear_removed(RemovedSession session);
    boost::asio::awaitable<void> misbehave(SessionReference reference);
    boost::asio::awaitable<void> call_back(SessionReference reference);
    void judge_removal(const RemovedSession& session);

    // Endings.

    void end_quietly();
    void end_after_drain();
    void end_without_service();
    void end_without_context();
    void finish_all();
    void check_limits() const;
    void check_followers() const;
    void check_frames();
    void check_frame_room(SessionLease& lease);
    void check_frame_books(const Metrics& metrics) const;
    void check_books();
    void check_health();
    void check_room();
    void check_nothing_is_left();

    [[nodiscard]] std::size_t known(SessionReference reference);
    [[nodiscard]] std::optional<std::size_t> find_session(std::uint32_t number) const;
    void target(const std::optional<std::string>& principal);
    [[nodiscard]] bool may_evict() const;
    [[nodiscard]] bool may_have_gone(const Known& known, Sequence since) const;
    [[nodiscard]] bool is_surely_of(const Flight& sweep, const Known& known) const;

    [[nodiscard]] TimePoint now() const { return clock_->steady(); }

    /// No time that the service knows is later.
    [[nodiscard]] TimePoint latest() const { return std::max(now(), latest_before_turning_); }

    const Swarm swarm_;
    std::shared_ptr<testing::ChoiceSource> choices_;
    std::unique_ptr<testing::Simulation> simulation_;
    std::shared_ptr<testing::ManualClock> clock_;
    std::unique_ptr<SecondThread> second_thread_;
    bool is_interrupted_ = false;

    Sequence sequence_ = 0;
    std::deque<Known> known_;
    std::unordered_map<SessionReference, std::size_t> by_reference_;
    std::vector<FlightPointer> flights_;
    /// What the step that is being taken has begun.
    Operation begun_;
    std::vector<Held<SessionLease>> leases_;
    std::vector<Held<ExclusiveLease>> exclusive_leases_;
    std::vector<Held<WeakLease>> weak_leases_;
    std::exception_ptr violation_;

    // Ends that may hit sessions that are being created meanwhile.

    int sweeps_in_flight_ = 0;
    Sequence last_sweep_ = 0;
    bool is_drain_begun_ = false;
    bool is_drain_cut_off_ = false;
    bool is_ending_ = false;

    std::uint64_t creations_begun_ = 0;
    std::uint64_t creations_ended_ = 0;
    std::uint64_t created_ = 0;
    std::uint64_t listener_faults_ = 0;
    std::uint64_t permits_held_ = 0;
    std::uint64_t attribute_values_ = 0;
    std::uint64_t payloads_ = 0;
    /// Those that were answered, and those that may have their turn.
    std::uint64_t frames_recorded_ = 0;
    std::uint64_t recordings_in_flight_ = 0;
    TimePoint began_;
    /// What the clock showed before it went back, at most.
    TimePoint latest_before_turning_;
    Outcome outcome_;
    std::unique_ptr<SessionService> service_;
};

/// Runs a plan from its beginning to its end. With `kept`, only those of its steps. *Exceptions*:
/// `Violation`.
Outcome run(const Plan& plan, const std::vector<std::size_t>* kept = nullptr);

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_WORLD_HPP
