#include "sojourn/admin/json.hpp"

#include "sojourn/admin/command.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/http_server/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace sojourn::admin {

namespace {

namespace json = boost::json;

std::string iso_8601(WallTime moment)
{
    return fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(moment))
    );
}

/// The same to the millisecond.
std::string iso_8601_with_milliseconds(WallTime moment)
{
    const auto whole = std::chrono::floor<std::chrono::seconds>(moment);
    const auto rest = std::chrono::floor<std::chrono::milliseconds>(moment - whole);
    auto text = iso_8601(moment);
    return text.insert(text.size() - 1, fmt::format(".{:03}", rest.count()));
}

double seconds(Duration length)
{
    return std::chrono::duration<double>(length).count();
}

/// Bytes beyond ASCII as `\xNN`, and `\` as `\\`, so that no two texts are escaped alike.
std::string escaped(std::string_view text)
{
    std::string result;
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte >= 0x80) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += character == '\\' ? "\\\\" : std::string(1, character);
        }
    }
    return result;
}

/// A principal and a payload may be any bytes, and JSON is UTF-8.
std::string shown(std::string_view text)
{
    return http_server::is_utf8(text) ? std::string(text) : escaped(text);
}

/// Says whether it is escaped, since a principal may be named as another is written.
void add_principal(json::object& object, const std::shared_ptr<const std::string>& principal)
{
    object["principal"] = principal ? json::value(shown(*principal)) : json::value();
    if (principal && !http_server::is_utf8(*principal)) {
        object["principal_is_escaped"] = true;
    }
}

json::object session_object(const SessionInfo& session)
{
    json::object object;
    object["reference"] = to_string(session.reference);
    add_principal(object, session.principal);
    object["created"] = iso_8601(session.created);
    object["use"] = to_string(session.use);
    object["idle_seconds"] = seconds(session.idle_for);
    object["idle_timeout_seconds"] = seconds(session.idle_timeout);
    object["expires_in_seconds"] = seconds(session.expires_in);
    object["requests"] = session.requests;
    object["leases"] = session.leases;
    object["streams"] = session.streams;
    object["attribute_bytes"] = session.attributes.data.bytes();
    object["attributes_version"] = session.attributes.version;
    return object;
}

json::object frame_object(const Frame& frame)
{
    return {
        {"sequence", frame.sequence},
        {"recorded", iso_8601_with_milliseconds(frame.recorded)},
        {"direction", to_string(frame.direction)},
        {"stream", frame.stream},
        {"bytes", frame.payload.size()},
        {"payload", shown(frame.payload)},
    };
}

json::object loop_object(const LoopHealth& loop)
{
    return {
        {"running", loop.running},
        {"rounds", loop.rounds},
        {"failures", loop.failures},
        {"consecutive_failures", loop.consecutive_failures},
    };
}

json::object health_object(const Health& health)
{
    return {
        {"state", to_string(health.state)},
        {"ready", health.is_ready()},
        {"cleanup_lag_seconds", seconds(health.cleanup_lag)},
        {"cleanup", loop_object(health.cleanup)},
        {"events", loop_object(health.events)},
        {"listener_failures", health.listener_failures},
    };
}

json::object metrics_object(const Metrics& metrics)
{
    json::object removed;
    for (const auto cause : removal_causes) {
        removed[to_string(cause)] = metrics.removed_by(cause);
    }
    return {
        {"live", metrics.live},
        {"leased", metrics.leased},
        {"half_open", metrics.half_open},
        {"closing", metrics.closing},
        {"created", metrics.created},
        {"removed", std::move(removed)},
        {"rotated", metrics.rotated},
        {"pending_creations", metrics.pending_creations},
        {"pending_removals", metrics.pending_removals},
        {"acquires", metrics.acquires},
        {"acquired", metrics.acquired},
        {"not_found", metrics.not_found},
        {"rate_limited", metrics.rate_limited},
        {"refused_busy", metrics.refused_busy},
        {"refused_stopping", metrics.refused_stopping},
        {"requests_shed", metrics.requests_shed},
        {"guesses_rate_limited", metrics.guesses_rate_limited},
        {"refused_overloaded", metrics.refused_overloaded},
        {"creations_rate_limited", metrics.creations_rate_limited},
        {"creations_refused_stopping", metrics.creations_refused_stopping},
        {"frames", metrics.frames},
        {"frame_bytes", metrics.frame_bytes},
        {"frames_recorded", metrics.frames_recorded},
        {"frames_dropped", metrics.frames_dropped},
        {"frames_ended", metrics.frames_ended},
        {"calls_inline", metrics.calls_inline},
        {"calls_combined", metrics.calls_combined},
        {"calls_suspended", metrics.calls_suspended},
    };
}

/// How long those waited that were granted a permit: bounds of buckets that are not empty, in
/// seconds, and how many waits were shorter than each, those of the buckets before included.
json::array waits_array(const WaitHistogram& waits)
{
    json::array buckets;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < WaitHistogram::bucket_count; ++i) {
        if (const auto count = waits.buckets()[i]; count > 0) {
            total += count;
            buckets.push_back(json::object{
                {"shorter_than_seconds", seconds(WaitHistogram::upper_bound(i))}, {"waits", total}
            });
        }
    }
    return buckets;
}

json::value in_flight_value(const SemaphoreMetrics& in_flight)
{
    if (in_flight.limit == 0) {
        return nullptr;
    }
    return json::object{
        {"held", in_flight.held},
        {"limit", in_flight.limit},
        {"waiting", in_flight.waiting},
        {"granted", in_flight.granted},
        {"refused_overloaded", in_flight.refused_overloaded},
        {"timed_out", in_flight.timed_out},
        {"cancelled", in_flight.cancelled},
        {"refused_stopping", in_flight.refused_stopping},
        {"waits", waits_array(in_flight.waits)},
    };
}

} // namespace

std::string page_json(const SessionPage& page)
{
    json::array sessions;
    for (const auto& session : page.sessions) {
        sessions.push_back(session_object(session));
    }
    json::object object{{"sessions", std::move(sessions)}, {"next", nullptr}};
    if (page.next) {
        object["next"] = to_string(*page.next);
    }
    return json::serialize(object);
}

std::string session_json(const SessionInfo& session)
{
    return json::serialize(session_object(session));
}

std::string removed_json(const RemovedSession& session)
{
    json::object object;
    object["reference"] = to_string(session.reference);
    object["cause"] = to_string(session.cause);
    add_principal(object, session.principal);
    object["created"] = iso_8601(session.created);
    object["requests"] = session.requests;
    return json::serialize(object);
}

std::string refused_json(std::string_view what, std::string_view reason, std::uint64_t count)
{
    return json::serialize(json::object{{"what", what}, {"reason", reason}, {"count", count}});
}

std::string frames_json(const FramePage& page)
{
    json::array frames;
    for (const auto& frame : page.frames) {
        frames.push_back(frame_object(*frame));
    }
    return json::serialize(json::object{
        {"frames", std::move(frames)},
        {"next", page.next},
        {"newest", page.newest},
        {"first_kept", page.first_kept},
        {"dropped", page.dropped},
    });
}

std::string ended_json(std::size_t sessions, bool is_dry_run)
{
    return json::serialize(json::object{{"sessions", sessions}, {"dry_run", is_dry_run}});
}

std::string
statistics_json(const Metrics& metrics, const SemaphoreMetrics& in_flight, const Health& health)
{
    return json::serialize(json::object{
        {"sessions", metrics_object(metrics)},
        {"in_flight", in_flight_value(in_flight)},
        {"health", health_object(health)},
    });
}

std::string health_json(const Health& health)
{
    return json::serialize(health_object(health));
}

std::string state_json(ServiceState state)
{
    return json::serialize(json::object{{"state", to_string(state)}});
}

} // namespace sojourn::admin
