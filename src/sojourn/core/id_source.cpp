#include "sojourn/core/id_source.hpp"

#include "sojourn/detail/os_random.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace sojourn {

boost::system::error_code OsIdSource::fill(std::span<std::byte> bytes) noexcept
{
    return detail::fill_from_os(bytes);
}

Result<SessionNames> draw_names(IdSource& source)
{
    std::array<std::byte, SessionId::entropy_bytes + sizeof(std::uint64_t)> bytes{};
    if (source.fill(bytes)) {
        return errc::id_source_failed;
    }
    std::uint64_t reference = 0;
    std::memcpy(&reference, bytes.data() + SessionId::entropy_bytes, sizeof(reference));
    return SessionNames{
        SessionId::from_entropy(std::span(bytes).first<SessionId::entropy_bytes>()),
        SessionReference(reference)
    };
}

Result<SessionId> draw_id(IdSource& source)
{
    std::array<std::byte, SessionId::entropy_bytes> bytes{};
    if (source.fill(bytes)) {
        return errc::id_source_failed;
    }
    return SessionId::from_entropy(bytes);
}

} // namespace sojourn
