#include "soak/verdict.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace sojourn::tests::soak {

namespace {

std::vector<std::uint64_t> column(std::span<const Sample> samples, std::uint64_t Sample::* member)
{
    std::vector<std::uint64_t> values;
    values.reserve(samples.size());
    for (const auto& sample : samples) {
        values.push_back(sample.*member);
    }
    return values;
}

void judge(std::vector<std::string>& faults, std::string_view what, const Plateau& found)
{
    if (!found.holds()) {
        faults.push_back(fmt::format(
            "{} still grows: at most {} bytes in the middle third, {} in the last, where {} are "
            "allowed",
            what,
            found.middle_max,
            found.last_max,
            found.allowed
        ));
    }
}

} // namespace

Plateau heap_plateau(std::span<const Sample> samples)
{
    return judge_plateau(column(samples, &Sample::heap_bytes), heap_tolerance);
}

Plateau resident_plateau(std::span<const Sample> samples)
{
    return judge_plateau(column(samples, &Sample::resident_bytes), resident_tolerance);
}

std::vector<std::string> plateau_faults(std::span<const Sample> samples)
{
    std::vector<std::string> faults;
    if (samples.size() >= plateau_samples_min) {
        judge(faults, "the heap", heap_plateau(samples));
        judge(faults, "resident memory", resident_plateau(samples));
    }
    return faults;
}

} // namespace sojourn::tests::soak
