#include "cli/run.hpp"

#include "cli/missed_frames.hpp"
#include "cli/show.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace sojourn::cli {

namespace json = boost::json;
using boost::beast::http::status;
using boost::beast::http::verb;
using Clock = std::chrono::steady_clock;

namespace {

bool is_agreed(const std::string& question)
{
    std::cerr << question << " [y/N] " << std::flush;
    std::string line;
    std::getline(std::cin, line);
    return line == "y" || line == "Y" || line == "yes";
}

/// Tells why the endpoint refused. Its words are its own, so nothing in them may move the cursor.
ExitStatus refused(const Answer& answer)
{
    std::string why =
        "the endpoint answered " + std::to_string(static_cast<unsigned>(answer.status));
    if (const auto* const body = answer.body.if_object()) {
        if (const auto* const message = body->if_contains("message");
            message != nullptr && message->is_string()) {
            why = harmless(message->as_string());
        }
        if (const auto* const field = body->if_contains("field");
            field != nullptr && field->is_string()) {
            why = harmless(field->as_string()) + " " + why;
        }
    }
    std::cerr << "sojournctl: " << why << '\n';
    switch (answer.status) {
    case status::unauthorized:
    case status::forbidden:
        return ExitStatus::forbidden;
    case status::not_found:
        return ExitStatus::not_found;
    default:
        return ExitStatus::failure;
    }
}

bool is_success(const Answer& answer)
{
    return static_cast<unsigned>(answer.status) / 100 == 2;
}

ExitStatus print_json(const json::value& value)
{
    std::cout << show_json(value);
    return ExitStatus::success;
}

ExitStatus list(const Invocation& invocation, const Client& client)
{
    json::array sessions;
    json::value next = nullptr;
    do {
        auto target = invocation.target;
        if (!next.is_null()) {
            target += target.find('?') == std::string::npos ? "?after=" : "&after=";
            target += next.as_string();
        }
        const auto answer = client.ask(verb::get, target);
        if (!is_success(answer)) {
            return refused(answer);
        }
        const auto& page = answer.body.at("sessions").as_array();
        sessions.insert(sessions.end(), page.begin(), page.end());
        const auto last = std::exchange(next, answer.body.at("next"));
        if (!next.is_null() && next == last) {
            throw std::runtime_error("the endpoint's pages go round in circles");
        }
        if (invocation.wants_all_pages && shows_progress()) {
            std::cerr << '\r' << sessions.size() << " sessions" << std::flush;
        }
    } while (invocation.wants_all_pages && !next.is_null());
    if (invocation.wants_all_pages && shows_progress()) {
        std::cerr << "\r\x1b[K";
    }
    if (invocation.is_json) {
        return print_json(json::object{{"sessions", std::move(sessions)}, {"next", std::move(next)}}
        );
    }
    std::cout << show_sessions(sessions, output_columns());
    if (!next.is_null()) {
        std::cerr << "there are more; see --all-pages\n";
    }
    return ExitStatus::success;
}

void show_page(const Invocation& invocation, const json::value& page, Heading heading)
{
    if (invocation.is_json) {
        static_cast<void>(print_json(page));
    } else {
        std::cout << show_frames(page.at("frames").as_array(), output_columns(), heading);
    }
    std::cout << std::flush;
}

/// All pages of them; and if it follows, what comes then, until the session ends.
ExitStatus show_frames_of(const Invocation& invocation, const Client& client)
{
    constexpr auto pause = std::chrono::seconds(1);
    const auto target =
        invocation.target + (invocation.target.find('?') == std::string::npos ? "?" : "&");
    auto heading = Heading::shown;
    auto after = invocation.after;
    MissedFrames missed(after, invocation.frames);
    while (true) {
        const bool is_first = heading == Heading::shown;
        const auto answer = client.ask(verb::get, target + "after=" + std::to_string(after));
        if (!is_first && answer.status == status::not_found) {
            std::cerr << "the session has ended\n";
            return ExitStatus::success;
        }
        if (!is_success(answer)) {
            return refused(answer);
        }
        const auto& page = answer.body;
        std::cerr << missed.told_by(page);
        if (is_first || !page.at("frames").as_array().empty()) {
            show_page(invocation, page, std::exchange(heading, Heading::omitted));
        }
        after = page.at("next").to_number<std::uint64_t>();
        if (after < page.at("newest").to_number<std::uint64_t>()) {
            continue;
        }
        if (!invocation.follows) {
            return ExitStatus::success;
        }
        std::this_thread::sleep_for(pause);
    }
}

ExitStatus clean_up(const Invocation& invocation, const Answer& answer)
{
    if (invocation.is_json) {
        return print_json(answer.body);
    }
    const auto count = answer.body.at("sessions").to_number<std::uint64_t>();
    const bool is_dry_run = answer.body.at("dry_run").as_bool();
    std::cout << count << (count == 1 ? " session" : " sessions")
              << (is_dry_run ? " would end\n" : " ended\n");
    return ExitStatus::success;
}

ExitStatus watch_statistics(const Invocation& invocation, Duration interval, const Client& client)
{
    std::optional<json::value> before;
    auto asked = Clock::now();
    while (true) {
        const auto last = std::exchange(asked, Clock::now());
        auto answer = client.ask(verb::get, invocation.target);
        if (!is_success(answer)) {
            return refused(answer);
        }
        if (invocation.is_json) {
            static_cast<void>(print_json(answer.body));
        } else {
            const std::chrono::duration<double> between = asked - last;
            const auto text =
                show_statistics(answer.body, before ? &*before : nullptr, between.count());
            std::cout << (output_columns() ? "\x1b[H\x1b[J" : "") << text;
        }
        std::cout << std::flush;
        before = std::move(answer.body);
        std::this_thread::sleep_until(asked + interval);
    }
}

void clear_progress()
{
    std::cerr << (shows_progress() ? "\r\x1b[K" : "");
}

/// Whether the drain has ended, or what went wrong; nothing if it goes on.
std::optional<ExitStatus> look_at_drain(const Invocation& invocation, const Client& client)
{
    const auto answer = client.ask(verb::get, "/stats");
    if (answer.status == status::service_unavailable) {
        return std::nullopt;
    }
    if (!is_success(answer)) {
        return refused(answer);
    }
    if (answer.body.at_pointer("/health/state").as_string() == "closed") {
        clear_progress();
        std::cout << (invocation.is_json ? "{\"state\":\"closed\"}\n" : "closed\n");
        return ExitStatus::success;
    }
    if (shows_progress()) {
        std::cerr << "\rdraining: "
                  << answer.body.at_pointer("/sessions/live").to_number<std::uint64_t>()
                  << " sessions left\x1b[K" << std::flush;
    }
    return std::nullopt;
}

/// Waits until the service is closed, or its server has gone, which it may do then.
ExitStatus await_drain(const Invocation& invocation, Duration patience, const Client& client)
{
    constexpr auto pause = std::chrono::milliseconds(200);
    const auto until = Clock::now() + patience;
    while (Clock::now() < until) {
        try {
            if (const auto ended = look_at_drain(invocation, client)) {
                return *ended;
            }
        } catch (const Unreachable& error) {
            if (error.is_gone()) {
                clear_progress();
                std::cout
                    << (invocation.is_json ? "{\"state\":\"gone\"}\n" : "the server has gone\n");
                return ExitStatus::success;
            }
        }
        std::this_thread::sleep_for(pause);
    }
    std::cerr << "sojournctl: the service is not closed yet\n";
    return ExitStatus::failure;
}

ExitStatus show_health_of(const Invocation& invocation, const Answer& answer)
{
    const auto* const body = answer.body.if_object();
    if (body == nullptr || !body->contains("ready")) {
        return refused(answer);
    }
    if (invocation.is_json) {
        static_cast<void>(print_json(answer.body));
    } else {
        std::cout << show_health(answer.body, invocation.is_coloured);
    }
    return body->at("ready").as_bool() ? ExitStatus::success : ExitStatus::not_ready;
}

} // namespace

ExitStatus run(const Invocation& invocation)
{
    if (invocation.question) {
        if (!is_asked_by_a_person()) {
            std::cerr << "sojournctl: this needs --yes where nobody can be asked\n";
            return ExitStatus::usage;
        }
        if (!is_agreed(*invocation.question)) {
            return ExitStatus::failure;
        }
    }
    const Client client(invocation.address, invocation.token);
    if (invocation.topic == Topic::sessions) {
        return list(invocation, client);
    }
    if (invocation.topic == Topic::frames) {
        return show_frames_of(invocation, client);
    }
    if (const auto& interval = invocation.interval) {
        return watch_statistics(invocation, *interval, client);
    }
    const auto answer = client.ask(invocation.method, invocation.target);
    if (invocation.topic == Topic::health) {
        return show_health_of(invocation, answer);
    }
    if (!is_success(answer)) {
        return refused(answer);
    }
    switch (invocation.topic) {
    case Topic::session:
        if (invocation.is_json) {
            return print_json(answer.body);
        }
        std::cout << show_session(answer.body);
        return ExitStatus::success;
    case Topic::cleanup:
        return clean_up(invocation, answer);
    case Topic::statistics:
        if (invocation.is_json) {
            return print_json(answer.body);
        }
        std::cout << show_statistics(answer.body);
        return ExitStatus::success;
    case Topic::drain:
        if (const auto& patience = invocation.patience) {
            return await_drain(invocation, *patience, client);
        }
        return invocation.is_json ? print_json(answer.body) : ExitStatus::success;
    default:
        return ExitStatus::success;
    }
}

} // namespace sojourn::cli
