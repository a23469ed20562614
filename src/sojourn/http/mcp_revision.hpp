/// @file
/// The revisions of the Model Context Protocol that have the Streamable HTTP transport, and what
/// differs between them.

#ifndef SOJOURN_HTTP_MCP_REVISION_HPP
#define SOJOURN_HTTP_MCP_REVISION_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sojourn::http {

/// A revision, named by its date. The first three are the legacy era: a client initializes, and has
/// a session. Since 2026-07-28 it has none: each request says all that it needs.
enum class McpRevision : std::uint8_t {
    v2025_03_26,
    v2025_06_18,
    v2025_11_25,
    v2026_07_28,
};

/// Every revision, from the oldest to the newest.
inline constexpr std::array mcp_revisions = {
    McpRevision::v2025_03_26,
    McpRevision::v2025_06_18,
    McpRevision::v2025_11_25,
    McpRevision::v2026_07_28,
};

/// What a client of the legacy era speaks that does not say: the `MCP-Protocol-Version` field is
/// younger than this revision.
inline constexpr auto assumed_mcp_revision = McpRevision::v2025_03_26;

/// The date, as `MCP-Protocol-Version` has it.
[[nodiscard]] constexpr std::string_view to_string(McpRevision revision) noexcept
{
    switch (revision) {
    case McpRevision::v2025_03_26:
        return "2025-03-26";
    case McpRevision::v2025_06_18:
        return "2025-06-18";
    case McpRevision::v2025_11_25:
        return "2025-11-25";
    case McpRevision::v2026_07_28:
        return "2026-07-28";
    }
    return "unknown";
}

/// The revision of this date; nothing if there is none.
[[nodiscard]] constexpr std::optional<McpRevision> parse_mcp_revision(std::string_view date
) noexcept
{
    for (const auto revision : mcp_revisions) {
        if (to_string(revision) == date) {
            return revision;
        }
    }
    return std::nullopt;
}

/// Whether `Mcp-Session-Id` means anything. If not, it is ignored, and never sent.
[[nodiscard]] constexpr bool has_sessions(McpRevision revision) noexcept
{
    return revision < McpRevision::v2026_07_28;
}

/// Whether a client that closes the stream of a response has cancelled its request. In the legacy
/// era it has not: it may come back for the rest, and cancels by `notifications/cancelled`.
[[nodiscard]] constexpr bool closing_stream_cancels(McpRevision revision) noexcept
{
    return !has_sessions(revision);
}

} // namespace sojourn::http

#endif // SOJOURN_HTTP_MCP_REVISION_HPP
