/// @file
/// Private header. The operations whose instructions are counted. Each makes what it works on, runs
/// the operation inside `sojourn_counted`, and returns how many times it did. No threads, a clock
/// that stands still, ids from a seed: every run executes the same instructions.

#ifndef SOJOURN_BENCH_INSTRUCTIONS_OPERATIONS_HPP
#define SOJOURN_BENCH_INSTRUCTIONS_OPERATIONS_HPP

#include <cstddef>

namespace sojourn::instructions {

inline constexpr std::size_t session_count = 1'000;
inline constexpr std::size_t operation_count = 2'000;

/// Acquire and give back at the table alone: no strand, no coroutine.
std::size_t table_touch();

/// `SessionService::touch`, awaited.
std::size_t touch();

/// `SessionService::acquire`, awaited, and the release of its lease: what a request pays.
std::size_t acquire_release();

/// The same while an admin endpoint listens, and all counters are read once in a thousand requests:
/// what being watched costs a request.
std::size_t acquire_release_watched();

/// `SessionLease::record` of 64 bytes, awaited, in a session that keeps as many frames as it may.
std::size_t record();

/// The same where none are recorded.
std::size_t record_off();

/// `SessionService::create` in a full table, so that each ends another session.
std::size_t create_evict();

/// `SessionService::cleanup`, for each session it ends.
std::size_t expire();

/// `Confined::call` with a look-up in a hash map.
std::size_t confined_call();

} // namespace sojourn::instructions

#endif // SOJOURN_BENCH_INSTRUCTIONS_OPERATIONS_HPP
