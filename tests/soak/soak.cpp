#include "soak/soak.hpp"

#include "soak/client.hpp"
#include "soak/flaky_id_source.hpp"
#include "soak/listeners.hpp"
#include "soak/process_memory.hpp"
#include "soak/scene.hpp"
#include "soak/verdict.hpp"

#include <sojourn/service/session_service.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests::soak {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto patience = 60s;

constexpr std::size_t max_sessions = 1'000;
constexpr std::size_t max_pending_events = 256;
constexpr std::size_t max_in_flight = 6;
constexpr std::size_t max_waiting_requests = 32;
/// What one session may have, all may together.
constexpr std::size_t max_frame_bytes = 200'000;

/// Everything is small or short, so that all of it reaches its limit all the time.
ServiceOptions service_options(std::size_t shards)
{
    return ServiceOptions()
        .max_sessions(max_sessions)
        .shards(shards)
        .idle_timeout(200ms)
        .absolute_lifetime(500ms)
        .half_open_timeout(100ms)
        .max_sessions_per_principal(6)
        .creation_rate(RateLimit(10, 5))
        .creation_keys(128)
        .request_rate(RateLimit(200, 50))
        .max_in_flight(max_in_flight)
        .max_waiting_requests(max_waiting_requests)
        .max_request_wait(20ms)
        .max_in_flight_per_session(max_in_flight + 1)
        .eviction_grace(5ms)
        .max_attribute_bytes(4'096)
        .max_total_attribute_bytes(200'000)
        .max_pending_events(max_pending_events)
        .listener_timeout(Listeners::timeout)
        .cleanup_batch(16)
        .max_frames_per_session(max_frames_per_session)
        .max_frame_bytes_per_session(max_frame_bytes)
        .max_frame_bytes(max_frame_bytes);
}

template <class T>
T within_patience(std::future<T>& future, std::string_view what)
{
    if (future.wait_for(patience) != std::future_status::ready) {
        throw std::runtime_error(fmt::format("{} did not end within {} s", what, patience.count()));
    }
    return future.get();
}

/// Threads that run a context until it has nothing to do.
class Threads {
public:
    void start(asio::io_context& context, std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            running_.push_back(std::async(std::launch::async, [&context] { context.run(); }));
        }
    }

    void join()
    {
        for (auto& thread : running_) {
            within_patience(thread, "a thread of the context");
        }
    }

private:
    std::vector<std::future<void>> running_;
};

class Soak {
public:
    Soak(const SoakOptions& options, const std::function<void(const Sample&)>& on_sample)
        : options_(options),
          on_sample_(on_sample),
          ids_(std::make_shared<FlakyIdSource>(options.seed)),
          // One more of each kind than may be told and untold at once.
          listeners_(faults_, counts_, 2 * (max_sessions + max_pending_events), options.seed),
          context_(static_cast<int>(options.threads)),
          service_(context_.get_executor(), service_options(options.shards), environment()),
          scene_(service_, faults_, counts_)
    {
        listeners_.meet(service_);
        outcome_.pending_bound = max_sessions + max_pending_events;
        outcome_.waiting_bound = options.clients;
        outcome_.frame_bytes_bound = max_frame_bytes;
    }

    Outcome run()
    {
        threads_.start(context_, options_.threads);
        open();
        watch();
        close();
        audit_permits();
        open();
        std::this_thread::sleep_for(std::min<SteadyClock::duration>(options_.duration / 10, 1s));
        drain();
        threads_.join();
        audit_books();
        return std::move(outcome_);
    }

private:
    ServiceEnvironment environment()
    {
        ServiceEnvironment environment;
        environment.id_source(ids_);
        listeners_.attach(environment);
        return environment;
    }

    template <class T>
    T answer(std::future<Result<T>> future, std::string_view what)
    {
        return within_patience(future, what).value();
    }

    /// Lets the clients in.
    void open()
    {
        scene_.is_open = true;
        for (std::size_t i = 0; i < options_.clients; ++i) {
            auto client = std::make_unique<Client>(scene_, options_.seed + ++clients_made_);
            clients_.push_back(asio::co_spawn(
                asio::make_strand(context_), Client::run(std::move(client)), asio::use_future
            ));
        }
    }

    /// Sends them home.
    void close()
    {
        scene_.is_open = false;
        for (auto& client : clients_) {
            within_patience(client, "a client's visit");
        }
        clients_.clear();
        require(counts_.waiting == 0, "clients have gone and still wait");
    }

    void require(bool holds, std::string_view otherwise)
    {
        // One sample that is wrong is often followed by all the others.
        constexpr std::size_t most = 20;
        if (!holds && outcome_.faults.size() < most) {
            outcome_.faults.emplace_back(otherwise);
        }
    }

    void watch()
    {
        const auto interval = sample_interval(options_.duration);
        const auto begin = SteadyClock::now();
        outcome_.samples.reserve(samples_max);
        auto last = begin;
        for (auto next = begin + interval; next <= begin + options_.duration; next += interval) {
            std::this_thread::sleep_until(next);
            const auto now = SteadyClock::now();
            outcome_.samples.push_back(sample(now - begin, now - last));
            last = now;
            on_sample_(outcome_.samples.back());
        }
    }

    Sample sample(SteadyClock::duration since_begin, SteadyClock::duration since_last)
    {
        const auto created_before = counts_.created.load();
        const auto recorded_before = counts_.recorded.load();
        const auto metrics = answer(service_.async_metrics(asio::use_future), "metrics");
        const auto begun_after = counts_.creations.load();
        const auto recordings_after = counts_.recordings.load();
        const auto memory = process_memory();
        const auto latencies = scene_.latencies.take();
        const auto operations = counts_.operations.load();
        const std::chrono::duration<double> seconds = since_last;
        const std::chrono::duration<double, std::micro> p50 = latencies.percentile(0.5);
        const std::chrono::duration<double, std::micro> p99 = latencies.percentile(0.99);
        Sample sample;
        sample.seconds = std::chrono::duration<double>(since_begin).count();
        sample.resident_bytes = memory.resident_bytes;
        sample.heap_bytes = memory.heap_bytes;
        sample.threads = process_threads();
        sample.live = metrics.live;
        sample.leased = metrics.leased;
        sample.waiting = counts_.waiting;
        sample.pending = metrics.pending_creations + metrics.pending_removals;
        sample.frame_bytes = metrics.frame_bytes;
        sample.operations_per_second =
            static_cast<double>(operations - std::exchange(operations_, operations)) /
            seconds.count();
        sample.acquire_p50_us = p50.count();
        sample.acquire_p99_us = p99.count();
        // The shards are looked at one after the other: who ended in the first after that may have
        // made room in the second before. No more than were created meanwhile.
        const bool has_several = options_.shards > 1;
        const auto moved = has_several ? begun_after - created_before : 0;
        judge(sample, metrics, moved);
        judge_frames(sample, metrics, has_several ? recordings_after - recorded_before : 0);
        return sample;
    }

    void judge(const Sample& sample, const Metrics& metrics, std::uint64_t moved)
    {
        const auto at = fmt::format("at {:.0f} s: ", sample.seconds);
        require(metrics.ledger_holds(), at + "the ledger does not hold");
        require(metrics.leased <= metrics.live, at + "more sessions are leased than live");
        require(
            sample.live <= max_sessions + moved,
            at + fmt::format("{} sessions are live, where {} may", sample.live, max_sessions)
        );
        // Each of those takes up two places at first: its own, and its creation's.
        const auto places = sample.live + sample.pending;
        require(
            places <= outcome_.pending_bound + 2 * moved,
            at + fmt::format(
                     "{} sessions and {} events for listeners, where {} may be together",
                     sample.live,
                     sample.pending,
                     outcome_.pending_bound
                 )
        );
        require(
            sample.waiting <= outcome_.waiting_bound,
            at + fmt::format("{} of {} clients wait", sample.waiting, options_.clients)
        );
        require(sample.operations_per_second > 0, at + "nobody has done anything for an interval");
        const auto [count, first] = faults_.all();
        require(count == 0, at + first);
        outcome_.pending_max = std::max(outcome_.pending_max, sample.pending);
        outcome_.waiting_max = std::max(outcome_.waiting_max, sample.waiting);
    }

    void judge_frames(const Sample& sample, const Metrics& metrics, std::uint64_t moved)
    {
        const auto at = fmt::format("at {:.0f} s: ", sample.seconds);
        require(
            sample.frame_bytes <= max_frame_bytes + moved * Client::longest_frame,
            at + fmt::format("frames have {} bytes of {}", sample.frame_bytes, max_frame_bytes)
        );
        require(
            metrics.frames <= (max_sessions + moved) * max_frames_per_session,
            at + "there are more frames than sessions may have"
        );
        outcome_.frame_bytes_max = std::max(outcome_.frame_bytes_max, sample.frame_bytes);
    }

    /// Nobody is there, so all permits are: as many requests as may be in flight are at once, and
    /// no more.
    void audit_permits()
    {
        auto created = Result<CreatedSession>(errc::id_source_failed);
        // Listeners that are behind leave no room for another session until they have caught up.
        const auto latest = std::chrono::steady_clock::now() + patience;
        while (!created && std::chrono::steady_clock::now() < latest) {
            auto wish = CreateOptions().idle_timeout(1h).absolute_lifetime(1h).request_rate(
                RateLimit::unlimited()
            );
            ++counts_.creations;
            auto future = service_.async_create(std::move(wish), asio::use_future);
            created = within_patience(future, "create");
            std::this_thread::yield();
        }
        if (!created) {
            require(
                false,
                "no session could be created when nobody was there: " + created.error().message()
            );
            return;
        }
        ++counts_.created;
        std::vector<SessionLease> leases;
        for (std::size_t i = 0; i <= max_in_flight; ++i) {
            auto future = service_.async_acquire(created->id, asio::use_future);
            auto lease = within_patience(future, "acquire");
            require(
                lease.has_value() == (i < max_in_flight),
                fmt::format(
                    "with {} in flight of {}, one more {}",
                    i,
                    max_in_flight,
                    lease ? "is let in" : "is refused: " + lease.error().message()
                )
            );
            if (lease) {
                ++counts_.leases;
                leases.push_back(std::move(*lease));
            }
        }
        audit_frame_bytes(created->lease);
    }

    /// The others' sessions end with their frames, so one may have as many bytes as all.
    void audit_frame_bytes(SessionLease& lease)
    {
        const auto latest = SteadyClock::now() + patience;
        const auto bytes = [this] {
            return answer(service_.async_metrics(asio::use_future), "metrics").frame_bytes;
        };
        while (bytes() > 0 && SteadyClock::now() < latest) {
            std::this_thread::yield();
        }
        require_equal(bytes(), 0, "bytes of frames when nobody has a session");
        std::string payload(max_frame_bytes - Frame::overhead, 'x');
        ++counts_.recordings;
        auto recording = asio::co_spawn(
            context_, lease.record(FrameDirection::to_client, std::move(payload)), asio::use_future
        );
        const auto number = answer(std::move(recording), "record");
        ++counts_.recorded;
        require(number == 1, "there is no room for a frame, and there are no others");
    }

    /// With all clients at work.
    void drain()
    {
        faults_.drain();
        const auto limit = DrainOptions().limit(patience / 2).cancel_grace(patience / 4);
        outcome_.drain = answer(service_.async_drain(limit, asio::use_future), "the drain");
        close();
    }

    void audit_books()
    {
        auto future = service_.async_metrics(asio::use_future);
        context_.restart();
        context_.run();
        const auto metrics = answer(std::move(future), "metrics");
        const auto told = listeners_.told();
        require(outcome_.drain.is_clean(), "the drain has cut somebody off");
        require(service_.state() == ServiceState::closed, "the service is not closed");
        require(metrics.ledger_holds(), "at the end: the ledger does not hold");
        require_equal(metrics.live, 0, "sessions that are live after the drain");
        require_equal(metrics.leased, 0, "sessions that are leased after the drain");
        require_equal(metrics.half_open, 0, "sessions that are half-open after the drain");
        require_equal(metrics.closing, 0, "sessions that are closing after the drain");
        require_equal(metrics.pending_creations, 0, "creations to be told after the drain");
        require_equal(metrics.pending_removals, 0, "removals to be told after the drain");
        require_equal(metrics.created, counts_.created, "sessions, and those clients know of");
        require_equal(metrics.rotated, counts_.rotated, "rotations, and those clients know of");
        require_equal(
            metrics.acquired - metrics.requests_shed, counts_.leases, "leases, and those given"
        );
        require_equal(metrics.frames, 0, "frames that are kept after the drain");
        require_equal(metrics.frame_bytes, 0, "bytes of frames after the drain");
        require_equal(
            metrics.frames_recorded, counts_.recorded, "frames, and those clients know of"
        );
        require_equal(told.created, metrics.created, "creations told, and sessions");
        require_equal(told.open, 0, "sessions told of as created and not as removed");
        for (const auto cause : removal_causes) {
            require_equal(
                told.removed[static_cast<std::size_t>(cause)],
                metrics.removed_by(cause),
                fmt::format("removals told, and sessions, that were {}", to_string(cause))
            );
        }
        const auto [count, first] = faults_.all();
        require(count == 0, fmt::format("{} times, first: {}", count, first));
        for (auto& fault : plateau_faults(outcome_.samples)) {
            outcome_.faults.push_back(std::move(fault));
        }
        outcome_.metrics = metrics;
        outcome_.operations = counts_.operations;
        outcome_.vanished = counts_.vanished;
        outcome_.listener_failures = listeners_.thrown();
        outcome_.id_failures = ids_->failures();
        require_all_happened();
    }

    /// That it was about something.
    void require_all_happened()
    {
        if (options_.duration < 30s) {
            return;
        }
        const auto& metrics = outcome_.metrics;
        for (const auto cause : removal_causes) {
            require(metrics.removed_by(cause) > 0, fmt::format("none was {}", to_string(cause)));
        }
        require(metrics.rate_limited > 0, "no request was rate limited");
        require(metrics.requests_shed > 0, "no request waited in vain");
        require(metrics.refused_busy > 0 || metrics.refused_overloaded > 0, "none was refused");
        require(metrics.creations_rate_limited > 0, "no creation was rate limited");
        require(metrics.guesses_rate_limited > 0, "no guess was rate limited");
        require(metrics.calls_suspended > 0, "no call was suspended");
        require(outcome_.vanished > 0, "nobody vanished");
        require(outcome_.listener_failures > 0, "no listener failed");
        require(outcome_.id_failures > 0, "the id source never failed");
        require(counts_.committed > 0, "nothing was committed");
        require(metrics.frames_dropped > 0, "no frame was dropped");
        require(metrics.frames_ended > 0, "no frame ended with its session");
        require(counts_.followed > 0, "nobody who followed a session was told of a frame");
    }

    void require_equal(std::uint64_t found, std::uint64_t wanted, std::string_view what)
    {
        require(found == wanted, fmt::format("{}: {} and {}", what, found, wanted));
    }

    const SoakOptions options_;
    const std::function<void(const Sample&)>& on_sample_;
    Outcome outcome_;
    Faults faults_;
    Counts counts_;
    std::shared_ptr<FlakyIdSource> ids_;
    Listeners listeners_;
    asio::io_context context_;
    SessionService service_;
    Scene scene_;
    Threads threads_;
    std::vector<std::future<void>> clients_;
    std::uint64_t clients_made_ = 0;
    std::uint64_t operations_ = 0;
};

} // namespace

Outcome run_soak(const SoakOptions& options, const std::function<void(const Sample&)>& on_sample)
{
    // Left behind where something is stuck: its threads would still use it.
    auto soak = std::make_unique<Soak>(options, on_sample);
    try {
        return soak->run();
    } catch (...) {
        (void)soak.release();
        throw;
    }
}

} // namespace sojourn::tests::soak
