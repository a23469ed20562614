/// @file
/// What is asked of the service under load. Each question answers with its figures, and tells
/// `Claims` what should hold and does not.

#ifndef SOJOURN_BENCH_LOAD_QUESTIONS_HPP
#define SOJOURN_BENCH_LOAD_QUESTIONS_HPP

#include "load/claims.hpp"
#include "load/report.hpp"

#include <chrono>
#include <cstddef>

namespace sojourn::bench {

/// How much is asked.
struct Scale {
    /// How long a phase that has no other end takes.
    std::chrono::duration<double> phase;
    std::size_t users;
    std::size_t max_sessions;
    /// Sessions that an attacker tries to create.
    std::size_t mints;
    /// How long a listener takes for one session.
    std::chrono::milliseconds listener_time;
};

/// Does a server that is offered more than it can do still do as much as it can?
[[nodiscard]] Report overload(const Scale& scale, Claims& claims);

/// Do users keep their sessions while somebody mints new ones as fast as he can?
[[nodiscard]] Report attacker(const Scale& scale, Claims& claims);

/// Does a removal listener that cannot keep up slow creations down, rather than fill the memory?
[[nodiscard]] Report slow_listener(const Scale& scale, Claims& claims);

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_QUESTIONS_HPP
