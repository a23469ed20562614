#include "sojourn/http/mcp_event_id.hpp"

#include "sojourn/http/decimal.hpp"

namespace sojourn::http {

std::optional<McpEventId> McpEventId::parse(std::string_view text) noexcept
{
    const auto hyphen = text.find('-');
    if (hyphen == std::string_view::npos) {
        return std::nullopt;
    }
    const auto stream = parse_decimal<std::uint64_t>(text.substr(0, hyphen));
    const auto sequence = parse_decimal<std::uint64_t>(text.substr(hyphen + 1));
    if (!stream || !sequence) {
        return std::nullopt;
    }
    return McpEventId{.stream = *stream, .sequence = *sequence};
}

std::string McpEventId::text() const
{
    return std::to_string(stream) + "-" + std::to_string(sequence);
}

} // namespace sojourn::http
