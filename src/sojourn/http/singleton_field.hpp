/// @file
/// A field that a request has once, if at all: what RFC 9110, section 5.5, calls a singleton field.

#ifndef SOJOURN_HTTP_SINGLETON_FIELD_HPP
#define SOJOURN_HTTP_SINGLETON_FIELD_HPP

#include <cstddef>
#include <optional>
#include <string_view>

namespace sojourn::http {

/// Reads one singleton field of one request: `add` each line of its name, then ask. A view of the
/// last line is kept.
///
/// Two lines are an error even if they say the same: of two readers on the way, one may take the
/// first and one the last, and who sent them may know which.
class SingletonField {
public:
    /// The value as the parser gives it, without the blanks around it.
    void add(std::string_view value) noexcept
    {
        value_ = value;
        ++lines_;
    }

    [[nodiscard]] bool is_absent() const noexcept { return lines_ == 0; }

    [[nodiscard]] bool is_repeated() const noexcept { return lines_ > 1; }

    /// Nothing if the field is absent or repeated.
    [[nodiscard]] std::optional<std::string_view> value() const noexcept
    {
        return lines_ == 1 ? std::optional(value_) : std::nullopt;
    }

private:
    std::string_view value_;
    std::size_t lines_ = 0;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_SINGLETON_FIELD_HPP
