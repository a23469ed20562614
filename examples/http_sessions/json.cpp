#include "json.hpp"

#include <sojourn/core/removal_cause.hpp>
#include <sojourn/core/session_reference.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

namespace http_sessions {

namespace {

namespace json = boost::json;

std::string iso_8601(sojourn::WallTime moment)
{
    return fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(moment))
    );
}

/// Whole seconds where it is whole seconds: 90, and 0.25.
json::value seconds(sojourn::Duration length)
{
    if (length % std::chrono::seconds(1) == sojourn::Duration::zero()) {
        return std::chrono::duration_cast<std::chrono::seconds>(length).count();
    }
    return std::chrono::duration<double>(length).count();
}

json::object attributes_object(const sojourn::Attributes& attributes)
{
    json::object object;
    for (const auto& [name, value] : attributes) {
        object[name] = value;
    }
    return object;
}

} // namespace

std::string session_json(const sojourn::SessionInfo& session)
{
    json::object object;
    object["reference"] = to_string(session.reference);
    if (session.principal) {
        object["principal"] = *session.principal;
    }
    object["created"] = iso_8601(session.created);
    object["idle_timeout_seconds"] = seconds(session.idle_timeout);
    // Rounded up: what is still there has not expired.
    object["expires_in_seconds"] =
        std::chrono::ceil<std::chrono::seconds>(session.expires_in).count();
    object["requests"] = session.requests;
    object["attributes"] = attributes_object(session.attributes.data);
    return json::serialize(object);
}

std::string metrics_json(const sojourn::Metrics& metrics)
{
    json::object removed;
    for (const auto cause : sojourn::removal_causes) {
        removed[to_string(cause)] = metrics.removed_by(cause);
    }
    json::object object;
    object["created"] = metrics.created;
    object["live"] = metrics.live;
    object["half_open"] = metrics.half_open;
    object["closing"] = metrics.closing;
    object["leased"] = metrics.leased;
    object["removed"] = std::move(removed);
    object["pending_removals"] = metrics.pending_removals;
    object["pending_creations"] = metrics.pending_creations;
    object["rotated"] = metrics.rotated;
    object["acquires"] = metrics.acquires;
    object["acquired"] = metrics.acquired;
    object["not_found"] = metrics.not_found;
    object["rate_limited"] = metrics.rate_limited;
    object["guesses_rate_limited"] = metrics.guesses_rate_limited;
    object["refused_busy"] = metrics.refused_busy;
    object["refused_stopping"] = metrics.refused_stopping;
    object["requests_shed"] = metrics.requests_shed;
    object["refused_overloaded"] = metrics.refused_overloaded;
    object["creations_rate_limited"] = metrics.creations_rate_limited;
    object["creations_refused_stopping"] = metrics.creations_refused_stopping;
    object["calls_inline"] = metrics.calls_inline;
    object["calls_combined"] = metrics.calls_combined;
    object["calls_suspended"] = metrics.calls_suspended;
    object["ledger_holds"] = metrics.ledger_holds();
    return json::serialize(object);
}

std::string status_json(std::string_view status)
{
    const json::object object = {{"status", status}};
    return json::serialize(object);
}

} // namespace http_sessions
