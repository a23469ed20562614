#include "sojourn/core/semaphore_options.hpp"

namespace sojourn {

std::optional<InvalidOption> SemaphoreOptions::validate() const noexcept
{
    constexpr std::string_view count_bounds = "from 0 to 1000000000";

    if (permits_ > most) {
        return InvalidOption{"permits", count_bounds};
    }
    if (max_waiters_ > most) {
        return InvalidOption{"max_waiters", count_bounds};
    }
    if (max_wait_ && !is_valid_timeout(*max_wait_)) {
        return InvalidOption{"max_wait", "nothing, or from 1ms to 365d"};
    }
    return std::nullopt;
}

} // namespace sojourn
