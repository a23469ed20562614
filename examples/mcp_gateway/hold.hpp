/// @file
/// What keeps a session while a request or a stream is at work for it.

#ifndef MCP_GATEWAY_HOLD_HPP
#define MCP_GATEWAY_HOLD_HPP

#include <sojourn/core/frame.hpp>
#include <sojourn/core/frame_page.hpp>
#include <sojourn/service/session_lease.hpp>
#include <sojourn/service/weak_lease.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace mcp_gateway {

/// A lease, or a weak one for a stream that stays open: a client that only listens keeps its
/// session from idleness, but not from making room for others.
class Hold {
public:
    explicit Hold(sojourn::SessionLease lease) : lease_(std::move(lease)) {}

    explicit Hold(sojourn::WeakLease lease) : lease_(std::move(lease)) {}

    /// Records a frame and returns its number; 0 if that is not to be had, which is no reason not
    /// to pass it on.
    [[nodiscard]] boost::asio::awaitable<std::uint64_t>
    record(sojourn::FrameDirection direction, std::string payload, std::uint32_t stream)
    {
        const auto number = co_await std::visit(
            [&](auto& lease) { return lease.record(direction, std::move(payload), stream); }, lease_
        );
        co_return number ? *number : std::uint64_t{0};
    }

    [[nodiscard]] boost::asio::awaitable<sojourn::Result<sojourn::FramePage>>
    frames(sojourn::FrameQuery query) const
    {
        return std::visit(
            [&](const auto& lease) { return lease.frames(std::move(query)); }, lease_
        );
    }

    /// See `SessionLease::closed`.
    [[nodiscard]] boost::asio::awaitable<sojourn::Result<void>> closed() const
    {
        return std::visit([](const auto& lease) { return lease.closed(); }, lease_);
    }

    /// The lease, for whoever holds it on; nothing of a weak one.
    [[nodiscard]] sojourn::SessionLease take_lease()
    {
        auto* const lease = std::get_if<sojourn::SessionLease>(&lease_);
        return lease == nullptr ? sojourn::SessionLease() : std::move(*lease);
    }

private:
    std::variant<sojourn::SessionLease, sojourn::WeakLease> lease_;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_HOLD_HPP
