#include "sojourn/detail/os_random.hpp"

#include <sys/random.h>

namespace sojourn::detail {

boost::system::error_code fill_from_os(std::span<std::byte> bytes) noexcept
{
    return fill_from(
        [](std::byte* data, std::size_t size) { return ::getrandom(data, size, 0); }, bytes
    );
}

} // namespace sojourn::detail
