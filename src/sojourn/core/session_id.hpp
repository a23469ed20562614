/// @file
/// The secret by which a client names its session. Whoever holds the text of a `SessionId` holds
/// the session, so the type prints nowhere: it has no stream operator and no formatter. What may be
/// logged is the session's `SessionReference`.

#ifndef SOJOURN_CORE_SESSION_ID_HPP
#define SOJOURN_CORE_SESSION_ID_HPP

#include "sojourn/core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace sojourn {

namespace detail {

struct InplaceText {
    std::array<char, 47> text{};
    std::uint8_t length = 0;
};

} // namespace detail

/// A session id: 1 to 128 visible ASCII characters, or nothing when default constructed.
///
/// Ids that sojourn issues are 32 random bytes as base64url without padding, 43 characters. An id
/// adopted from a peer (a proxy that keeps its upstream's ids) may be any text that `parse` takes.
///
/// *Thread safety*: a value. *Comparison* takes the same time wherever two ids of equal length
/// differ, so that an answer's delay tells nothing of how much of a guess was right.
class SessionId {
public:
    /// Random bytes in an issued id: 256 bits. ASVS 5.0 (7.2.3) asks for at least 128.
    static constexpr std::size_t entropy_bytes = 32;
    /// Characters in an issued id.
    static constexpr std::size_t issued_length = 43;
    /// Characters in the longest id that a peer may bring.
    static constexpr std::size_t max_length = 128;

    /// Names no session.
    SessionId() = default;

    /// Takes any id a peer may use. *Errors*: `invalid_id` unless the text is 1 to 128 characters,
    /// each from '!' to '~'; the text itself is never part of the error.
    [[nodiscard]] static Result<SessionId> parse(std::string_view text);

    /// Takes only an id of the form that sojourn issues; what a server should do with a cookie.
    /// *Errors*: `invalid_id` unless the text is 43 characters of `A-Z a-z 0-9 - _`.
    [[nodiscard]] static Result<SessionId> parse_issued(std::string_view text);

    /// Encodes random bytes as an issued id.
    [[nodiscard]] static SessionId from_entropy(std::span<const std::byte, entropy_bytes> bytes
    ) noexcept;

    /// The secret itself, valid as long as this object is not changed. For the cookie, and nowhere
    /// else: never into a log, an error or a metric.
    [[nodiscard]] std::string_view text() const noexcept;

    [[nodiscard]] bool empty() const noexcept { return text().empty(); }

    friend bool operator==(const SessionId& left, const SessionId& right) noexcept;

private:
    explicit SessionId(std::string_view valid_text);

    // Issued ids are stored in place: a look-up allocates nothing. Longer ones are shared, so that
    // no copy can fail: after one that does, libstdc++'s variant destroys what was never built.
    std::variant<detail::InplaceText, std::shared_ptr<const std::string>> text_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_ID_HPP
