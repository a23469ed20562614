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

constexpr std::string_view timeout_bounds = "from 1ms to 365d";
constexpr std::string_view rate_bounds =
    "unlimited, or from 1 to 1000000000 a second with a burst from 1 to 1000000";

/// How long they live, and how many of them there may be.
std::optional<InvalidOption> first_invalid_of_sessions(const ServiceOptions& options) noexcept
{
    if (!is_between<std::size_t>(options.max_sessions(), 1, most_sessions)) {
        return InvalidOption{"max_sessions", "from 1 to 100000000"};
    }
    if (!is_between<std::size_t>(options.shards(), 1, 256) ||
        options.shards() > options.max_sessions()) {
        return InvalidOption{"shards", "from 1 to 256 and not more than max_sessions"};
    }
    if (!is_valid_timeout(options.idle_timeout())) {
        return InvalidOption{"idle_timeout", timeout_bounds};
    }
    if (!is_valid_timeout(options.absolute_lifetime())) {
        return InvalidOption{"absolute_lifetime", timeout_bounds};
    }
    if (!is_valid_timeout(options.half_open_timeout())) {
        return InvalidOption{"half_open_timeout", timeout_bounds};
    }
    if (!is_between<std::size_t>(options.max_half_open(), 1, most_sessions)) {
        return InvalidOption{"max_half_open", "from 1 to 100000000"};
    }
    if (!is_between<std::size_t>(options.max_sessions_per_principal().value_or(1), 1, 1'000)) {
        return InvalidOption{"max_sessions_per_principal", "none, or from 1 to 1000"};
    }
    return std::nullopt;
}

/// How fast and how many at once.
std::optional<InvalidOption> first_invalid_of_requests(const ServiceOptions& options) noexcept
{
    if (!is_valid_rate(options.creation_rate())) {
        return InvalidOption{"creation_rate", rate_bounds};
    }
    if (!is_between<std::size_t>(options.creation_keys(), 4, most_sessions)) {
        return InvalidOption{"creation_keys", "from 4 to 100000000"};
    }
    if (!is_valid_rate(options.request_rate())) {
        return InvalidOption{"request_rate", rate_bounds};
    }
    if (!is_between<std::size_t>(options.max_in_flight().value_or(1), 1, most_at_once)) {
        return InvalidOption{"max_in_flight", "none, or from 1 to 1000000000"};
    }
    if (options.max_waiting_requests() > most_at_once) {
        return InvalidOption{"max_waiting_requests", "from 0 to 1000000000"};
    }
    if (!is_valid_timeout(options.max_request_wait())) {
        return InvalidOption{"max_request_wait", timeout_bounds};
    }
    if (!is_between<std::size_t>(options.max_in_flight_per_session(), 1, 65'535)) {
        return InvalidOption{"max_in_flight_per_session", "from 1 to 65535"};
    }
    return std::nullopt;
}

/// What happens where there is no room, and how much there is.
std::optional<InvalidOption> first_invalid_of_room(const ServiceOptions& options) noexcept
{
    if (options.when_full() != WhenFull::evict_idle && options.when_full() != WhenFull::reject &&
        options.when_full() != WhenFull::wait) {
        return InvalidOption{"when_full", "evict_idle, reject or wait"};
    }
    if (options.max_waiting_creations() > most_at_once) {
        return InvalidOption{"max_waiting_creations", "from 0 to 1000000000"};
    }
    if (!is_valid_timeout(options.max_creation_wait())) {
        return InvalidOption{"max_creation_wait", timeout_bounds};
    }
    if (options.eviction_grace() < Duration::zero() || options.eviction_grace() > max_duration) {
        return InvalidOption{"eviction_grace", "from 0 to 365d"};
    }
    if (options.max_attribute_bytes() > 64UL * 1024 * 1024) {
        return InvalidOption{"max_attribute_bytes", "from 0 to 67108864"};
    }
    if (options.max_total_attribute_bytes().value_or(0) > 1UL << 50U) {
        return InvalidOption{"max_total_attribute_bytes", "none, or from 0 to 1125899906842624"};
    }
    if (options.max_frames_per_session() > 10'000) {
        return InvalidOption{"max_frames_per_session", "from 0 to 10000"};
    }
    if (options.max_frame_bytes_per_session() > 64UL * 1024 * 1024) {
        return InvalidOption{"max_frame_bytes_per_session", "from 0 to 67108864"};
    }
    if (options.max_frame_bytes() > 1UL << 50U) {
        return InvalidOption{"max_frame_bytes", "from 0 to 1125899906842624"};
    }
    if (!is_between<std::size_t>(options.max_pending_events(), 1, most_sessions)) {
        return InvalidOption{"max_pending_events", "from 1 to 100000000"};
    }
    if (!is_valid_timeout(options.listener_timeout())) {
        return InvalidOption{"listener_timeout", timeout_bounds};
    }
    if (!is_between<std::size_t>(options.cleanup_batch(), 1, 10'000)) {
        return InvalidOption{"cleanup_batch", "from 1 to 10000"};
    }
    return std::nullopt;
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
    auto invalid = first_invalid_of_sessions(*this);
    if (!invalid) {
        invalid = first_invalid_of_requests(*this);
    }
    if (!invalid) {
        invalid = first_invalid_of_room(*this);
    }
    return invalid;
}

} // namespace sojourn
