#include "cli/command_line.hpp"

#include "cli/completion.hpp"
#include "cli/terminal.hpp"

#include <sojourn/core/duration.hpp>
#include <sojourn/core/session_reference.hpp>
#include <sojourn/http/decimal.hpp>
#include <sojourn/version.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <list>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn::cli {

namespace {

using boost::beast::http::verb;

constexpr const char* default_endpoint = "unix:/run/sojourn/admin.sock";

[[noreturn]] void refuse(const std::string& option, const std::string& why)
{
    throw CLI::ValidationError(option, why);
}

Duration to_duration(const std::string& option, const std::string& text)
{
    const auto length = parse_duration(text);
    if (!length) {
        refuse(
            option,
            "'" + text + "': " + length.error().message() +
                ". Accepted are whole numbers with units from larger to smaller, such as 90s, 15m, "
                "1h30m or 7d, up to 365d"
        );
    }
    return *length;
}

/// RFC 3986's unreserved characters as they are, any other byte as %XX.
std::string encoded(std::string_view text)
{
    constexpr std::string_view unreserved =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string result;
    for (const char character : text) {
        if (unreserved.find(character) != std::string_view::npos) {
            result += character;
        } else {
            result += fmt::format("%{:02X}", static_cast<unsigned char>(character));
        }
    }
    return result;
}

void add_to_query(
    std::string& target, std::string_view name, const std::optional<std::string>& value
)
{
    if (value) {
        target += target.find('?') == std::string::npos ? '?' : '&';
        target += std::string(name) + "=" + encoded(*value);
    }
}

/// The token in a file, without the end of its line.
std::string read_token(const std::string& path)
{
    const std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    auto token = text.str();
    if (!file) {
        refuse("--token-file", "cannot read '" + path + "'");
    }
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) {
        token.pop_back();
    }
    if (token.empty() || token.find_first_of(" \t\r\n") != std::string::npos) {
        refuse("--token-file", "'" + path + "' must hold one token and nothing else");
    }
    return token;
}

std::string from_environment(const char* name, const char* otherwise)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

/// What the user wrote, in the words he used.
struct Wishes {
    std::string endpoint = from_environment("SOJOURN_ENDPOINT", default_endpoint);
    std::optional<std::string> token_file;
    bool is_json = false;
    bool is_colourless = false;
    bool says_yes = false;

    std::optional<std::string> principal;
    std::optional<std::string> use;
    std::optional<std::string> idle_longer_than;
    std::optional<std::string> sort;
    std::optional<std::string> limit;
    bool wants_all_pages = false;
    std::string reference;
    std::string name;
    bool is_expired = false;
    bool is_all = false;
    bool is_dry_run = false;
    std::optional<std::string> after;
    std::optional<std::string> stream;
    bool follows = false;
    bool watches = false;
    std::string interval = "1s";
    std::string deadline = "30s";
    bool waits_for_nobody = false;
    std::string shell;
};

void check_reference(const std::string& text)
{
    if (!SessionReference::parse(text)) {
        refuse("REFERENCE", "'" + text + "' is not sixteen digits of 0123456789abcdef");
    }
}

Invocation invocation_of(Topic topic, verb method, std::string target)
{
    Invocation invocation;
    invocation.topic = topic;
    invocation.method = method;
    invocation.target = std::move(target);
    return invocation;
}

Invocation ask_for_sessions(const Wishes& wishes)
{
    auto invocation = invocation_of(Topic::sessions, verb::get, "/sessions");
    add_to_query(invocation.target, "principal", wishes.principal);
    add_to_query(invocation.target, "use", wishes.use);
    if (wishes.idle_longer_than) {
        static_cast<void>(to_duration("--idle-longer-than", *wishes.idle_longer_than));
    }
    add_to_query(invocation.target, "idle_for", wishes.idle_longer_than);
    add_to_query(invocation.target, "sort", wishes.sort);
    if (wishes.limit) {
        const auto limit = sojourn::http::parse_decimal<std::size_t>(*wishes.limit);
        if (!limit || *limit < 1 || *limit > 1000) {
            refuse("--limit", "'" + *wishes.limit + "' is not a whole number from 1 to 1000");
        }
    }
    if (wishes.sort && wishes.wants_all_pages) {
        refuse("--all-pages", "does not go with --sort, which shows the first ones only");
    }
    add_to_query(invocation.target, "limit", wishes.limit);
    invocation.wants_all_pages = wishes.wants_all_pages;
    return invocation;
}

Invocation ask_for_session(const Wishes& wishes)
{
    check_reference(wishes.reference);
    return invocation_of(Topic::session, verb::get, "/sessions/" + wishes.reference);
}

/// The number that an option was given.
template <class Number>
Number to_number(const std::string& option, const std::string& text)
{
    const auto number = sojourn::http::parse_decimal<Number>(text);
    if (!number) {
        refuse(
            option,
            "'" + text + "' is not a whole number from 0 to " +
                std::to_string(std::numeric_limits<Number>::max())
        );
    }
    return *number;
}

Invocation ask_for_frames(const Wishes& wishes)
{
    check_reference(wishes.reference);
    auto invocation =
        invocation_of(Topic::frames, verb::get, "/sessions/" + wishes.reference + "/frames");
    if (wishes.after) {
        invocation.after = to_number<std::uint64_t>("--after", *wishes.after);
    }
    if (wishes.stream) {
        static_cast<void>(to_number<std::uint32_t>("--stream", *wishes.stream));
        invocation.frames = FrameChoice::one_stream;
    }
    add_to_query(invocation.target, "stream", wishes.stream);
    invocation.follows = wishes.follows;
    return invocation;
}

Invocation ask_to_delete_session(const Wishes& wishes)
{
    check_reference(wishes.reference);
    auto invocation =
        invocation_of(Topic::deletion, verb::delete_, "/sessions/" + wishes.reference);
    invocation.question = "Delete session " + wishes.reference + "?";
    return invocation;
}

Invocation ask_to_delete_principal(const Wishes& wishes)
{
    if (wishes.name.empty()) {
        refuse("PRINCIPAL", "must not be empty");
    }
    auto invocation = invocation_of(
        Topic::cleanup, verb::delete_, "/principals/" + encoded(wishes.name) + "/sessions"
    );
    invocation.question = "Delete all sessions of '" + wishes.name + "'?";
    return invocation;
}

Invocation ask_to_clean_up(const Wishes& wishes)
{
    const int scopes =
        (wishes.is_expired ? 1 : 0) + (wishes.is_all ? 1 : 0) + (wishes.idle_longer_than ? 1 : 0);
    if (scopes > 1) {
        refuse("cleanup", "takes one of --expired, --idle-longer-than and --all");
    }
    auto invocation = invocation_of(Topic::cleanup, verb::post, "/cleanup?scope=expired");
    if (wishes.is_all) {
        invocation.target = "/cleanup?scope=all";
        invocation.question = "Delete all sessions?";
    } else if (wishes.idle_longer_than) {
        static_cast<void>(to_duration("--idle-longer-than", *wishes.idle_longer_than));
        invocation.target = "/cleanup?scope=idle&idle_for=" + encoded(*wishes.idle_longer_than);
        invocation.question =
            "Delete all sessions that have been idle for " + *wishes.idle_longer_than + "?";
    }
    if (wishes.is_dry_run) {
        invocation.target += "&dry_run=true";
        invocation.question.reset();
    }
    return invocation;
}

Invocation ask_for_statistics(const Wishes& wishes)
{
    auto invocation = invocation_of(Topic::statistics, verb::get, "/stats");
    const auto interval = to_duration("--interval", wishes.interval);
    if (wishes.watches) {
        invocation.interval = interval;
    }
    return invocation;
}

Invocation ask_to_drain(const Wishes& wishes)
{
    const auto deadline = to_duration("--deadline", wishes.deadline);
    auto invocation =
        invocation_of(Topic::drain, verb::post, "/drain?deadline=" + encoded(wishes.deadline));
    invocation.question = "Drain the service? It ends all sessions and cannot be taken back.";
    if (!wishes.waits_for_nobody) {
        // Those who hold leases then get a grace; and the answer takes a moment.
        invocation.patience = deadline + std::chrono::seconds(15);
    }
    return invocation;
}

/// A command and what it makes of the wishes.
struct Known {
    CLI::App* command = nullptr;
    Invocation (*invocation)(const Wishes&) = nullptr;
};

void add_yes(CLI::App& command, Wishes& wishes)
{
    command.add_flag("-y,--yes", wishes.says_yes, "do not ask");
}

void add_session_commands(CLI::App& program, Wishes& wishes, std::vector<Known>& known)
{
    auto& session = *program.add_subcommand("session", "look at sessions, and end them");
    session.require_subcommand(1);

    auto& list = *session.add_subcommand("list", "list sessions");
    list.add_option(
            "--principal", wishes.principal, "only those of this principal; '' for nobody's"
    )
        ->type_name("NAME");
    list.add_option("--use", wishes.use, "only those that are used so")
        ->check(CLI::IsMember({"in_use", "idle", "half_open"}));
    list.add_option("--idle-longer-than", wishes.idle_longer_than, "only those idle for so long")
        ->type_name("DURATION");
    list.add_option("--sort", wishes.sort, "the first ones by idle time, age or requests")
        ->check(CLI::IsMember({"idle", "age", "requests"}));
    list.add_option("--limit", wishes.limit, "sessions on a page, 1 to 1000 (100)")->type_name("N");
    list.add_flag("--all-pages", wishes.wants_all_pages, "all of them, not only the first page");
    known.push_back({&list, ask_for_sessions});

    auto& show = *session.add_subcommand("show", "show one session");
    show.add_option("reference", wishes.reference, "its reference")->required();
    known.push_back({&show, ask_for_session});

    auto& remove = *session.add_subcommand("delete", "end one session");
    remove.add_option("reference", wishes.reference, "its reference")->required();
    add_yes(remove, wishes);
    known.push_back({&remove, ask_to_delete_session});

    auto& cleanup = *session.add_subcommand("cleanup", "end many sessions");
    cleanup.add_flag("--expired", wishes.is_expired, "those that have expired (the default)");
    cleanup.add_option("--idle-longer-than", wishes.idle_longer_than, "those idle for so long")
        ->type_name("DURATION");
    cleanup.add_flag("--all", wishes.is_all, "all of them");
    cleanup.add_flag("--dry-run", wishes.is_dry_run, "only say how many those would be");
    add_yes(cleanup, wishes);
    known.push_back({&cleanup, ask_to_clean_up});
}

void add_frames_command(CLI::App& program, Wishes& wishes, std::vector<Known>& known)
{
    auto& frames = *program.add_subcommand("frames", "show what went through a session");
    frames.add_option("reference", wishes.reference, "its reference")->required();
    frames.add_flag("--follow", wishes.follows, "go on as more come, until it ends or Ctrl-C");
    frames.add_option("--after", wishes.after, "only those of a larger number (0)")->type_name("N");
    frames.add_option("--stream", wishes.stream, "only those of this stream; 0 for none's")
        ->type_name("N");
    known.push_back({&frames, ask_for_frames});
}

void add_other_commands(CLI::App& program, Wishes& wishes, std::vector<Known>& known)
{
    auto& principal = *program.add_subcommand("principal", "end what belongs to a principal");
    principal.require_subcommand(1);
    auto& remove = *principal.add_subcommand("delete", "end all sessions of a principal");
    remove.add_option("principal", wishes.name, "its name")->required();
    add_yes(remove, wishes);
    known.push_back({&remove, ask_to_delete_principal});

    auto& statistics = *program.add_subcommand("stats", "show what the service has counted");
    statistics.add_flag("--watch", wishes.watches, "again and again, until Ctrl-C");
    statistics.add_option("--interval", wishes.interval, "how often with --watch (1s)")
        ->type_name("DURATION");
    known.push_back({&statistics, ask_for_statistics});

    auto& health = *program.add_subcommand("health", "say whether the service is ready");
    known.push_back({&health, [](const Wishes&) {
                         return invocation_of(Topic::health, verb::get, "/health");
                     }});

    auto& end =
        *program.add_subcommand("drain", "let no session in any more, and wait for the end");
    end.add_option("--deadline", wishes.deadline, "when sessions still in use are ended (30s)")
        ->type_name("DURATION");
    end.add_flag("--no-wait", wishes.waits_for_nobody, "begin it, and do not wait for its end");
    add_yes(end, wishes);
    known.push_back({&end, ask_to_drain});
}

void add_options(CLI::App& program, Wishes& wishes)
{
    program
        .add_option(
            "--endpoint",
            wishes.endpoint,
            std::string("the admin endpoint ($SOJOURN_ENDPOINT, else ") + default_endpoint + ")"
        )
        ->type_name("unix:PATH|http://ADDRESS:PORT");
    program.add_option("--token-file", wishes.token_file, "a file that holds the endpoint's token")
        ->type_name("FILE");
    program.add_flag("--json", wishes.is_json, "print the endpoint's answers as they are");
    program.add_flag(
        "--no-colour,--no-color", wishes.is_colourless, "no colour, even on a terminal"
    );
    program.set_version_flag("--version", "sojournctl " + std::string(version));
}

/// The arguments with `--name=` as two, of which the second is empty. CLI11 takes the next argument
/// for the value otherwise, whatever it is.
std::vector<const char*> split_empty(int argument_count, const char* const* arguments)
{
    // They outlive the parser.
    static std::list<std::string> names;
    std::vector<const char*> split;
    for (int i = 0; i < argument_count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument.starts_with("--") && argument.ends_with('=') && argument.size() > 3) {
            split.push_back(names.emplace_back(argument.substr(0, argument.size() - 1)).c_str());
            split.push_back("");
        } else {
            split.push_back(arguments[i]);
        }
    }
    return split;
}

Invocation finished(Invocation invocation, const Wishes& wishes)
{
    auto address = parse_address(wishes.endpoint);
    if (!address) {
        refuse(
            "--endpoint",
            "'" + wishes.endpoint +
                "' is neither unix:PATH, of at most 107 bytes, nor http://ADDRESS:PORT, such as "
                "http://127.0.0.1:9090"
        );
    }
    invocation.address = *std::move(address);
    if (wishes.token_file) {
        invocation.token = read_token(*wishes.token_file);
    }
    invocation.is_json = wishes.is_json;
    invocation.is_coloured = !wishes.is_colourless && !declines_colour() && output_columns();
    if (wishes.says_yes) {
        invocation.question.reset();
    }
    return invocation;
}

} // namespace

std::variant<Invocation, Dismissal>
parse_command_line(int argument_count, const char* const* arguments)
{
    CLI::App program("Looks into a sojourn service through its admin endpoint.", "sojournctl");
    program.require_subcommand(1);
    program.fallthrough();
    Wishes wishes;
    std::vector<Known> known;
    add_options(program, wishes);
    add_session_commands(program, wishes, known);
    add_frames_command(program, wishes, known);
    add_other_commands(program, wishes, known);
    auto& completion = *program.add_subcommand("completion", "print a shell's completion script");
    completion.add_option("shell", wishes.shell, "which shell")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
    try {
        const auto split = split_empty(argument_count, arguments);
        program.parse(static_cast<int>(split.size()), split.data());
        if (completion.parsed()) {
            return Dismissal{ExitStatus::success, completion_script(program, wishes.shell)};
        }
        for (const auto& each : known) {
            if (each.command->parsed()) {
                return finished(each.invocation(wishes), wishes);
            }
        }
        return Dismissal{ExitStatus::usage, program.help()};
    } catch (const CLI::Success& wanted) {
        std::ostringstream text;
        static_cast<void>(program.exit(wanted, text, text));
        return Dismissal{ExitStatus::success, text.str()};
    } catch (const CLI::ParseError& error) {
        return Dismissal{
            ExitStatus::usage,
            std::string("sojournctl: ") + error.what() + "\nTry sojournctl --help.\n"
        };
    }
}

} // namespace sojourn::cli
