// What clients of a session service saw while threads ran, and whether that has an order. And that
// services which do not keep their word are caught.

#include "linearizability/lying_faces.hpp"
#include "linearizability/session_clients.hpp"
#include "support/context_threads.hpp"
#include "support/sanitizers.hpp"
#include "support/seed.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>
#include <sojourn/testing/seeded_id_source.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;

namespace {

using Faces = std::vector<std::unique_ptr<SessionFace>>;

constexpr std::size_t threads = 3;
constexpr int seeds = 3;
constexpr int batches = is_sanitized ? 10 : 30;

// What the clients of a family do.
using enum Verb;
constexpr std::array in_a_session = {
    Habit{acquire, 4},
    Habit{release_lease, 4},
    Habit{acquire_weak, 1},
    Habit{touch_weak_lease, 1},
    Habit{release_weak_lease, 1},
    Habit{peek, 3},
    Habit{touch, 1},
    Habit{snapshot, 2},
    Habit{commit, 3},
    Habit{modify, 2},
    Habit{rotate, 1},
    Habit{list_of_principal, 2},
    Habit{remove, 1},
};
constexpr std::array with_one_id = {
    Habit{create, 4},
    Habit{remove, 2},
    Habit{remove_of_principal, 1},
    Habit{list_of_principal, 1},
    Habit{acquire, 2},
    Habit{release_lease, 2},
    Habit{acquire_weak, 1},
    Habit{touch_weak_lease, 1},
    Habit{release_weak_lease, 1},
    Habit{peek, 2},
    Habit{snapshot, 1},
    Habit{commit, 1},
    Habit{rotate, 1},
};
constexpr std::array in_a_full_table = {
    Habit{create, 4},
    Habit{remove, 2},
    Habit{remove_of_principal, 1},
    Habit{acquire, 1},
    Habit{release_lease, 2},
    Habit{peek, 1},
    Habit{rotate, 1},
};

enum class Ids : std::uint8_t {
    /// A session is there, with an id that the service has issued.
    of_one_session,
    /// All create with the same id, which they know.
    adopted,
    /// All create, and the service issues the ids.
    of_many_sessions,
};

/// How many families of how many clients live at the same time, and how.
struct Scene {
    Ids ids{};
    std::span<const Habit> habits;
    std::size_t families = 1;
    unsigned clients = 3;
    int steps = 8;
};

constexpr Scene one_session{Ids::of_one_session, in_a_session, 4};
constexpr Scene one_id{Ids::adopted, with_one_id, 4};
constexpr Scene whole_table{Ids::of_many_sessions, in_a_full_table, 1, 4, 6};

/// A service whose time stands still, as specified.
ServiceOptions options_of(const SessionSpecification& specification, std::size_t shards)
{
    return ServiceOptions()
        .shards(shards)
        .max_sessions(specification.capacity())
        .when_full(WhenFull::reject)
        .max_half_open(1'000'000)
        .max_sessions_per_principal(std::nullopt)
        .creation_rate(RateLimit::unlimited())
        .request_rate(RateLimit(1, specification.burst()))
        .max_in_flight_per_session(specification.leases_per_session());
}

SessionSpecification specification_of(std::size_t capacity = 1'000)
{
    return SessionSpecification().capacity(capacity).leases_per_session(3).burst(8);
}

ServiceEnvironment standing_still()
{
    return ServiceEnvironment().clock(std::make_shared<testing::ManualClock>());
}

struct Family {
    Family(
        StampClock& clock,
        const std::string& name,
        unsigned count,
        const Faces& faces,
        std::uint64_t seed
    )
        : common(clock, name)
    {
        for (unsigned i = 0; i < count; ++i) {
            clients.emplace_back(common, faces, i, seed + i);
        }
    }

    [[nodiscard]] SessionHistory history() const
    {
        SessionHistory all;
        for (const auto& client : clients) {
            all.insert(all.end(), client.history().begin(), client.history().end());
        }
        return all;
    }

    SessionFamily common;
    std::deque<SessionClient> clients;
};

SessionId id_of(testing::SeededIdSource& source)
{
    std::array<std::byte, SessionId::entropy_bytes> bytes{};
    static_cast<void>(source.fill(bytes));
    return SessionId::from_entropy(bytes);
}

/// What some families saw. They leave no sessions behind.
std::vector<SessionHistory> record(
    const asio::any_io_executor& executor,
    const Faces& faces,
    const Scene& scene,
    std::uint64_t seed
)
{
    StampClock clock;
    testing::SeededIdSource ids(seed);
    AtOnce at_once(executor);
    std::deque<Family> families;
    for (std::size_t i = 0; i < scene.families; ++i) {
        const auto own_seed = seed + 100 * i;
        auto& family =
            families.emplace_back(clock, std::to_string(own_seed), scene.clients, faces, own_seed);
        if (scene.ids == Ids::adopted) {
            family.common.adopt(id_of(ids));
        } else if (scene.ids == Ids::of_one_session) {
            at_once.start(family.clients.front().run(Verb::create));
        }
    }
    at_once.finish();
    for (unsigned i = 0; i < scene.clients; ++i) {
        for (auto& family : families) {
            at_once.start(family.clients[i].run(scene.habits, scene.steps));
        }
    }
    at_once.finish();
    std::vector<SessionHistory> histories;
    for (auto& family : families) {
        at_once.start(family.clients.front().clear());
    }
    at_once.finish();
    for (const auto& family : families) {
        histories.push_back(family.history());
    }
    return histories;
}

Faces both_faces(SessionService& service)
{
    Faces faces;
    faces.push_back(std::make_unique<SessionFace>(service));
    faces.push_back(std::make_unique<HandlerFace>(service));
    return faces;
}

/// Records some batches on a service and has them checked. Says what is wrong.
class Trial {
public:
    Trial(const SessionSpecification& specification, const Scene& scene, std::uint64_t seed)
        : specification_(specification), scene_(scene), seed_(seed)
    {
    }

    void on(const asio::any_io_executor& executor, const Faces& faces, int count = batches)
    {
        for (int i = 0; i < count; ++i) {
            for (const auto& history :
                 record(executor, faces, scene_, seed_ + 1'000 * static_cast<std::uint64_t>(i))) {
                check(history);
            }
        }
    }

    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

    [[nodiscard]] std::size_t faults() const noexcept { return faults_; }

    /// Of the first history that has no order, with all of it.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    void check(const SessionHistory& history)
    {
        tally_.count(history);
        const auto found = LinearizabilityChecker(specification_).check(history);
        if (found.verdict == Verdict::gave_up) {
            throw std::runtime_error(complaint(specification_, found, history));
        }
        if (found.verdict == Verdict::not_linearizable && faults_++ == 0) {
            fault_ = complaint(specification_, found, history);
        }
    }

    const SessionSpecification specification_;
    const Scene scene_;
    const std::uint64_t seed_;
    Tally tally_;
    std::size_t faults_ = 0;
    std::string fault_;
};

/// Both faces, on an executor of each kind, with one shard and with three.
Tally check_service(const SessionSpecification& specification, const Scene& scene)
{
    const auto first_seed = announced_seed();
    Tally all;
    for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
        for (const std::size_t shards : {1U, 3U}) {
            const auto options = options_of(specification, shards);
            const auto check_on = [&](const asio::any_io_executor& executor) {
                SessionService service(executor, options, standing_still());
                Trial trial(specification, scene, seed);
                trial.on(executor, both_faces(service));
                INFO("seed " << seed << ", shards " << shards << '\n' << trial.fault());
                CHECK(trial.faults() == 0);
                all += trial.tally();
            };
            {
                asio::io_context context;
                const ContextThreads running(context, threads);
                check_on(context.get_executor());
            }
            asio::thread_pool pool(threads);
            check_on(pool.get_executor());
        }
    }
    all.print();
    return all;
}

/// How many histories of a service with this face have no order.
template <class Face>
std::size_t faults_of(const Scene& scene)
{
    const auto seed = announced_seed();
    const auto specification = specification_of();
    asio::io_context context;
    const ContextThreads running(context, threads);
    SessionService service(context.get_executor(), options_of(specification, 1), standing_still());
    Faces faces;
    faces.push_back(std::make_unique<Face>(service));
    Trial trial(specification, scene, seed);
    // It takes two who meet.
    for (int tries = 0; trial.faults() == 0 && tries < 20; ++tries) {
        trial.on(context.get_executor(), faces);
    }
    return trial.faults();
}

} // namespace

TEST_CASE("linearizability: what clients do with one session has an order", "[linearizability]")
{
    const auto all = check_service(specification_of(), one_session);
    CHECK(all.overlapping > all.operations / 50);
}

TEST_CASE("linearizability: what clients do with one id has an order", "[linearizability]")
{
    const auto all = check_service(specification_of(), one_id);
    CHECK(all.overlapping > all.operations / 50);
}

TEST_CASE(
    "linearizability: what clients do with a table that is full has an order", "[linearizability]"
)
{
    const auto all = check_service(specification_of(3), whole_table);
    CHECK(all.overlapping > all.operations / 50);
}

TEST_CASE("linearizability: a removal that comes late is caught", "[linearizability]")
{
    CHECK(faults_of<LateRemoval>(one_id) > 0);
}

TEST_CASE("linearizability: a removal that succeeds twice is caught", "[linearizability]")
{
    CHECK(faults_of<RepeatedRemoval>(one_id) > 0);
}

TEST_CASE("linearizability: a snapshot that is stale is caught", "[linearizability]")
{
    CHECK(faults_of<StaleSnapshot>(one_session) > 0);
}

TEST_CASE("linearizability: an update that is lost is caught", "[linearizability]")
{
    CHECK(faults_of<LostUpdate>(one_session) > 0);
}

TEST_CASE("linearizability: an id that outlives its rotation is caught", "[linearizability]")
{
    CHECK(faults_of<LastingId>(one_session) > 0);
}

TEST_CASE("linearizability: what is caught can be read", "[linearizability]")
{
    const auto specification = specification_of();
    asio::io_context context;
    const ContextThreads running(context, 1);
    SessionService service(context.get_executor(), options_of(specification, 1), standing_still());
    Faces faces;
    faces.push_back(std::make_unique<RepeatedRemoval>(service));
    StampClock clock;
    Family family(clock, "somebody", 1, faces, 1);
    AtOnce at_once(context.get_executor());
    for (const auto verb : {create, release_lease, peek, Verb::remove, Verb::remove}) {
        at_once.start(family.clients.front().run(verb));
        at_once.finish();
    }
    const auto found = LinearizabilityChecker(specification).check(family.history());
    CHECK(found.verdict == Verdict::not_linearizable);
    CHECK(
        found.excerpt == "no order of these explains the one that ended at 9; before them it was\n"
                         "  no session\n"
                         "  [8, 9] client 0: remove(id 1) -> done\n"
    );
}
