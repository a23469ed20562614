// Linux only, or any system with fork and shared memory.

#include "sim/campaign.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <new>
#include <span>
#include <sstream>
#include <system_error>
#include <vector>

namespace sojourn::tests::sim {

namespace {

/// A run that takes longer hangs.
constexpr unsigned longest_run_seconds = 60;

/// What a process of a campaign shows of itself.
struct Progress {
    std::atomic<std::uint64_t> seed{0};
    std::atomic<std::uint64_t> seeds{0};
    std::atomic<std::uint64_t> operations{0};
    std::atomic<std::uint64_t> steps{0};
    std::atomic<std::uint64_t> sessions{0};
    std::atomic<std::uint64_t> interruptions{0};
    std::atomic<std::uint64_t> cancellations{0};
    std::atomic<std::uint64_t> simulated_seconds{0};

    void add(const Outcome& outcome) noexcept
    {
        seeds += 1;
        operations += outcome.operations;
        steps += outcome.steps;
        sessions += outcome.sessions;
        interruptions += outcome.interruptions;
        cancellations += outcome.cancellations;
        simulated_seconds += static_cast<std::uint64_t>(
            std::max<std::int64_t>(outcome.time / std::chrono::seconds(1), 0)
        );
    }

    void add_to(Totals& totals) const noexcept
    {
        totals.seeds += seeds;
        totals.operations += operations;
        totals.steps += steps;
        totals.sessions += sessions;
        totals.interruptions += interruptions;
        totals.cancellations += cancellations;
        totals.simulated_seconds += simulated_seconds;
    }
};

/// Progress of several processes, in memory that they share.
class SharedProgress {
public:
    explicit SharedProgress(std::size_t count) : count_(count)
    {
        void* const memory =
            ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) { // NOLINT: a macro with a cast
            throw std::system_error(errno, std::generic_category(), "mmap");
        }
        first_ = static_cast<Progress*>(memory);
        for (auto& progress : all()) {
            ::new (&progress) Progress();
        }
    }

    SharedProgress(const SharedProgress&) = delete;
    SharedProgress& operator=(const SharedProgress&) = delete;
    SharedProgress(SharedProgress&&) = delete;
    SharedProgress& operator=(SharedProgress&&) = delete;

    ~SharedProgress() { ::munmap(first_, bytes()); }

    [[nodiscard]] std::span<Progress> all() const noexcept { return {first_, count_}; }

private:
    [[nodiscard]] std::size_t bytes() const noexcept { return count_ * sizeof(Progress); }

    std::size_t count_;
    Progress* first_ = nullptr;
};

[[noreturn]] void run_seeds(const CampaignOptions& options, unsigned index, Progress& progress)
{
    using SteadyClock = std::chrono::steady_clock;
    const auto end =
        options.limit ? SteadyClock::now() + *options.limit : SteadyClock::time_point::max();
    for (std::uint64_t i = index; i < options.seeds; i += options.processes) {
        if (SteadyClock::now() >= end) {
            break;
        }
        const auto seed = options.first_seed + i;
        progress.seed = seed;
        ::alarm(longest_run_seconds);
        try {
            progress.add(options.runner(draw_plan(seed, options.steps), nullptr));
        } catch (...) {
            ::_exit(1);
        }
    }
    ::_exit(0);
}

pid_t fork_or_throw()
{
    // What is buffered would be printed twice.
    (void)std::fflush(nullptr);
    const auto child = ::fork();
    if (child < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    return child;
}

bool has_failed(int status) noexcept
{
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/// How a process ended that had no chance to say why.
std::string describe(int status)
{
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGALRM
                   ? "it hangs"
                   : "it died of signal " + std::to_string(WTERMSIG(status));
    }
    return "it exited with " + std::to_string(WEXITSTATUS(status));
}

} // namespace

CampaignResult run_campaign(const CampaignOptions& options)
{
    const SharedProgress progress(options.processes);
    std::vector<pid_t> children;
    for (unsigned i = 0; i < options.processes; ++i) {
        const auto child = fork_or_throw();
        if (child == 0) {
            run_seeds(options, i, progress.all()[i]);
        }
        children.push_back(child);
    }
    CampaignResult result;
    // The number of one that has ended may be somebody else's by now.
    std::vector<bool> has_ended(children.size());
    for (std::size_t ended = 0; ended < children.size(); ++ended) {
        int status = 0;
        const auto child = ::waitpid(-1, &status, 0);
        const auto place = std::ranges::find(children, child) - children.begin();
        has_ended.at(static_cast<std::size_t>(place)) = true;
        if (!has_failed(status) || result.failed) {
            continue;
        }
        for (std::size_t i = 0; i < children.size(); ++i) {
            if (children[i] == child) {
                result.failed = progress.all()[i].seed.load();
            } else if (!has_ended[i]) {
                // One failure is enough to look at; and nobody in there shall have a say in it.
                ::kill(children[i], SIGKILL);
            }
        }
    }
    for (const auto& one : progress.all()) {
        one.add_to(result.totals);
    }
    return result;
}

std::string fault_of(std::uint64_t seed, std::size_t steps, const Kept* kept, const Runner& runner)
{
    const auto said = in_a_process([&] {
        (void)runner(draw_plan(seed, steps), kept);
        return std::string();
    });
    return said.has_failed ? said.text : std::string();
}

Said in_a_process(const std::function<std::string()>& speak)
{
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    const auto child = fork_or_throw();
    if (child == 0) {
        ::alarm(longest_run_seconds);
        // An assertion that fails says so there too.
        ::dup2(ends[1], STDERR_FILENO);
        std::string text;
        int status = 1;
        try {
            text = speak();
            status = 0;
        } catch (const std::exception& error) {
            text = error.what();
        } catch (...) {
            text = "something was thrown";
        }
        (void)!::write(ends[1], text.data(), text.size());
        ::_exit(status);
    }
    ::close(ends[1]);
    Said said;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
        said.text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    said.has_failed = has_failed(status);
    if (said.has_failed && said.text.empty()) {
        said.text = describe(status);
    }
    return said;
}

std::string to_text(const Kept& kept)
{
    std::string text;
    for (std::size_t i = 0; i < kept.size();) {
        auto last = i;
        while (last + 1 < kept.size() && kept[last + 1] == kept[last] + 1) {
            ++last;
        }
        text += (text.empty() ? "" : ",") + std::to_string(kept[i]);
        if (last > i) {
            text += "-" + std::to_string(kept[last]);
        }
        i = last + 1;
    }
    return text.empty() ? "none" : text;
}

std::optional<Kept> parse_kept(const std::string& text)
{
    Kept kept;
    if (text == "none") {
        return kept;
    }
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        std::size_t first = 0;
        const char* const end = part.data() + part.size();
        auto read = std::from_chars(part.data(), end, first);
        auto last = first;
        if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') {
            read = std::from_chars(read.ptr + 1, end, last);
        }
        if (read.ec != std::errc() || read.ptr != end || last < first) {
            return std::nullopt;
        }
        for (auto place = first; place <= last; ++place) {
            kept.push_back(place);
        }
    }
    return kept.empty() ? std::nullopt : std::optional(kept);
}

} // namespace sojourn::tests::sim
