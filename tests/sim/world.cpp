// A world's course: steps, time, interruptions and endings.

#include "sim/world.hpp"

#include "sim/world_flight.hpp"

#include <sojourn/async/gate.hpp>

#include <algorithm>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests::sim {

namespace {

/// More than all timeouts that a swarm may draw, and what listeners take.
constexpr Duration long_enough = 9h;
constexpr Duration longest_hang = 25h;

} // namespace

/// Random bytes that follow from the seed, and fail now and then.
struct World::FaultyIdSource final : IdSource {
    FaultyIdSource(World& world, std::uint64_t seed) : world_(world), source_(seed) {}

    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        if (world_.service_ && !world_.is_ending_ &&
            world_.happens(world_.swarm_.id_source_fails)) {
            return make_error_code(boost::system::errc::io_error);
        }
        return source_.fill(bytes);
    }

private:
    World& world_;
    testing::SeededIdSource source_;
};

World::World(Swarm swarm, std::shared_ptr<testing::ChoiceSource> choices, std::uint64_t seed)
    : swarm_(std::move(swarm)),
      choices_(std::move(choices)),
      simulation_(std::make_unique<testing::Simulation>(choices_)),
      clock_(simulation_->clock()),
      began_(clock_->steady())
{
    if (swarm_.post_interrupted > 0) {
        second_thread_ = std::make_unique<SecondThread>();
        simulation_->context().on_post([this] { run_interrupted(); });
    }
    is_interrupted_ = true;
    service_ = std::make_unique<SessionService>(
        simulation_->executor(),
        swarm_.options,
        environment().clock(clock_).id_source(std::make_shared<FaultyIdSource>(*this, seed))
    );
    is_interrupted_ = false;
}

World::~World()
{
    is_interrupted_ = true;
}

/// Fowler, Noll and Vo's hash, FNV-1a, over whole words; it begins with their basis.
void World::mix(std::uint64_t decision) noexcept
{
    constexpr std::uint64_t prime = 0x100000001b3U;
    outcome_.trace = (outcome_.trace ^ decision) * prime;
}

std::size_t World::choose(std::size_t count)
{
    const auto choice = choices_->choose(count);
    mix(choice);
    return choice;
}

bool World::happens(unsigned percent)
{
    constexpr unsigned always = 100;
    // What is certain is no choice.
    return percent > 0 && (percent >= always || choose(always) < percent);
}

void World::take(const Step& step)
{
    begin(step);
    for (std::uint8_t i = 0; i < step.gap && run_one(); ++i) {
    }
}

bool World::run_one()
{
    detail::inline_budget() = happens(swarm_.call_suspends) ? 0 : inline_completion_budget;
    const bool has_run = simulation_->context().run_one();
    if (violation_) {
        std::rethrow_exception(std::exchange(violation_, nullptr));
    }
    std::erase_if(flights_, [](const FlightPointer& flight) { return flight->is_done; });
    return has_run;
}

void World::settle()
{
    constexpr int longest = 1'000'000;
    int steps = 0;
    while (run_one()) {
        require(++steps < longest, "something goes round in circles");
    }
    check_followers();
}

void World::pass(Duration length)
{
    const auto until = saturating_add(now(), length);
    settle();
    while (now() < until) {
        clock_->advance(std::min(clock_->next_deadline(), until) - now());
        settle();
    }
}

/// Another thread comes between, where this one has made something ready.
void World::run_interrupted()
{
    if (is_interrupted_ || !happens(swarm_.post_interrupted)) {
        return;
    }
    is_interrupted_ = true;
    ++outcome_.interruptions;
    second_thread_->run([this] {
        try {
            detail::inline_budget() = inline_completion_budget;
            simulation_->context().run_one();
        } catch (...) {
            violation_ = std::current_exception();
        }
    });
    is_interrupted_ = false;
}

void World::end()
{
    switch (swarm_.ending) {
    case Ending::quiet:
        end_quietly();
        break;
    case Ending::drained:
        end_after_drain();
        break;
    case Ending::service_gone:
        end_without_service();
        break;
    case Ending::context_gone:
        end_without_context();
        break;
    }
}

void World::end_quietly()
{
    settle();
    check_frames();
    finish_all();
    is_ending_ = true;
    // Sessions that were made before the clock went back live as long as they would have.
    pass(2 * long_enough + (swarm_.clock_goes_back ? Duration(24h) : Duration::zero()));
    check_books();
    if (!is_drain_begun_) {
        check_health();
        check_room();
    }
    is_interrupted_ = true;
    service_.reset();
    is_interrupted_ = false;
    check_nothing_is_left();
}

/// Whatever the listeners did, the background goes on.
void World::check_health()
{
    const auto health = simulation_->run(service_->health()).value();
    require(health.cleanup.running, "the cleanup loop has died");
    require(
        health.events.running || !(swarm_.hears_created || swarm_.hears_removed),
        "the events loop has died"
    );
    require(health.is_ready(), "the service is not ready any more");
    require(health.listener_failures >= listener_faults_, "a listener's failure was not counted");
}

/// Nobody holds anything, so there is room for anybody, and as many permits as there ever were.
void World::check_room()
{
    const auto& options = swarm_.options;
    const auto rate = options.request_rate();
    auto most = std::min(options.max_in_flight().value_or(1), options.max_in_flight_per_session());
    most = rate.is_unlimited() ? most : std::min<std::size_t>(most, rate.burst());
    for (const auto* const principal : {"", "principal 0"}) {
        auto created = simulation_->run(service_->create(CreateOptions().principal(principal)));
        require(created.has_value(), "no room for a session, though there is none");
        ++created_;
        created->lease.release();
        std::vector<SessionLease> leases;
        for (std::size_t i = 0; i < most; ++i) {
            auto lease = simulation_->run(service_->acquire(created->id));
            require(lease.has_value(), "no permit for a request, though nobody holds one");
            leases.push_back(std::move(*lease));
        }
        check_frame_room(leases.front());
        leases.clear();
        // Its end is told before the next needs its place.
        require(simulation_->run(service_->remove(created->id)).has_value(), "it is not there");
        pass(1s);
    }
}

void World::end_after_drain()
{
    if (!is_drain_begun_) {
        begin_drain(1s, 1s, Face::coroutine);
    }
    finish_all();
    is_ending_ = true;
    pass(long_enough);
    finish_all();
    require(service_->state() == ServiceState::closed, "the drain has ended and nothing is closed");
    check_books();
    is_interrupted_ = true;
    service_.reset();
    is_interrupted_ = false;
    check_nothing_is_left();
}

void World::end_without_service()
{
    is_interrupted_ = true;
    service_.reset();
    is_interrupted_ = false;
    finish_all();
    // A listener that is running goes on, and nobody cancels it any more.
    pass(longest_hang);
    check_nothing_is_left();
}

void World::end_without_context()
{
    is_interrupted_ = true;
    const auto order = choose(3);
    if (order == 0) {
        release_all();
    }
    outcome_.steps = simulation_->context().steps();
    mix(simulation_->context().trace());
    simulation_.reset();
    flights_.clear();
    if (order == 1) {
        release_all();
    }
    service_.reset();
    release_all();
}

/// Lets everybody who waits finish: time passes, and what is held is given back, one by one.
void World::finish_all()
{
    constexpr int patience = 5'000;
    for (int i = 0; i < patience; ++i) {
        settle();
        const auto held = leases_.size() + exclusive_leases_.size() + weak_leases_.size();
        if (flights_.empty() && held == 0) {
            return;
        }
        if (i < 3) {
            // Who waits with a limit has reached it after this.
            pass(61s);
            continue;
        }
        check_limits();
        if (held > 0) {
            release(static_cast<std::uint32_t>(choose(held)));
        } else {
            // Those who follow sessions, until these have lain idle for long enough.
            pass(1min);
        }
    }
    std::string waiting;
    for (const auto& flight : flights_) {
        waiting += ' ';
        waiting += to_string(flight->action);
    }
    throw Violation("these never ended:" + waiting);
}

/// Nobody waits for longer than his limit, whoever holds what he waits for.
void World::check_limits() const
{
    for (const auto& flight : flights_) {
        // What was to happen at a time happens later, once the clock has gone back.
        require(
            swarm_.clock_goes_back || !flight->has_limit(),
            std::string(to_string(flight->action)) + " waits beyond its limit"
        );
    }
}

/// Everybody has been told of everything, and every session is accounted for.
void World::check_books()
{
    const auto metrics = simulation_->run(service_->metrics()).value();
    require(metrics.ledger_holds(), "the ledger does not hold");
    require_same(metrics.created, created_, "sessions that were created, counted and delivered");
    require_same(metrics.live, 0, "live sessions at the end");
    require_same(metrics.leased, 0, "leased sessions at the end");
    check_frame_books(metrics);
    if (!is_drain_cut_off_) {
        require_same(metrics.pending_removals, 0, "removals that were not told");
        require_same(metrics.pending_creations, 0, "creations that were not told");
        std::uint64_t told_created = 0;
        std::uint64_t told_removed = 0;
        for (const auto& known : known_) {
            told_created += static_cast<std::uint64_t>(known.told_created);
            told_removed += static_cast<std::uint64_t>(known.told_removed);
        }
        require_same(told_created, swarm_.hears_created ? created_ : 0, "creations, told and true");
        require_same(told_removed, swarm_.hears_removed ? created_ : 0, "removals, told and true");
    }
}

/// Nothing of the service is on the context any more.
void World::check_nothing_is_left()
{
    settle();
    const auto work = simulation_->context().outstanding_work();
    require(work == 0, "work that is still announced: " + std::to_string(work));
}

Outcome World::outcome() const
{
    auto outcome = outcome_;
    outcome.sessions = known_.size();
    outcome.time = now() - began_;
    if (simulation_) {
        outcome.steps = simulation_->context().steps();
        outcome.trace ^= simulation_->context().trace();
    }
    return outcome;
}

Outcome run(const Plan& plan, const std::vector<std::size_t>* kept)
{
    World world(plan.swarm, std::make_shared<testing::SeededChoices>(~plan.seed), plan.seed);
    if (kept == nullptr) {
        for (const auto& step : plan.steps) {
            world.take(step);
        }
    } else {
        for (const auto index : *kept) {
            world.take(plan.steps.at(index));
        }
    }
    world.end();
    return world.outcome();
}

} // namespace sojourn::tests::sim
