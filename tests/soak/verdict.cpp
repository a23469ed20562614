#include "soak/verdict.hpp"

#include <fmt/format.h>

#include <array>

namespace sojourn::tests::soak {

namespace {

struct Watched {
    std::string_view name;
    std::uint64_t Sample::* member;
    bool is_memory;
    Level level;
    /// What this level differs by from one third of a run to the next, without a leak.
    Tolerance tolerance;
};

constexpr std::array watched{
    // Sessions and their attributes come and go, so the heap differs by some of them, tens of KiB
    // of 1.7 MiB; what is resident differs by the pages that an arena happens to keep, 0.1 MiB
    // of 8.
    Watched{
        "heap", &Sample::heap_bytes, true, Level::highest, {.share = 0.01, .amount = 256U << 10U}
    },
    Watched{
        "resident",
        &Sample::resident_bytes,
        true,
        Level::highest,
        {.share = 0.02, .amount = 1U << 20U}
    },
    // Nobody waits now and then, and listeners are done now and then; on a machine that is too slow
    // for them a thousand events are untold, give or take some.
    Watched{"waiting", &Sample::waiting, false, Level::lowest, {.share = 0, .amount = 8}},
    Watched{"pending", &Sample::pending, false, Level::lowest, {.share = 0.05, .amount = 64}},
    // There are as many as may be all the time, but for one or another.
    Watched{
        "frames", &Sample::frame_bytes, true, Level::highest, {.share = 0, .amount = 8U << 10U}
    },
};

std::vector<std::uint64_t> column(std::span<const Sample> samples, std::uint64_t Sample::* member)
{
    std::vector<std::uint64_t> values;
    values.reserve(samples.size());
    for (const auto& sample : samples) {
        values.push_back(sample.*member);
    }
    return values;
}

} // namespace

std::string Judged::in_words(std::uint64_t amount) const
{
    constexpr double mib = 1U << 20U;
    return is_memory ? fmt::format("{:.2f} MiB", static_cast<double>(amount) / mib)
                     : fmt::format("{}", amount);
}

std::vector<Judged> judge(std::span<const Sample> samples)
{
    std::vector<Judged> all;
    if (samples.size() >= plateau_samples_min) {
        for (const auto& each : watched) {
            all.push_back(
                {.name = each.name,
                 .plateau = judge_plateau(column(samples, each.member), each.tolerance, each.level),
                 .is_memory = each.is_memory}
            );
        }
    }
    return all;
}

std::vector<std::string> plateau_faults(std::span<const Sample> samples)
{
    std::vector<std::string> faults;
    for (const auto& each : judge(samples)) {
        const auto& found = each.plateau;
        if (!found.holds()) {
            faults.push_back(fmt::format(
                "{} still grows: {} in the middle third, {} in the last, where {} is "
                "allowed",
                each.name,
                each.in_words(found.middle),
                each.in_words(found.last),
                each.in_words(found.allowed)
            ));
        }
    }
    return faults;
}

} // namespace sojourn::tests::soak
