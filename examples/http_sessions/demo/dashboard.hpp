/// @file
/// Shows the counters while they change: a table that is redrawn in place on a terminal, a line a
/// second elsewhere.

#ifndef HTTP_SESSIONS_DEMO_DASHBOARD_HPP
#define HTTP_SESSIONS_DEMO_DASHBOARD_HPP

#include <sojourn/core/metrics.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iosfwd>
#include <string>

namespace http_sessions {

/// Where the dashboard is shown.
enum class Display : std::uint8_t { terminal, lines };

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

class Dashboard {
public:
    Dashboard(std::ostream& out, Display display, std::size_t max_sessions);

    /// Shows the counters as they were this long after the start.
    void show(std::chrono::milliseconds time, const sojourn::Metrics& metrics);

private:
    struct Sample {
        std::chrono::milliseconds time{};
        sojourn::Metrics metrics;
    };

    using Count = std::uint64_t (*)(const sojourn::Metrics&);

    [[nodiscard]] std::uint64_t per_second(Count count) const;
    void draw_table();
    void write_line();

    std::ostream& out_;
    Display display_;
    std::size_t max_sessions_;
    /// Those of the last second, of which the rates are made.
    std::deque<Sample> recent_;
    std::size_t samples_ = 0;
    std::size_t samples_held_ = 0;
    std::size_t lines_drawn_ = 0;
    std::chrono::seconds next_line_{1};
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_DEMO_DASHBOARD_HPP
