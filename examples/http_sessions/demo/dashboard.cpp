#include "dashboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>
#include <vector>

namespace http_sessions {

namespace {

using sojourn::Metrics;
using sojourn::RemovalCause;

std::uint64_t expired(const Metrics& metrics)
{
    return metrics.removed_by(RemovalCause::expired_idle) +
           metrics.removed_by(RemovalCause::expired_lifetime);
}

struct Row {
    std::string_view name;
    std::uint64_t (*count)(const Metrics&);
    std::string_view meaning;
};

// What the demo is there to show, in the order in which it happens to a session.
constexpr std::array rows = {
    Row{"created", [](const Metrics& metrics) { return metrics.created; }, "new sessions"},
    Row{"touched",
        [](const Metrics& metrics) { return metrics.acquired; },
        "requests with a session"},
    Row{"rate limited",
        [](const Metrics& metrics) { return metrics.rate_limited; },
        "told to slow down: 429"},
    Row{"shed",
        [](const Metrics& metrics) { return metrics.refused_overloaded; },
        "no room now: 503"},
    Row{"evicted",
        [](const Metrics& metrics) { return metrics.removed_by(RemovalCause::evicted); },
        "the stalest made room"},
    Row{"expired", &expired, "nobody came back"},
};

/// "######....": how much of `all` is `part`.
std::string bar(std::size_t part, std::size_t all)
{
    constexpr std::size_t width = 24;
    const auto filled = std::min(width, part * width / std::max<std::size_t>(all, 1));
    return std::string(filled, '#') + std::string(width - filled, '.');
}

} // namespace

std::string grouped(std::uint64_t number)
{
    auto text = std::to_string(number);
    for (auto digits = text.size(); digits > 3; digits -= 3) {
        text.insert(digits - 3, 1, ',');
    }
    return text;
}

Dashboard::Dashboard(std::ostream& out, Display display, std::size_t max_sessions)
    : out_(out), display_(display), max_sessions_(max_sessions)
{
}

void Dashboard::show(std::chrono::milliseconds time, const Metrics& metrics)
{
    constexpr auto window = std::chrono::seconds(1);
    recent_.push_back({time, metrics});
    while (recent_.size() > 2 && recent_[1].time <= time - window) {
        recent_.pop_front();
    }
    ++samples_;
    samples_held_ += metrics.ledger_holds() ? 1U : 0U;

    if (display_ == Display::terminal) {
        draw_table();
    } else if (time >= next_line_) {
        next_line_ = std::chrono::floor<std::chrono::seconds>(time) + std::chrono::seconds(1);
        write_line();
    }
}

std::uint64_t Dashboard::per_second(Count count) const
{
    const auto& first = recent_.front();
    const auto& last = recent_.back();
    const auto time = static_cast<std::uint64_t>((last.time - first.time).count());
    return time == 0 ? 0 : (count(last.metrics) - count(first.metrics)) * 1000 / time;
}

void Dashboard::draw_table()
{
    const auto& [time, metrics] = recent_.back();
    const auto seconds = static_cast<double>(time.count()) / 1000;

    std::vector<std::string> lines;
    lines.push_back(fmt::format("  {:<14}{:>10}{:>10}", "", "total", "a second"));
    for (const auto& row : rows) {
        lines.push_back(fmt::format(
            "  \x1b[1m{:<14}\x1b[m{:>10}{:>10}   \x1b[2m{}\x1b[m",
            row.name,
            grouped(row.count(metrics)),
            grouped(per_second(row.count)),
            row.meaning
        ));
    }
    lines.emplace_back();
    lines.push_back(fmt::format(
        "  {:<14}{} {} of {}", "live", bar(metrics.live, max_sessions_), metrics.live, max_sessions_
    ));
    lines.push_back(fmt::format(
        "  {:<14}holds in {} of {} samples, {:.1f} s",
        "the ledger",
        samples_held_,
        samples_,
        seconds
    ));

    if (lines_drawn_ > 0) {
        fmt::format_to(std::ostreambuf_iterator<char>(out_), "\x1b[{}A", lines_drawn_);
    }
    for (const auto& line : lines) {
        out_ << "\r\x1b[K" << line << '\n';
    }
    out_.flush();
    lines_drawn_ = lines.size();
}

void Dashboard::write_line()
{
    const auto& [time, metrics] = recent_.back();
    std::string line =
        fmt::format("{:>3} s ", std::chrono::floor<std::chrono::seconds>(time).count());
    for (const auto& row : rows) {
        line += fmt::format("  {} {} (+{}/s)", row.name, row.count(metrics), per_second(row.count));
    }
    out_ << line
         << fmt::format(
                "  live {}/{}  ledger {}",
                metrics.live,
                max_sessions_,
                samples_held_ == samples_ ? "holds" : "BROKEN"
            )
         << "\n"
         << std::flush;
}

} // namespace http_sessions
