/// @file
/// A service under everything at once, for as long as one likes, in real time and in real threads:
/// what the simulator cannot find, because it is a matter of hours, of memory, or of the machine.

#ifndef SOJOURN_TESTS_SOAK_SOAK_HPP
#define SOJOURN_TESTS_SOAK_SOAK_HPP

#include "soak/sample.hpp"

#include <sojourn/core/metrics.hpp>
#include <sojourn/service/drain_report.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sojourn::tests::soak {

struct SoakOptions {
    std::chrono::milliseconds duration{};
    std::uint64_t seed = 0;
    std::size_t threads = 1;
    std::size_t clients = 1;
    std::size_t shards = 1;
};

/// What became of it.
struct Outcome {
    std::vector<Sample> samples;
    Metrics metrics;
    DrainReport drain;
    std::uint64_t operations = 0;
    std::uint64_t vanished = 0;
    std::uint64_t listener_failures = 0;
    std::uint64_t id_failures = 0;
    /// The most events that waited for listeners in a sample, and the most that may.
    std::uint64_t pending_max = 0;
    std::uint64_t pending_bound = 0;
    /// The same for clients that waited for an answer.
    std::uint64_t waiting_max = 0;
    std::uint64_t waiting_bound = 0;
    /// And for bytes of frames.
    std::uint64_t frame_bytes_max = 0;
    std::uint64_t frame_bytes_bound = 0;
    /// What does not hold, in words.
    std::vector<std::string> faults;
};

/// Runs it, and tells of each sample when it is taken. Ends by itself: what does not come to an end
/// within a minute is a fault.
///
/// *Exceptions*: `std::runtime_error` if something is stuck. The process cannot go on then; threads
/// may still be at work.
[[nodiscard]] Outcome
run_soak(const SoakOptions& options, const std::function<void(const Sample&)>& on_sample);

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_SOAK_HPP
