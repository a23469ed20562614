/// @file
/// Private header. What a processor does between two looks at a variable that another one is about
/// to change.

#ifndef SOJOURN_DETAIL_PAUSE_HPP
#define SOJOURN_DETAIL_PAUSE_HPP

namespace sojourn::detail {

/// Waits a moment, tens of nanoseconds, without giving up the processor.
inline void pause() noexcept
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace sojourn::detail

#endif // SOJOURN_DETAIL_PAUSE_HPP
