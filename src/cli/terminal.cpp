#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace sojourn::cli {

bool is_asked_by_a_person()
{
    return ::isatty(STDIN_FILENO) != 0;
}

std::optional<std::size_t> output_columns()
{
    if (::isatty(STDOUT_FILENO) == 0) {
        return std::nullopt;
    }
    constexpr std::size_t usual = 80;
    winsize size{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg,hicpp-vararg): it is what POSIX has
    const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : usual;
}

bool shows_progress()
{
    return ::isatty(STDERR_FILENO) != 0;
}

bool declines_colour()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const char* const value = std::getenv("NO_COLOR");
    return value != nullptr && *value != '\0';
}

} // namespace sojourn::cli
