#include "mcp_gateway/json_rpc.hpp"

#include <sojourn/http/mcp_revision.hpp>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace mcp_gateway {

namespace {

namespace json = boost::json;
using sojourn::http::McpErrorCode;
using sojourn::http::McpMessageKind;

/// Arguments of tools may nest; nobody needs more.
constexpr std::size_t max_depth = 128;

std::optional<json::value> parse(std::string_view text)
{
    json::parse_options options;
    options.max_depth = max_depth;
    boost::system::error_code error;
    auto value = json::parse(text, error, {}, options);
    return error ? std::nullopt : std::optional(std::move(value));
}

/// The messages of a batch, or the only one.
std::span<const json::value> messages_of(const json::value& body)
{
    if (const auto* const batch = body.if_array()) {
        return {batch->data(), batch->size()};
    }
    return {&body, 1};
}

std::optional<RequestId> id_of(const json::object& message)
{
    const auto* const id = message.if_contains("id");
    return id != nullptr && (id->is_string() || id->is_number())
               ? std::optional(json::serialize(*id))
               : std::nullopt;
}

std::string_view method_of(const json::object& message)
{
    const auto* const method = message.if_contains("method");
    return method != nullptr && method->is_string() ? std::string_view(method->get_string())
                                                    : std::string_view();
}

bool is_answer(const json::object& message)
{
    return message.contains("result") || message.contains("error");
}

/// `params._meta["io.modelcontextprotocol/protocolVersion"]`
std::string protocol_version_of(const json::object& message)
{
    constexpr std::string_view key = "io.modelcontextprotocol/protocolVersion";
    const auto* const params = message.if_contains("params");
    const auto* const meta = params != nullptr && params->is_object()
                                 ? params->get_object().if_contains("_meta")
                                 : nullptr;
    const auto* const version =
        meta != nullptr && meta->is_object() ? meta->get_object().if_contains(key) : nullptr;
    return version != nullptr && version->is_string() ? std::string(version->get_string())
                                                      : std::string();
}

std::optional<McpMessageKind> kind_of(const json::object& message)
{
    if (const auto method = method_of(message); !method.empty()) {
        if (!message.contains("id")) {
            return McpMessageKind::notification;
        }
        if (!id_of(message)) {
            return std::nullopt;
        }
        return method == "initialize" ? McpMessageKind::initialize : McpMessageKind::request;
    }
    return is_answer(message) ? std::optional(McpMessageKind::response) : std::nullopt;
}

/// A batch is a request if one of its messages is; it cannot initialize.
McpMessageKind kind_of_batch(const JsonRpcBody& batch)
{
    return batch.requests.empty() ? McpMessageKind::notification : McpMessageKind::request;
}

std::string error_text(const std::optional<RequestId>& request, const json::object& error)
{
    // The id as it came, whatever number it was.
    return R"({"jsonrpc":"2.0","id":)" + request.value_or("null") + R"(,"error":)" +
           json::serialize(error) + "}";
}

} // namespace

bool is_error(std::string_view body)
{
    const auto parsed = parse(body);
    return parsed && parsed->is_object() && parsed->get_object().contains("error");
}

sojourn::http::McpMessage JsonRpcBody::message() const
{
    return {
        .kind = kind,
        .protocol_version = protocol_version.empty()
                                ? std::nullopt
                                : std::optional(std::string_view(protocol_version))
    };
}

std::optional<JsonRpcBody> read_json_rpc(std::string_view body)
{
    const auto parsed = parse(body);
    if (!parsed) {
        return std::nullopt;
    }
    JsonRpcBody read;
    const auto messages = messages_of(*parsed);
    for (const auto& value : messages) {
        const auto* const message = value.if_object();
        const auto kind = message == nullptr ? std::nullopt : kind_of(*message);
        if (!kind) {
            return std::nullopt;
        }
        read.kind = *kind;
        if (sojourn::http::is_answered(*kind)) {
            read.requests.push_back(id_of(*message).value_or("null"));
        }
        if (auto version = protocol_version_of(*message); !version.empty()) {
            read.protocol_version = std::move(version);
        }
    }
    if (messages.empty()) {
        return std::nullopt;
    }
    if (parsed->is_array()) {
        read.kind = kind_of_batch(read);
    }
    return read;
}

std::vector<RequestId> take_answered(std::vector<RequestId>& requests, std::string_view body)
{
    std::vector<RequestId> answered;
    const auto parsed = requests.empty() ? std::nullopt : parse(body);
    if (!parsed) {
        return answered;
    }
    for (const auto& value : messages_of(*parsed)) {
        if (const auto* const message = value.if_object();
            message != nullptr && is_answer(*message)) {
            const auto known = std::ranges::find(requests, id_of(*message));
            if (known != requests.end()) {
                answered.push_back(std::move(*known));
                requests.erase(known);
            }
        }
    }
    return answered;
}

bool is_about_unknown_session(std::string_view body)
{
    const auto parsed = parse(body);
    if (!parsed || !parsed->is_object() || id_of(parsed->get_object())) {
        return false;
    }
    const auto* const error = parsed->get_object().if_contains("error");
    if (error == nullptr || !error->is_object()) {
        return false;
    }
    const auto* const code = error->get_object().if_contains("code");
    const auto* const message = error->get_object().if_contains("message");
    const bool has_code = code != nullptr && (*code == -32000 || *code == -32001);
    return has_code && message != nullptr && message->is_string() &&
           boost::algorithm::icontains(std::string_view(message->get_string()), "session");
}

std::string error_body(const std::optional<RequestId>& request, int code, std::string_view message)
{
    return error_text(request, {{"code", code}, {"message", message}});
}

std::string
refusal_body(const std::optional<RequestId>& request, const sojourn::http::McpRefusal& refusal)
{
    json::object error{{"code", static_cast<int>(refusal.code)}, {"message", refusal.message}};
    if (refusal.code == McpErrorCode::unsupported_protocol_version) {
        json::array supported;
        for (const auto revision : sojourn::http::mcp_revisions) {
            supported.emplace_back(to_string(revision));
        }
        error["data"] = json::object{{"supported", std::move(supported)}};
    }
    return error_text(request, error);
}

} // namespace mcp_gateway
