#include "soak/report.hpp"

#include "soak/plateau.hpp"
#include "soak/verdict.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sojourn::tests::soak {

namespace {

constexpr double mib = 1U << 20U;

double in_mib(std::uint64_t bytes)
{
    return static_cast<double>(bytes) / mib;
}

void print_plateau(const Judged& judged)
{
    const auto& found = judged.plateau;
    fmt::print(
        "  {:9} {:>10} in the middle third, {:>10} in the last, {:>10} allowed: {}\n",
        judged.name,
        judged.in_words(found.middle),
        judged.in_words(found.last),
        judged.in_words(found.allowed),
        found.holds() ? "holds" : "STILL GROWS"
    );
}

/// Of what was judged; null if nothing was.
std::string json(std::span<const Judged> all)
{
    std::string text;
    for (const auto& [name, found, is_memory] : all) {
        text += fmt::format(
            R"({}"{}": {{"middle": {}, "last": {}, "allowed": {}, "holds": {}}})",
            text.empty() ? "" : ", ",
            name,
            found.middle,
            found.last,
            found.allowed,
            found.holds()
        );
    }
    return text.empty() ? "null" : "{" + text + "}";
}

/// Faults are our own words with numbers and names in them; a quote may come from an exception.
std::string json(const std::string& text)
{
    std::string quoted = "\"";
    for (const char character : text) {
        const bool is_plain = character >= ' ' && character != '"' && character != '\\';
        quoted += is_plain ? character : '\'';
    }
    return quoted + '"';
}

void write(const std::filesystem::path& file, std::string_view text)
{
    std::ofstream stream(file);
    stream << text << std::flush;
    if (!stream) {
        throw std::runtime_error(file.string() + " cannot be written");
    }
}

} // namespace

void print_head()
{
    fmt::print(
        "{:>7} {:>9} {:>9} {:>6} {:>7} {:>8} {:>7} {:>11} {:>9} {:>9}\n",
        "seconds",
        "RSS MiB",
        "heap MiB",
        "live",
        "waiting",
        "pending",
        "threads",
        "operations/s",
        "p50 us",
        "p99 us"
    );
}

void print_row(const Sample& sample)
{
    fmt::print(
        "{:7.1f} {:9.2f} {:9.2f} {:6} {:7} {:8} {:7} {:12.0f} {:9.1f} {:9.1f}\n",
        sample.seconds,
        in_mib(sample.resident_bytes),
        in_mib(sample.heap_bytes),
        sample.live,
        sample.waiting,
        sample.pending,
        sample.threads,
        sample.operations_per_second,
        sample.acquire_p50_us,
        sample.acquire_p99_us
    );
    (void)std::fflush(stdout);
}

void print_sums(const Outcome& outcome)
{
    const auto& metrics = outcome.metrics;
    fmt::print(
        "\n{} operations; {} sessions were created, and ended:", outcome.operations, metrics.created
    );
    for (const auto cause : removal_causes) {
        fmt::print(" {} {}", metrics.removed_by(cause), to_string(cause));
    }
    fmt::print(
        ".\n{} leases; refused: {} over their rate, {} busy, {} that waited in vain, {} not found; "
        "{} creations over their rate, {} for want of room; {} guesses.\n"
        "{} frames were recorded, and {} of those dropped; they had {} bytes of {} at most.\n"
        "{} visitors vanished, {} listeners failed, the id source failed {} times.\n"
        "At most {} of {} events waited for the listeners, {} of {} clients for an answer.\n"
        "The drain: {} sessions finished, {} cancelled, {} waiters refused, {} events told, {} "
        "untold.\n",
        metrics.acquired - metrics.requests_shed,
        metrics.rate_limited,
        metrics.refused_busy,
        metrics.requests_shed,
        metrics.not_found,
        metrics.creations_rate_limited,
        metrics.refused_overloaded,
        metrics.guesses_rate_limited,
        metrics.frames_recorded,
        metrics.frames_dropped,
        outcome.frame_bytes_max,
        outcome.frame_bytes_bound,
        outcome.vanished,
        outcome.listener_failures,
        outcome.id_failures,
        outcome.pending_max,
        outcome.pending_bound,
        outcome.waiting_max,
        outcome.waiting_bound,
        outcome.drain.finished,
        outcome.drain.cancelled,
        outcome.drain.waiters_refused,
        outcome.drain.events_delivered,
        outcome.drain.events_undelivered
    );
    const auto all = judge(outcome.samples);
    if (all.empty()) {
        fmt::print(
            "Plateau: not judged; that takes {} samples, and these are {}.\n",
            plateau_samples_min,
            outcome.samples.size()
        );
        return;
    }
    fmt::print("Plateau:\n");
    for (const auto& each : all) {
        print_plateau(each);
    }
}

void write_samples(const std::filesystem::path& file, std::span<const Sample> samples)
{
    std::string text = "seconds,resident_bytes,heap_bytes,threads,live,leased,waiting,pending,"
                       "frame_bytes,operations_per_second,acquire_p50_us,acquire_p99_us\n";
    for (const auto& sample : samples) {
        text += fmt::format(
            "{:.3f},{},{},{},{},{},{},{},{},{:.1f},{:.3f},{:.3f}\n",
            sample.seconds,
            sample.resident_bytes,
            sample.heap_bytes,
            sample.threads,
            sample.live,
            sample.leased,
            sample.waiting,
            sample.pending,
            sample.frame_bytes,
            sample.operations_per_second,
            sample.acquire_p50_us,
            sample.acquire_p99_us
        );
    }
    write(file, text);
}

void write_summary(
    const std::filesystem::path& file, const SoakOptions& options, const Outcome& outcome
)
{
    std::string faults;
    for (const auto& fault : outcome.faults) {
        faults += (faults.empty() ? "" : ", ") + json(fault);
    }
    std::string removed;
    for (const auto cause : removal_causes) {
        removed += fmt::format(
            R"({}"{}": {})",
            removed.empty() ? "" : ", ",
            to_string(cause),
            outcome.metrics.removed_by(cause)
        );
    }
    const std::chrono::duration<double> duration = options.duration;
    write(
        file,
        fmt::format(
            R"({{
  "seed": {}, "seconds": {:.3f}, "threads": {}, "clients": {}, "shards": {},
  "samples": {}, "operations": {}, "created": {}, "acquired": {}, "requests_shed": {},
  "removed": {{{}}},
  "vanished": {}, "listener_failures": {}, "id_failures": {},
  "pending_max": {}, "pending_bound": {}, "waiting_max": {}, "waiting_bound": {},
  "frames_recorded": {}, "frames_dropped": {}, "frame_bytes_max": {}, "frame_bytes_bound": {},
  "plateau": {},
  "faults": [{}]
}}
)",
            options.seed,
            duration.count(),
            options.threads,
            options.clients,
            options.shards,
            outcome.samples.size(),
            outcome.operations,
            outcome.metrics.created,
            outcome.metrics.acquired,
            outcome.metrics.requests_shed,
            removed,
            outcome.vanished,
            outcome.listener_failures,
            outcome.id_failures,
            outcome.pending_max,
            outcome.pending_bound,
            outcome.waiting_max,
            outcome.waiting_bound,
            outcome.metrics.frames_recorded,
            outcome.metrics.frames_dropped,
            outcome.frame_bytes_max,
            outcome.frame_bytes_bound,
            json(judge(outcome.samples)),
            faults
        )
    );
}

} // namespace sojourn::tests::soak
