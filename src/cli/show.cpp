#include "cli/show.hpp"

#include "cli/character.hpp"
#include "cli/table.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn::cli {

namespace json = boost::json;

namespace {

std::string text_of(const json::value& value)
{
    return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

std::string principal_of(const json::value& session)
{
    const auto& principal = session.at("principal");
    return principal.is_null() ? "-" : text_of(principal);
}

std::string seconds_of(const json::value& object, std::string_view name)
{
    return show_seconds(object.at(name).to_number<double>());
}

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number)
{
    auto digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return digits;
}

/// Counters with their names, one below the other.
class Counters {
public:
    Counters(const json::value& now, const json::value* before, double seconds)
        : now_(now),
          before_(before),
          seconds_(seconds),
          table_(
              before == nullptr
                  ? std::vector<Table::Column>{{""}, {"", Align::right}}
                  : std::vector<Table::Column>{{""}, {"", Align::right}, {"a second", Align::right}}
          )
    {
    }

    /// Something that is so now, and has no rate.
    void add_level(const std::string& name, std::string_view pointer)
    {
        add(name, grouped(number(now_, pointer)), "");
    }

    /// Something that was counted since the beginning.
    void add_count(const std::string& name, std::string_view pointer)
    {
        const auto count = number(now_, pointer);
        std::string rate;
        if (before_ != nullptr) {
            const auto earlier = number(*before_, pointer);
            rate = fmt::format(
                "{:.1f}", static_cast<double>(count - std::min(count, earlier)) / seconds_
            );
        }
        add(name, grouped(count), rate);
    }

    void add(const std::string& name, const std::string& value, const std::string& rate = "")
    {
        if (before_ == nullptr) {
            table_.add({name, value});
        } else {
            table_.add({name, value, rate});
        }
    }

    [[nodiscard]] std::string text() const
    {
        auto text = table_.text(std::nullopt);
        return before_ == nullptr ? text.substr(text.find('\n') + 1) : text;
    }

private:
    static std::uint64_t number(const json::value& value, std::string_view pointer)
    {
        return value.at_pointer(pointer).to_number<std::uint64_t>();
    }

    const json::value& now_;
    const json::value* before_;
    double seconds_;
    Table table_;
};

} // namespace

std::string show_sessions(const json::array& sessions, std::optional<std::size_t> columns)
{
    Table table({
        {"REFERENCE"},
        {"PRINCIPAL", Align::left, true},
        {"USE"},
        {"IDLE", Align::right},
        {"EXPIRES IN", Align::right},
        {"REQUESTS", Align::right},
    });
    for (const auto& session : sessions) {
        table.add({
            text_of(session.at("reference")),
            principal_of(session),
            text_of(session.at("use")),
            seconds_of(session, "idle_seconds"),
            seconds_of(session, "expires_in_seconds"),
            text_of(session.at("requests")),
        });
    }
    return table.text(columns);
}

std::string show_session(const json::value& session)
{
    Table table({{""}, {""}});
    table.add({"reference", text_of(session.at("reference"))});
    table.add({"principal", principal_of(session)});
    table.add({"use", text_of(session.at("use"))});
    table.add({"created", text_of(session.at("created"))});
    table.add({"idle", seconds_of(session, "idle_seconds")});
    table.add({"idle timeout", seconds_of(session, "idle_timeout_seconds")});
    table.add({"expires in", seconds_of(session, "expires_in_seconds")});
    table.add({"requests", text_of(session.at("requests"))});
    table.add({"requests in flight", text_of(session.at("leases"))});
    table.add({"streams", text_of(session.at("streams"))});
    table.add(
        {"attributes",
         text_of(session.at("attribute_bytes")) + " bytes, version " +
             text_of(session.at("attributes_version"))}
    );
    const auto text = table.text(std::nullopt);
    return text.substr(text.find('\n') + 1);
}

std::string
show_frames(const json::array& frames, std::optional<std::size_t> columns, Heading heading)
{
    // As wide as most of what comes later.
    Table table({
        {"  NUMBER"},
        {"TIME"},
        {"DIRECTION"},
        {"STREAM", Align::right},
        {"   BYTES", Align::right},
        {"PAYLOAD", Align::left, true},
    });
    for (const auto& frame : frames) {
        const auto recorded = text_of(frame.at("recorded"));
        table.add({
            fmt::format("{:>8}", text_of(frame.at("sequence"))),
            // The time of the day.
            recorded.size() == 24 ? recorded.substr(11, 12) : recorded,
            fmt::format("{:<11}", text_of(frame.at("direction"))),
            text_of(frame.at("stream")),
            text_of(frame.at("bytes")),
            text_of(frame.at("payload")),
        });
    }
    const auto text = table.text(columns);
    return heading == Heading::shown ? text : text.substr(text.find('\n') + 1);
}

std::string show_statistics(const json::value& now, const json::value* before, double seconds)
{
    Counters counters(now, before, seconds);
    counters.add("state", text_of(now.at_pointer("/health/state")));
    counters.add_level("sessions", "/sessions/live");
    counters.add_level("  in use", "/sessions/leased");
    counters.add_level("  half-open", "/sessions/half_open");
    counters.add_level("  closing", "/sessions/closing");
    counters.add_count("created", "/sessions/created");
    for (const auto& [cause, count] : now.at_pointer("/sessions/removed").as_object()) {
        counters.add_count(
            "removed, " + std::string(cause), "/sessions/removed/" + std::string(cause)
        );
    }
    counters.add_count("requests", "/sessions/acquires");
    counters.add_count("  acquired", "/sessions/acquired");
    counters.add_count("  not found", "/sessions/not_found");
    counters.add_count("  rate limited", "/sessions/rate_limited");
    counters.add_count("  busy", "/sessions/refused_busy");
    counters.add_count("  stopping", "/sessions/refused_stopping");
    counters.add_count("requests shed", "/sessions/requests_shed");
    counters.add_count("creations refused, overloaded", "/sessions/refused_overloaded");
    counters.add_count("creations refused, rate limited", "/sessions/creations_rate_limited");
    counters.add_level("frames", "/sessions/frames");
    counters.add_level("  bytes", "/sessions/frame_bytes");
    counters.add_count("frames recorded", "/sessions/frames_recorded");
    counters.add_count("  dropped", "/sessions/frames_dropped");
    if (!now.at("in_flight").is_null()) {
        counters.add_level("in flight", "/in_flight/held");
        counters.add_level("  of at most", "/in_flight/limit");
        counters.add_level("  waiting", "/in_flight/waiting");
    }
    counters.add_level("listeners not told yet", "/sessions/pending_removals");
    counters.add_count("listeners that failed", "/health/listener_failures");
    counters.add("cleanup is behind by", seconds_of(now.at("health"), "cleanup_lag_seconds"));
    return counters.text();
}

std::string show_health(const json::value& health, bool is_coloured)
{
    const bool is_ready = health.at("ready").as_bool();
    std::string text = is_ready ? "ready" : "not ready";
    if (is_coloured) {
        text = fmt::format("\x1b[{}m{}\x1b[0m", is_ready ? 32 : 31, text);
    }
    text += ": " + harmless(text_of(health.at("state")));
    for (const auto* const loop : {"cleanup", "events"}) {
        const auto failures = health.at(loop).at("consecutive_failures").to_number<std::uint64_t>();
        if (failures > 0) {
            text += fmt::format("; {} has failed {} times in a row", loop, failures);
        }
    }
    const auto lag = health.at("cleanup_lag_seconds").to_number<double>();
    if (lag > 0) {
        text += "; cleanup is behind by " + show_seconds(lag);
    }
    return text + '\n';
}

// What a text says that is not ASCII stands in its strings only, where an escape means the same:
// RFC 8259, 7. All that is unseen has a code of no more than four digits.
std::string show_json(const json::value& value)
{
    const auto text = json::serialize(value);
    std::string shown;
    for (std::string_view rest = text; !rest.empty();) {
        const auto [code, bytes] = first_character(rest);
        if (is_unseen(code)) {
            shown += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
        } else {
            shown += rest.substr(0, bytes);
        }
        rest.remove_prefix(bytes);
    }
    return shown + '\n';
}

std::string show_seconds(double seconds)
{
    if (seconds < 1) {
        return fmt::format("{:.0f}ms", std::max(seconds, 0.0) * 1000);
    }
    constexpr std::array units{
        std::pair<std::uint64_t, const char*>(86400, "d"),
        std::pair<std::uint64_t, const char*>(3600, "h"),
        std::pair<std::uint64_t, const char*>(60, "m"),
        std::pair<std::uint64_t, const char*>(1, "s"),
    };
    auto rest = static_cast<std::uint64_t>(seconds);
    std::string text;
    int shown = 0;
    for (const auto& [length, unit] : units) {
        if (shown < 2 && (rest >= length || shown == 1)) {
            if (rest >= length) {
                text += std::to_string(rest / length) + unit;
            }
            rest %= length;
            ++shown;
        }
    }
    return text;
}

} // namespace sojourn::cli
