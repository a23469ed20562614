#include "sojourn/core/service_options.hpp"

#include <chrono>

namespace sojourn {

namespace {

constexpr std::size_t most_sessions = 100'000'000;
constexpr std::size_t most_at_once = 1'000'000'000;

template <class Number>
bool is_between(Number value, Number least, Number most) noexcept
{
    return value >= least && value <= most;
}

} // namespace

std::string InvalidOption::message() const
{
    std::string text(field);
    text += " must be ";
    text += accepted;
    return text;
}

std::optional<InvalidOption> ServiceOptions::validate() const noexcept
{
    constexpr std::string_view timeout_bounds = "from 1ms to 365d";
    constexpr std::string_view rate_bounds =
        "unlimited, or from 1 to 1000000000 a second with a burst from 1 to 1000000";

    if (!is_between<std::size_t>(max_sessions_, 1, most_sessions)) {
        return InvalidOption{"max_sessions", "from 1 to 100000000"};
    }
    if (!is_between<std::size_t>(shards_, 1, 256) || shards_ > max_sessions_) {
        return InvalidOption{"shards", "from 1 to 256 and not more than max_sessions"};
    }
    if (!is_valid_timeout(idle_timeout_)) {
        return InvalidOption{"idle_timeout", timeout_bounds};
    }
    if (!is_valid_timeout(absolute_lifetime_)) {
        return InvalidOption{"absolute_lifetime", timeout_bounds};
    }
    if (!is_valid_timeout(half_open_timeout_)) {
        return InvalidOption{"half_open_timeout", timeout_bounds};
    }
    if (!is_between<std::size_t>(max_half_open(), 1, most_sessions)) {
        return InvalidOption{"max_half_open", "from 1 to 100000000"};
    }
    if (max_sessions_per_principal_ &&
        !is_between<std::size_t>(*max_sessions_per_principal_, 1, 1'000)) {
        return InvalidOption{"max_sessions_per_principal", "none, or from 1 to 1000"};
    }
    if (!is_valid_rate(creation_rate_)) {
        return InvalidOption{"creation_rate", rate_bounds};
    }
    if (!is_between<std::size_t>(creation_keys_, 4, most_sessions)) {
        return InvalidOption{"creation_keys", "from 4 to 100000000"};
    }
    if (!is_valid_rate(request_rate_)) {
        return InvalidOption{"request_rate", rate_bounds};
    }
    if (max_in_flight_ && !is_between<std::size_t>(*max_in_flight_, 1, most_at_once)) {
        return InvalidOption{"max_in_flight", "none, or from 1 to 1000000000"};
    }
    if (max_waiting_requests_ > most_at_once) {
        return InvalidOption{"max_waiting_requests", "from 0 to 1000000000"};
    }
    if (!is_valid_timeout(max_request_wait_)) {
        return InvalidOption{"max_request_wait", timeout_bounds};
    }
    if (!is_between<std::size_t>(max_in_flight_per_session_, 1, 65'535)) {
        return InvalidOption{"max_in_flight_per_session", "from 1 to 65535"};
    }
    if (when_full_ != WhenFull::evict_idle && when_full_ != WhenFull::reject &&
        when_full_ != WhenFull::wait) {
        return InvalidOption{"when_full", "evict_idle, reject or wait"};
    }
    if (max_waiting_creations_ > most_at_once) {
        return InvalidOption{"max_waiting_creations", "from 0 to 1000000000"};
    }
    if (!is_valid_timeout(max_creation_wait_)) {
        return InvalidOption{"max_creation_wait", timeout_bounds};
    }
    if (eviction_grace_ < Duration::zero() || eviction_grace_ > max_duration) {
        return InvalidOption{"eviction_grace", "from 0 to 365d"};
    }
    if (max_attribute_bytes_ > 64UL * 1024 * 1024) {
        return InvalidOption{"max_attribute_bytes", "from 0 to 67108864"};
    }
    if (max_total_attribute_bytes_ && *max_total_attribute_bytes_ > 1UL << 50U) {
        return InvalidOption{"max_total_attribute_bytes", "none, or from 0 to 1125899906842624"};
    }
    if (!is_between<std::size_t>(max_pending_events_, 1, most_sessions)) {
        return InvalidOption{"max_pending_events", "from 1 to 100000000"};
    }
    if (!is_valid_timeout(listener_timeout_)) {
        return InvalidOption{"listener_timeout", timeout_bounds};
    }
    if (!is_between<std::size_t>(cleanup_batch_, 1, 10'000)) {
        return InvalidOption{"cleanup_batch", "from 1 to 10000"};
    }
    return std::nullopt;
}

} // namespace sojourn
