#include "soak/verdict.hpp"

#include <fmt/format.h>

#include <array>

namespace sojourn::tests::soak {

namespace {

struct Watched {
    std::string_view name;
    std::uint64_t Sample::* member;
    bool is_memory;
    /// What a maximum over a third of a run differs by from one third to the next, without a leak.
    Tolerance tolerance;
};

constexpr std::array watched{
    // Sessions and their attributes come and go, so the heap differs by some of them, tens of KiB
    // of 1.7 MiB; what is resident differs by the pages that an arena happens to keep, 0.1 MiB
    // of 8.
    Watched{"heap", &Sample::heap_bytes, true, {.share = 0.01, .amount = 256U << 10U}},
    Watched{"resident", &Sample::resident_bytes, true, {.share = 0.02, .amount = 1U << 20U}},
    // A moment's queue: now and then fifteen of a hundred clients wait, and mostly none. Of events
    // there are about as many as may be, give or take sixty of 1,256.
    Watched{"waiting", &Sample::waiting, false, {.share = 0, .amount = 24}},
    Watched{"pending", &Sample::pending, false, {.share = 0.05, .amount = 64}},
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
                 .plateau = judge_plateau(column(samples, each.member), each.tolerance),
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
                "{} still grows: at most {} in the middle third, {} in the last, where {} is "
                "allowed",
                each.name,
                each.in_words(found.middle_max),
                each.in_words(found.last_max),
                each.in_words(found.allowed)
            ));
        }
    }
    return faults;
}

} // namespace sojourn::tests::soak
