/// @file
/// The name of a session that may be logged, shown and sent to a metrics system. It is drawn at
/// random beside the id, says nothing about it, and stays when the id is rotated.

#ifndef SOJOURN_CORE_SESSION_REFERENCE_HPP
#define SOJOURN_CORE_SESSION_REFERENCE_HPP

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn {

/// A session's short, stable, log-safe name: 64 random bits. Not a key: only `SessionFilter` finds
/// a session by it, by looking at all of them, and two of ten million share one with a chance of
/// about one in 370,000.
class SessionReference {
public:
    constexpr SessionReference() = default;

    constexpr explicit SessionReference(std::uint64_t value) noexcept : value_(value) {}

    /// Reads what `to_string` writes; nothing from any other text.
    [[nodiscard]] static std::optional<SessionReference> parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }

    friend constexpr auto operator<=>(SessionReference, SessionReference) = default;

private:
    std::uint64_t value_ = 0;
};

/// Sixteen lower-case hexadecimal digits.
[[nodiscard]] std::string to_string(SessionReference reference);

} // namespace sojourn

template <>
struct std::hash<sojourn::SessionReference> {
    std::size_t operator()(sojourn::SessionReference reference) const noexcept
    {
        return static_cast<std::size_t>(reference.value());
    }
};

#endif // SOJOURN_CORE_SESSION_REFERENCE_HPP
