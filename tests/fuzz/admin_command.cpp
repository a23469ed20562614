/// @file
/// Fuzzes what an admin endpoint makes of a request's method and target: whatever the bytes are, it
/// is a command within its bounds, or a refusal that says why. The first byte picks the method.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <sojourn/admin/command.hpp>
#include <sojourn/core/duration.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

using namespace sojourn;
using namespace sojourn::admin;
using namespace sojourn::tests;
using boost::beast::http::status;
using boost::beast::http::verb;

namespace {

void check_length(std::optional<Duration> length, const std::string& target)
{
    if (length && (*length <= Duration::zero() || *length > max_duration)) {
        report_finding("'{}' is of {} ns", target, length->count());
    }
}

void check(const Misunderstanding& wrong, const std::string& target)
{
    const bool is_refusal = wrong.status == status::bad_request ||
                            wrong.status == status::not_found ||
                            wrong.status == status::method_not_allowed;
    if (!is_refusal || wrong.message.empty()) {
        report_finding(
            "'{}' is refused with {} and '{}'",
            target,
            static_cast<unsigned>(wrong.status),
            wrong.message
        );
    }
    if ((wrong.status == status::method_not_allowed) == wrong.allowed.empty()) {
        report_finding("'{}' allows '{}'", target, wrong.allowed);
    }
}

void check(const Command& command, verb method, const std::string& target)
{
    const bool is_reading = method == verb::get || method == verb::head;
    const auto* const dry_run = std::get_if<CleanUp>(&command);
    // Frames tell more than whoever only looks may see.
    const auto* const frames = std::get_if<ShowFrames>(&command);
    const bool is_looking =
        (is_reading && frames == nullptr) || (dry_run != nullptr && dry_run->is_dry_run);
    if ((needed_for(command) == Access::read) != is_looking) {
        report_finding("'{}' may be done by who must not", target);
    }
    if (const auto* const list = std::get_if<ListSessions>(&command)) {
        check_length(list->filter.idle_for(), target);
        if (list->limit < 1 || list->limit > 1000 ||
            (list->order && list->after != SessionCursor{})) {
            report_finding("'{}' lists {}", target, list->limit);
        }
    } else if (frames != nullptr) {
        if (!is_reading || frames->query.limit() < 1 || frames->query.limit() > 1000) {
            report_finding("'{}' shows {} frames", target, frames->query.limit());
        }
    } else if (const auto* const cleanup = std::get_if<CleanUp>(&command)) {
        if (cleanup->filter) {
            check_length(cleanup->filter->idle_for(), target);
        }
    } else if (const auto* const drain = std::get_if<Drain>(&command)) {
        check_length(drain->deadline, target);
    } else if (const auto* const principal = std::get_if<DeletePrincipal>(&command)) {
        if (principal->principal.empty() || principal->principal.size() > target.size()) {
            report_finding("'{}' is about '{}'", target, principal->principal);
        }
    } else if (const auto* const session = std::get_if<ShowSession>(&command)) {
        if (target.find(to_string(session->reference)) == std::string::npos &&
            target.find('%') == std::string::npos) {
            report_finding("'{}' is about {}", target, to_string(session->reference));
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::array methods{
        verb::get, verb::head, verb::post, verb::delete_, verb::put, verb::options
    };
    Choices choices({data, size});
    const auto method = methods.at(choices.draw() % methods.size());
    const std::string target(text_of(choices.rest()));

    const auto read = read_command(method, target);
    if (const auto* const wrong = std::get_if<Misunderstanding>(&read)) {
        check(*wrong, target);
    } else {
        check(std::get<Command>(read), method, target);
    }
    return 0;
}
