/// @file
/// Where the random bytes of session ids come from. A server uses `OsIdSource`; a test or a
/// simulation uses `testing::SeededIdSource` and gets the same ids every time.

#ifndef SOJOURN_CORE_ID_SOURCE_HPP
#define SOJOURN_CORE_ID_SOURCE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_reference.hpp"

#include <cstddef>
#include <span>

namespace sojourn {

/// A source of random bytes that nobody can predict and that never repeats itself.
///
/// *Thread safety*: the service calls `fill` from any number of threads at once.
class IdSource {
public:
    IdSource() = default;
    IdSource(const IdSource&) = delete;
    IdSource& operator=(const IdSource&) = delete;
    IdSource(IdSource&&) = delete;
    IdSource& operator=(IdSource&&) = delete;
    virtual ~IdSource() = default;

    /// Fills all of `bytes`, or returns why it could not. There is no fallback: when this fails,
    /// no session is created.
    [[nodiscard]] virtual boost::system::error_code fill(std::span<std::byte> bytes) noexcept = 0;
};

/// The operating system's generator.
class OsIdSource final : public IdSource {
public:
    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override;
};

/// What names a new session: the secret for its client and the reference for the log.
struct SessionNames {
    SessionId id;
    SessionReference reference;
};

/// Draws the names of one session, 40 bytes in one call of the source.
/// *Errors*: `id_source_failed` if the source fails, for whatever reason.
[[nodiscard]] Result<SessionNames> draw_names(IdSource& source);

/// Draws an id alone, for a session that gets a new one and keeps its reference.
/// *Errors*: `id_source_failed`.
[[nodiscard]] Result<SessionId> draw_id(IdSource& source);

} // namespace sojourn

#endif // SOJOURN_CORE_ID_SOURCE_HPP
