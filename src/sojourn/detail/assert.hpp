/// @file
/// Private header. `SOJOURN_ASSERT` checks what only a defect in sojourn, or a broken precondition,
/// can make false. It is on wherever `SOJOURN_ENABLE_ASSERTIONS` is 1, which most
/// presets set, and costs nothing elsewhere.

#ifndef SOJOURN_DETAIL_ASSERT_HPP
#define SOJOURN_DETAIL_ASSERT_HPP

#if defined(SOJOURN_ENABLE_ASSERTIONS) && SOJOURN_ENABLE_ASSERTIONS

#include <cstdio>
#include <cstdlib>

#define SOJOURN_ASSERT(condition)                                                                  \
    (static_cast<bool>(condition)                                                                  \
         ? static_cast<void>(0)                                                                    \
         : ::sojourn::detail::assertion_failed(#condition, __FILE__, __LINE__))

namespace sojourn::detail {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line)
{
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the one call that is safe this late
    (void)std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    std::abort();
}

} // namespace sojourn::detail

#else

#define SOJOURN_ASSERT(condition) static_cast<void>(0)

#endif

#endif // SOJOURN_DETAIL_ASSERT_HPP
