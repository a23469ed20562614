/// @file
/// Private header. Marks what callgrind shall count: what runs inside `sojourn_counted`, and
/// nothing before or after it.

#ifndef SOJOURN_BENCH_INSTRUCTIONS_COUNTED_HPP
#define SOJOURN_BENCH_INSTRUCTIONS_COUNTED_HPP

#include <functional>

/// Runs `operations`. Collection is toggled where this function is entered and left, which is why
/// its name is a plain one.
extern "C" void sojourn_counted(const std::function<void()>& operations);

#endif // SOJOURN_BENCH_INSTRUCTIONS_COUNTED_HPP
