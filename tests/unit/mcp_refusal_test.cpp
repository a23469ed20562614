#include <sojourn/core/error.hpp>
#include <sojourn/http/mcp_refusal.hpp>

#include <boost/asio/error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>

namespace sojourn::tests {

namespace {

using http::McpErrorCode;
using http::McpRevision;
using http::to_mcp_refusal;
using namespace std::chrono_literals;

constexpr std::array legacy_revisions = {
    McpRevision::v2025_03_26,
    McpRevision::v2025_06_18,
    McpRevision::v2025_11_25,
};

constexpr auto modern = McpRevision::v2026_07_28;

constexpr auto last_errc = errc::record_too_new;

} // namespace

TEST_CASE("mcp_refusal: in the legacy era a session that is not found is 404, always", "[http]")
{
    for (const auto revision : legacy_revisions) {
        for (const auto code : {errc::not_found, errc::invalid_id}) {
            const auto refusal = to_mcp_refusal(code, revision);
            CHECK(refusal.status() == 404);
            CHECK(static_cast<int>(refusal.code) == -32001);
            CHECK(refusal.message == "Session not found");
        }
    }
}

TEST_CASE("mcp_refusal: later, what is not found is neither 404 nor a code of old", "[http]")
{
    const auto refusal = to_mcp_refusal(errc::not_found, modern);
    CHECK(refusal.status() == 400);
    CHECK(refusal.code == McpErrorCode::invalid_params);
}

TEST_CASE("mcp_refusal: over its rate a client is told when to come back", "[http]")
{
    for (const auto revision : http::mcp_revisions) {
        const auto refusal = to_mcp_refusal({errc::rate_limited, 2500ms}, revision);
        CHECK(refusal.status() == 429);
        CHECK(refusal.code == McpErrorCode::rate_limited);
        CHECK(refusal.retry_after == 3s);
    }
}

TEST_CASE("mcp_refusal: a server that is full or stops is unavailable for a while", "[http]")
{
    for (const auto revision : http::mcp_revisions) {
        for (const auto code : {errc::overloaded, errc::stopping, errc::timed_out}) {
            const auto refusal = to_mcp_refusal(code, revision);
            CHECK(refusal.status() == 503);
            CHECK(refusal.code == McpErrorCode::unavailable);
            CHECK(refusal.retry_after == 1s);
            CHECK(to_mcp_refusal({code, 10s + 1ns}, revision).retry_after == 11s);
        }
    }
}

TEST_CASE("mcp_refusal: a server that has no access to its sessions is unavailable", "[http]")
{
    for (const auto revision : http::mcp_revisions) {
        for (const auto code : {errc::store_unavailable, errc::store_full}) {
            const auto refusal = to_mcp_refusal(code, revision);
            CHECK(refusal.status() == 503);
            CHECK(refusal.code == McpErrorCode::unavailable);
            CHECK(refusal.retry_after == 1s);
        }
    }
}

TEST_CASE("mcp_refusal: what else goes wrong is the server's fault", "[http]")
{
    for (const Error& error :
         {Error(errc::id_source_failed),
          Error(errc::conflict),
          Error(boost::asio::error::operation_aborted),
          Error()}) {
        const auto refusal = to_mcp_refusal(error, modern);
        CHECK(refusal.status() == 500);
        CHECK(refusal.code == McpErrorCode::internal_error);
        CHECK(refusal.retry_after == 0s);
    }
}

TEST_CASE("mcp_refusal: every error has a message, and only 405 an Allow field", "[http]")
{
    for (const auto revision : http::mcp_revisions) {
        for (int code = 1; code <= static_cast<int>(last_errc); ++code) {
            CAPTURE(code);
            const auto refusal = to_mcp_refusal(static_cast<errc>(code), revision);
            CHECK_FALSE(refusal.message.empty());
            CHECK(refusal.allow.empty());
        }
    }
}

TEST_CASE("mcp_refusal: since 2026-07-28 no code of the legacy era is sent", "[http]")
{
    for (int code = 1; code <= static_cast<int>(last_errc); ++code) {
        CAPTURE(code);
        const auto refusal = to_mcp_refusal(static_cast<errc>(code), modern);
        const auto sent = static_cast<int>(refusal.code);
        const bool is_closed = sent <= -32000 && sent >= -32099;
        CHECK_FALSE(is_closed);
    }
}

} // namespace sojourn::tests
