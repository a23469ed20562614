/// @file
/// Private header. What an admin endpoint tells, as JSON texts. Ids are in none of them, and
/// neither are the values of attributes: who may look after sessions need not see what they are
/// about. Only frames tell of that, whose reader must be allowed more.

#ifndef SOJOURN_ADMIN_JSON_HPP
#define SOJOURN_ADMIN_JSON_HPP

#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/core/session_info.hpp"
#include "sojourn/core/session_page.hpp"
#include "sojourn/service/session_service.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sojourn::admin {

/// `{"sessions": [...], "next": CURSOR or null}`
[[nodiscard]] std::string page_json(const SessionPage& page);

[[nodiscard]] std::string session_json(const SessionInfo& session);

/// A session that has ended, and its cause.
[[nodiscard]] std::string removed_json(const RemovedSession& session);

/// `{"what": "request" or "creation", "reason": ..., "count": ...}`
[[nodiscard]] std::string
refused_json(std::string_view what, std::string_view reason, std::uint64_t count);

/// `{"frames": [...], "next": N, "newest": N, "first_kept": N, "dropped": N}`
[[nodiscard]] std::string frames_json(const FramePage& page);

/// `{"sessions": COUNT, "dry_run": ...}`: how many a command has ended, or would.
[[nodiscard]] std::string ended_json(std::size_t sessions, bool is_dry_run);

/// All that there is to count, of one moment or nearly so.
[[nodiscard]] std::string
statistics_json(const Metrics& metrics, const SemaphoreMetrics& in_flight, const Health& health);

[[nodiscard]] std::string health_json(const Health& health);

/// `{"state": ...}`
[[nodiscard]] std::string state_json(ServiceState state);

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_JSON_HPP
