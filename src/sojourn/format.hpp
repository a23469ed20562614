/// @file
/// Formats sojourn's types with fmt: references, causes, errors. Opt-in, and not part of the
/// module. A `SessionId` has no formatter, and must not get one.

#ifndef SOJOURN_FORMAT_HPP
#define SOJOURN_FORMAT_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_reference.hpp"

#include <fmt/format.h>

#include <string_view>

/// Sixteen hexadecimal digits; takes the format specification of a string.
template <>
struct fmt::formatter<sojourn::SessionReference> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(sojourn::SessionReference reference, Context& context) const
    {
        return fmt::formatter<std::string_view>::format(to_string(reference), context);
    }
};

/// The enumerator's name; takes the format specification of a string.
template <>
struct fmt::formatter<sojourn::RemovalCause> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(sojourn::RemovalCause cause, Context& context) const
    {
        return fmt::formatter<std::string_view>::format(to_string(cause), context);
    }
};

/// The message; takes the format specification of a string.
template <>
struct fmt::formatter<sojourn::Error> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const sojourn::Error& error, Context& context) const
    {
        return fmt::formatter<std::string_view>::format(error.message(), context);
    }
};

namespace sojourn {

static_assert(!fmt::is_formattable<SessionId>::value, "a session id is a secret");

} // namespace sojourn

#endif // SOJOURN_FORMAT_HPP
