#include "sojourn/admin/command.hpp"

#include "sojourn/core/duration.hpp"
#include "sojourn/http/decimal.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

namespace sojourn::admin {

namespace {

using boost::beast::http::status;
using boost::beast::http::verb;
using Read = std::variant<Command, Misunderstanding>;

/// Thrown and caught inside this file: a parameter can be wrong at any depth.
class Wrong {
public:
    Wrong(std::string field, std::string message)
        : misunderstanding_{status::bad_request, std::move(field), std::move(message), {}}
    {
    }

    [[nodiscard]] Misunderstanding take() { return std::move(misunderstanding_); }

private:
    Misunderstanding misunderstanding_;
};

/// The parameters of a query. Each may be there once, and none that nobody asks for.
class Parameters {
public:
    Parameters(const boost::urls::url_view& url, std::initializer_list<std::string_view> known)
    {
        // Boost.URL 1.83 reads beyond the text of an empty query.
        if (url.encoded_query().empty()) {
            return;
        }
        for (const auto& parameter : url.params()) {
            if (std::ranges::find(known, parameter.key) == known.end()) {
                std::string accepted;
                for (const auto name : known) {
                    accepted += (accepted.empty() ? "" : ", ") + std::string(name);
                }
                throw Wrong(
                    parameter.key,
                    accepted.empty() ? "is no parameter of this resource, which has none"
                                     : "is no parameter of this resource, which has: " + accepted
                );
            }
            if (find(parameter.key) != nullptr) {
                throw Wrong(parameter.key, "is there more than once");
            }
            parameters_.emplace_back(parameter.key, parameter.value);
        }
    }

    [[nodiscard]] const std::string* find(std::string_view name) const noexcept
    {
        for (const auto& [key, value] : parameters_) {
            if (key == name) {
                return &value;
            }
        }
        return nullptr;
    }

    [[nodiscard]] std::optional<Duration> duration(std::string_view name) const
    {
        const auto* const text = find(name);
        if (text == nullptr) {
            return std::nullopt;
        }
        const auto length = parse_duration(*text);
        if (!length) {
            throw Wrong(std::string(name), length.error().message());
        }
        return *length;
    }

    [[nodiscard]] bool flag(std::string_view name) const
    {
        const auto* const text = find(name);
        if (text != nullptr && *text != "true" && *text != "false") {
            throw Wrong(std::string(name), "must be true or false");
        }
        return text != nullptr && *text == "true";
    }

    /// One of several words, by its place among them.
    template <class Value, std::size_t Count>
    [[nodiscard]] std::optional<Value> choice(
        std::string_view name, const std::array<std::pair<std::string_view, Value>, Count>& words
    ) const
    {
        const auto* const text = find(name);
        if (text == nullptr) {
            return std::nullopt;
        }
        std::string accepted;
        for (const auto& [word, value] : words) {
            if (*text == word) {
                return value;
            }
            accepted += (accepted.empty() ? "" : ", ") + std::string(word);
        }
        throw Wrong(std::string(name), "must be one of: " + accepted);
    }

private:
    std::vector<std::pair<std::string, std::string>> parameters_;
};

SessionCursor read_cursor(std::string_view text)
{
    const auto dash = std::min(text.find('-'), text.size());
    const auto shard = sojourn::http::parse_decimal<std::uint32_t>(text.substr(0, dash));
    const auto slot =
        sojourn::http::parse_decimal<std::uint32_t>(text.substr(std::min(dash + 1, text.size())));
    if (!shard || !slot) {
        throw Wrong("after", "must be what `next` of the page before says");
    }
    return {*shard, *slot};
}

std::size_t read_limit(std::string_view text)
{
    constexpr std::size_t most = 1000;
    const auto limit = sojourn::http::parse_decimal<std::size_t>(text);
    if (!limit || *limit < 1 || *limit > most) {
        throw Wrong("limit", "must be a whole number from 1 to 1000");
    }
    return *limit;
}

SessionReference read_reference(std::string_view text)
{
    const auto reference = SessionReference::parse(text);
    if (!reference) {
        throw Wrong("reference", "must be sixteen digits of 0123456789abcdef");
    }
    return *reference;
}

SessionFilter read_filter(const Parameters& parameters)
{
    constexpr std::array uses{
        std::pair(to_string(SessionUse::in_use), SessionUse::in_use),
        std::pair(to_string(SessionUse::idle), SessionUse::idle),
        std::pair(to_string(SessionUse::half_open), SessionUse::half_open),
    };
    SessionFilter filter;
    if (const auto* const principal = parameters.find("principal")) {
        filter.principal(*principal);
    }
    if (const auto use = parameters.choice("use", uses)) {
        filter.use(*use);
    }
    if (const auto idle = parameters.duration("idle_for")) {
        filter.idle_for(*idle);
    }
    return filter;
}

Command read_list(const boost::urls::url_view& url)
{
    constexpr std::array orders{
        std::pair(std::string_view("idle"), SessionOrder::idle),
        std::pair(std::string_view("age"), SessionOrder::age),
        std::pair(std::string_view("requests"), SessionOrder::requests),
    };
    const Parameters parameters(url, {"principal", "use", "idle_for", "limit", "after", "sort"});
    ListSessions list;
    list.filter = read_filter(parameters);
    if (const auto* const limit = parameters.find("limit")) {
        list.limit = read_limit(*limit);
    }
    list.order = parameters.choice("sort", orders);
    if (const auto* const after = parameters.find("after")) {
        if (list.order) {
            throw Wrong("after", "does not go with sort, which shows the first ones only");
        }
        list.after = read_cursor(*after);
    }
    return list;
}

Command read_cleanup(const boost::urls::url_view& url)
{
    enum class Scope : std::uint8_t { expired, idle, all };
    constexpr std::array scopes{
        std::pair(std::string_view("expired"), Scope::expired),
        std::pair(std::string_view("idle"), Scope::idle),
        std::pair(std::string_view("all"), Scope::all),
    };
    const Parameters parameters(url, {"scope", "idle_for", "dry_run"});
    const auto scope = parameters.choice("scope", scopes).value_or(Scope::expired);
    const auto idle = parameters.duration("idle_for");
    if (idle.has_value() != (scope == Scope::idle)) {
        throw Wrong("idle_for", "goes with scope=idle, and scope=idle with it");
    }
    CleanUp command;
    command.is_dry_run = parameters.flag("dry_run");
    if (scope == Scope::all) {
        command.filter = SessionFilter();
    } else if (scope == Scope::idle) {
        command.filter = SessionFilter().idle_for(*idle);
    }
    return command;
}

Command read_drain(const boost::urls::url_view& url)
{
    Drain drain;
    drain.deadline = Parameters(url, {"deadline"}).duration("deadline").value_or(drain.deadline);
    return drain;
}

Misunderstanding method_not_allowed(std::string_view allowed)
{
    return {status::method_not_allowed, {}, "allowed: " + std::string(allowed), allowed};
}

Misunderstanding not_found()
{
    return {status::not_found, {}, "there is no such resource", {}};
}

bool is_reading(verb method) noexcept
{
    return method == verb::get || method == verb::head;
}

/// A command without parameters.
template <class Plain>
Command read_plain(const boost::urls::url_view& url)
{
    static_cast<void>(Parameters(url, {}));
    return Plain();
}

constexpr std::string_view for_reading = "GET, HEAD";
constexpr std::string_view for_posting = "POST";

/// A resource whose path has one part, and that is either looked at or told to do something.
struct Resource {
    std::string_view name;
    std::string_view allowed;
    Command (*read)(const boost::urls::url_view&);
};

constexpr std::array resources{
    Resource{"stats", for_reading, read_plain<ShowStatistics>},
    Resource{"health", for_reading, read_plain<ShowHealth>},
    Resource{"metrics", for_reading, read_plain<ShowMetrics>},
    Resource{"events", for_reading, read_plain<FollowEvents>},
    Resource{"cleanup", for_posting, read_cleanup},
    Resource{"drain", for_posting, read_drain},
};

Read read_resource(verb method, std::string_view name, const boost::urls::url_view& url)
{
    const auto* const resource = std::ranges::find(resources, name, &Resource::name);
    if (resource == resources.end()) {
        return not_found();
    }
    const bool is_allowed =
        resource->allowed == for_posting ? method == verb::post : is_reading(method);
    return is_allowed ? Read(resource->read(url)) : method_not_allowed(resource->allowed);
}

Command delete_principal(const std::string& name)
{
    if (name.empty()) {
        throw Wrong("principal", "must not be empty: that is nobody");
    }
    return DeletePrincipal{name};
}

// A path cannot hold every name: WHATWG URL 4.4 takes "." and ".." out of it, written "%2E" too.
Command read_deletion(const boost::urls::url_view& url)
{
    const Parameters parameters(url, {"principal"});
    const auto* const principal = parameters.find("principal");
    if (principal == nullptr) {
        throw Wrong("principal", "is needed: it says whose sessions are deleted");
    }
    return delete_principal(*principal);
}

Read read_sessions(verb method, const boost::urls::url_view& url)
{
    if (is_reading(method)) {
        return read_list(url);
    }
    if (method == verb::delete_) {
        return read_deletion(url);
    }
    return method_not_allowed("DELETE, GET, HEAD");
}

Read read_session(verb method, std::string_view reference, const boost::urls::url_view& url)
{
    static_cast<void>(Parameters(url, {}));
    if (is_reading(method)) {
        return Command(ShowSession{read_reference(reference)});
    }
    if (method == verb::delete_) {
        return Command(DeleteSession{read_reference(reference)});
    }
    return method_not_allowed("DELETE, GET, HEAD");
}

/// The number in this parameter, as large as its type allows.
template <class Number>
std::optional<Number> read_number(const Parameters& parameters, std::string_view name)
{
    const auto* const text = parameters.find(name);
    if (text == nullptr) {
        return std::nullopt;
    }
    const auto number = sojourn::http::parse_decimal<Number>(*text);
    if (!number) {
        throw Wrong(
            std::string(name),
            "must be a whole number from 0 to " + std::to_string(std::numeric_limits<Number>::max())
        );
    }
    return number;
}

Read read_frames(verb method, std::string_view reference, const boost::urls::url_view& url)
{
    if (!is_reading(method)) {
        return method_not_allowed(for_reading);
    }
    const Parameters parameters(url, {"after", "limit", "stream"});
    ShowFrames frames{read_reference(reference), FrameQuery()};
    frames.query.after(read_number<std::uint64_t>(parameters, "after").value_or(0))
        .stream(read_number<std::uint32_t>(parameters, "stream"));
    if (const auto* const limit = parameters.find("limit")) {
        frames.query.limit(read_limit(*limit));
    }
    return Command(frames);
}

Read read_principal(verb method, const std::string& name, const boost::urls::url_view& url)
{
    static_cast<void>(Parameters(url, {}));
    if (method != verb::delete_) {
        return method_not_allowed("DELETE");
    }
    return delete_principal(name);
}

Read read(verb method, const boost::urls::url_view& url)
{
    const std::vector<std::string> path(url.segments().begin(), url.segments().end());
    if (path.size() == 1 && path[0] == "sessions") {
        return read_sessions(method, url);
    }
    if (path.size() == 1) {
        return read_resource(method, path[0], url);
    }
    if (path.size() == 2 && path[0] == "sessions") {
        return read_session(method, path[1], url);
    }
    if (path.size() == 3 && path[0] == "sessions" && path[2] == "frames") {
        return read_frames(method, path[1], url);
    }
    if (path.size() == 3 && path[0] == "principals" && path[2] == "sessions") {
        return read_principal(method, path[1], url);
    }
    return not_found();
}

} // namespace

std::variant<Command, Misunderstanding> read_command(verb method, std::string_view target)
{
    const auto url = boost::urls::parse_uri_reference(target);
    // "//host/path" names a host and no scheme, and a fragment stays with the client: no request
    // has either.
    if (!url || url->has_fragment() || (url->has_authority() && !url->has_scheme())) {
        return Misunderstanding{
            status::bad_request, "target", "is no path with a query by RFC 3986", {}
        };
    }
    try {
        return read(method, *url);
    } catch (Wrong& wrong) {
        return wrong.take();
    }
}

Access needed_for(const Command& command) noexcept
{
    if (const auto* const cleanup = std::get_if<CleanUp>(&command)) {
        return cleanup->is_dry_run ? Access::read : Access::change;
    }
    const bool only_looks = std::holds_alternative<ListSessions>(command) ||
                            std::holds_alternative<ShowSession>(command) ||
                            std::holds_alternative<ShowStatistics>(command) ||
                            std::holds_alternative<ShowHealth>(command) ||
                            std::holds_alternative<ShowMetrics>(command) ||
                            std::holds_alternative<FollowEvents>(command);
    return only_looks ? Access::read : Access::change;
}

std::string to_string(SessionCursor cursor)
{
    return std::to_string(cursor.shard) + "-" + std::to_string(cursor.slot);
}

} // namespace sojourn::admin
