/// @file
/// Listing sessions a page at a time, for an administrator's eye. A listing never holds a strand
/// for longer than one page takes and never names an id.

#ifndef SOJOURN_CORE_SESSION_PAGE_HPP
#define SOJOURN_CORE_SESSION_PAGE_HPP

#include "sojourn/core/session_filter.hpp"
#include "sojourn/core/session_info.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sojourn {

/// Where a listing goes on. A session that lives throughout a listing is on exactly one of its
/// pages; one that is created or ends meanwhile may or may not be.
struct SessionCursor {
    std::uint32_t shard = 0;
    std::uint32_t slot = 0;

    friend bool operator==(SessionCursor, SessionCursor) = default;
};

/// What to list, with chained setters.
class ListOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    ListOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Only the sessions that this filter means; default all.
    ListOptions& filter(SessionFilter filter)
    {
        filter_ = std::move(filter);
        return *this;
    }

    [[nodiscard]] const SessionFilter& filter() const noexcept { return filter_; }

    /// Sessions on a page, 1 to 1,000; outside, the nearest bound is used. Default 100.
    ListOptions& limit(std::size_t count) noexcept
    {
        limit_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t limit() const noexcept
    {
        return std::clamp<std::size_t>(limit_, 1, 1000);
    }

    /// Where to go on: `SessionPage::next` of the page before. Default the beginning.
    ListOptions& after(SessionCursor cursor) noexcept
    {
        cursor_ = cursor;
        return *this;
    }

    [[nodiscard]] SessionCursor cursor() const noexcept { return cursor_; }

private:
    SessionFilter filter_;
    std::size_t limit_ = 100;
    SessionCursor cursor_;
};

/// One page of a listing. Only the last holds fewer sessions than asked for, perhaps none.
struct SessionPage {
    std::vector<SessionInfo> sessions;
    /// Where the next page begins; nothing after the last one.
    std::optional<SessionCursor> next;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_PAGE_HPP
