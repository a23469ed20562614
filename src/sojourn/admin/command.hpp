/// @file
/// Private header. What a request to an admin endpoint asks for, read from its method and target.
/// Pure text.

#ifndef SOJOURN_ADMIN_COMMAND_HPP
#define SOJOURN_ADMIN_COMMAND_HPP

#include "sojourn/admin/options.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/session_filter.hpp"
#include "sojourn/core/session_page.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sojourn::admin {

/// In which order sessions are shown; those of the largest number first.
enum class SessionOrder : std::uint8_t { idle, age, requests };

/// `GET /sessions?principal=P&use=U&idle_for=D&limit=N&after=CURSOR&sort=S`
struct ListSessions {
    SessionFilter filter;
    std::size_t limit = 100;
    SessionCursor after;
    /// The first `limit` of all by this order, without a cursor; if not set, pages in no order.
    std::optional<SessionOrder> order;
};

/// `GET /sessions/REFERENCE`
struct ShowSession {
    SessionReference reference;
};

/// `GET /sessions/REFERENCE/frames?after=N&limit=N&stream=N`
struct ShowFrames {
    SessionReference reference;
    FrameQuery query;
};

/// `DELETE /sessions/REFERENCE`
struct DeleteSession {
    SessionReference reference;
};

/// `DELETE /principals/NAME/sessions` and `DELETE /sessions?principal=NAME`
struct DeletePrincipal {
    std::string principal;
};

/// `POST /cleanup?scope=expired|idle|all&idle_for=D&dry_run=true`
struct CleanUp {
    /// Those that have expired, if it is not set.
    std::optional<SessionFilter> filter;
    bool is_dry_run = false;
};

/// `GET /stats`
struct ShowStatistics {};

/// `GET /health`
struct ShowHealth {};

/// `GET /metrics`
struct ShowMetrics {};

/// `GET /events`
struct FollowEvents {};

/// `POST /drain?deadline=D`
struct Drain {
    Duration deadline = std::chrono::seconds(30);
};

using Command = std::variant<
    ListSessions,
    ShowSession,
    ShowFrames,
    DeleteSession,
    DeletePrincipal,
    CleanUp,
    ShowStatistics,
    ShowHealth,
    ShowMetrics,
    FollowEvents,
    Drain>;

/// Why a request asks for nothing that can be done.
struct Misunderstanding {
    boost::beast::http::status status{};
    /// The part of the request that is wrong; empty if all of it is.
    std::string field;
    /// What was wrong, and what is accepted.
    std::string message;
    /// The methods that the resource knows, for 405.
    std::string_view allowed;
};

/// Reads a request. *Exceptions*: `bad_alloc`. Linear in the target.
[[nodiscard]] std::variant<Command, Misunderstanding>
read_command(boost::beast::http::verb method, std::string_view target);

/// What one must be allowed to do for it. Frames are what clients said: whoever may only look after
/// sessions does not see them.
[[nodiscard]] Access needed_for(const Command& command) noexcept;

/// "SHARD-SLOT", as `after` reads it.
[[nodiscard]] std::string to_string(SessionCursor cursor);

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_COMMAND_HPP
