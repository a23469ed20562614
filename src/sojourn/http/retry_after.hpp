/// @file
/// The `Retry-After` field: RFC 9110, section 10.2.3.

#ifndef SOJOURN_HTTP_RETRY_AFTER_HPP
#define SOJOURN_HTTP_RETRY_AFTER_HPP

#include "sojourn/core/time.hpp"

#include <algorithm>
#include <chrono>

namespace sojourn::http {

/// What the field says of this wait: whole seconds, rounded up, so that whoever waits that long has
/// waited long enough; and at least one, since zero would be an invitation to try at once.
[[nodiscard]] constexpr std::chrono::seconds to_retry_after(Duration wait) noexcept
{
    return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
}

} // namespace sojourn::http

#endif // SOJOURN_HTTP_RETRY_AFTER_HPP
