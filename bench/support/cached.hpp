/// @file
/// What is dear to set up is set up once: repetitions of a benchmark are run in random order among
/// others, and filling a table with ten million sessions takes seconds.

#ifndef SOJOURN_BENCH_SUPPORT_CACHED_HPP
#define SOJOURN_BENCH_SUPPORT_CACHED_HPP

#include <cstddef>
#include <map>
#include <memory>

namespace sojourn::bench {

/// The `T` for this number of sessions, made when it is first asked for and kept.
template <class T>
T& cached(std::size_t sessions)
{
    static std::map<std::size_t, std::unique_ptr<T>> kept;
    auto& fixture = kept[sessions];
    if (!fixture) {
        fixture = std::make_unique<T>(sessions);
    }
    return *fixture;
}

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_CACHED_HPP
