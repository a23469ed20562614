#include "sojourn/core/metrics.hpp"

namespace sojourn {

Metrics& Metrics::operator+=(const Metrics& other) noexcept
{
    created += other.created;
    live += other.live;
    half_open += other.half_open;
    closing += other.closing;
    leased += other.leased;
    for (const auto cause : removal_causes) {
        removed[static_cast<std::size_t>(cause)] += other.removed_by(cause);
    }
    pending_removals += other.pending_removals;
    pending_creations += other.pending_creations;
    rotated += other.rotated;
    acquires += other.acquires;
    acquired += other.acquired;
    not_found += other.not_found;
    rate_limited += other.rate_limited;
    refused_busy += other.refused_busy;
    refused_stopping += other.refused_stopping;
    guesses_rate_limited += other.guesses_rate_limited;
    requests_shed += other.requests_shed;
    refused_overloaded += other.refused_overloaded;
    creations_rate_limited += other.creations_rate_limited;
    creations_refused_stopping += other.creations_refused_stopping;
    frames_recorded += other.frames_recorded;
    frames += other.frames;
    frame_bytes += other.frame_bytes;
    frames_dropped += other.frames_dropped;
    frames_ended += other.frames_ended;
    calls_inline += other.calls_inline;
    calls_combined += other.calls_combined;
    calls_suspended += other.calls_suspended;
    return *this;
}

} // namespace sojourn
