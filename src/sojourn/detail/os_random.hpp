/// @file
/// Private header. The operating system's random generator; its source file is the only place that
/// knows which system call that is.

#ifndef SOJOURN_DETAIL_OS_RANDOM_HPP
#define SOJOURN_DETAIL_OS_RANDOM_HPP

#include <boost/system/error_code.hpp>

#include <cerrno>
#include <cstddef>
#include <span>

namespace sojourn::detail {

/// Fills the span from `read_some(data, size)`, a call in the manner of getrandom(2): it returns
/// how many bytes it gave, which may be fewer than asked, or a negative number with `errno` set.
/// An interrupted call is made again; any other failure ends the fill.
template <class ReadSome>
boost::system::error_code fill_from(ReadSome read_some, std::span<std::byte> bytes) noexcept
{
    while (!bytes.empty()) {
        const auto count = read_some(bytes.data(), bytes.size());
        if (count > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            return {count == 0 ? EIO : errno, boost::system::system_category()};
        }
    }
    return {};
}

/// Fills the span with bytes fit for secrets. Never falls back to a weaker source.
[[nodiscard]] boost::system::error_code fill_from_os(std::span<std::byte> bytes) noexcept;

} // namespace sojourn::detail

#endif // SOJOURN_DETAIL_OS_RANDOM_HPP
