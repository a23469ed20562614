#include <sojourn/http/mcp_revision.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

namespace sojourn::tests {

using http::closing_stream_cancels;
using http::has_sessions;
using http::McpRevision;
using http::parse_mcp_revision;

TEST_CASE("mcp_revision: a revision is named by its date", "[http]")
{
    CHECK(parse_mcp_revision("2025-03-26") == McpRevision::v2025_03_26);
    CHECK(parse_mcp_revision("2025-06-18") == McpRevision::v2025_06_18);
    CHECK(parse_mcp_revision("2025-11-25") == McpRevision::v2025_11_25);
    CHECK(parse_mcp_revision("2026-07-28") == McpRevision::v2026_07_28);
    for (const auto revision : http::mcp_revisions) {
        CHECK(parse_mcp_revision(to_string(revision)) == revision);
    }
}

TEST_CASE("mcp_revision: other dates and texts name none", "[http]")
{
    for (const std::string_view text :
         {"",
          "2024-11-05",
          "2026-07-29",
          "2099-01-01",
          "2025-06-1",
          "2025-06-18 ",
          "2025-06-18, 2025-06-18",
          "DRAFT-2026-07-28",
          "unknown"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_mcp_revision(text));
    }
}

TEST_CASE("mcp_revision: a client of the legacy era that does not say is of 2025-03-26", "[http]")
{
    CHECK(http::assumed_mcp_revision == McpRevision::v2025_03_26);
}

TEST_CASE("mcp_revision: sessions end with the legacy era", "[http]")
{
    CHECK(has_sessions(McpRevision::v2025_03_26));
    CHECK(has_sessions(McpRevision::v2025_06_18));
    CHECK(has_sessions(McpRevision::v2025_11_25));
    CHECK_FALSE(has_sessions(McpRevision::v2026_07_28));
}

TEST_CASE("mcp_revision: closing a stream cancels only after the legacy era", "[http]")
{
    CHECK_FALSE(closing_stream_cancels(McpRevision::v2025_03_26));
    CHECK_FALSE(closing_stream_cancels(McpRevision::v2025_06_18));
    CHECK_FALSE(closing_stream_cancels(McpRevision::v2025_11_25));
    CHECK(closing_stream_cancels(McpRevision::v2026_07_28));
}

} // namespace sojourn::tests
