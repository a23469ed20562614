/// @file
/// Fuzzes durations: `parse_duration` beside a parser that is written in another way, and
/// `to_string` and back, of what was parsed and of any number of nanoseconds.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <sojourn/core/duration.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace sojourn;
using namespace sojourn::tests;

namespace {

bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/// What the documentation of `parse_duration` says of a text.
class Expectation {
public:
    /// Read from behind, where a unit is known before its number: the other way round than the
    /// parser does it.
    explicit Expectation(std::string_view text)
    {
        std::size_t units_left = units.size();
        is_well_formed_ = !text.empty();
        while (!text.empty() && is_well_formed_) {
            is_well_formed_ = take_last_part(text, units_left);
        }
    }

    [[nodiscard]] bool is_well_formed() const noexcept { return is_well_formed_; }

    /// In milliseconds; exact as far as anybody looks.
    [[nodiscard]] double length() const noexcept { return length_; }

private:
    struct Unit {
        std::string_view name;
        double milliseconds;
    };

    /// From smaller to larger; "ms" stands before "s", of which it ends with.
    static constexpr std::array<Unit, 5> units = {
        Unit{"ms", 1}, Unit{"s", 1e3}, Unit{"m", 6e4}, Unit{"h", 36e5}, Unit{"d", 864e5}
    };

    /// `units_left` are those larger than all that came; false if the text does not end with a
    /// number of one of them.
    bool take_last_part(std::string_view& text, std::size_t& units_left)
    {
        const auto* const unit = std::ranges::find_if(units, [text](const Unit& candidate) {
            return text.ends_with(candidate.name);
        });
        const auto index = static_cast<std::size_t>(unit - units.begin());
        if (unit == units.end() || index + units_left < units.size()) {
            return false;
        }
        units_left = units.size() - index - 1;
        text.remove_suffix(unit->name.size());
        if (text.empty() || !is_digit(text.back())) {
            return false;
        }
        for (double power = 1; !text.empty() && is_digit(text.back()); power *= 10) {
            if (text.back() != '0') {
                length_ += (text.back() - '0') * power * unit->milliseconds;
            }
            text.remove_suffix(1);
        }
        return true;
    }

    bool is_well_formed_ = true;
    double length_ = 0;
};

double milliseconds(Duration length)
{
    return static_cast<double>(length / std::chrono::milliseconds(1));
}

/// What is refused for being too long has a beginning that is a duration, and too long.
bool has_long_beginning(std::string_view text)
{
    for (auto size = text.size(); size > 0; --size) {
        const Expectation expected(text.substr(0, size));
        if (expected.is_well_formed() && expected.length() > milliseconds(max_duration)) {
            return true;
        }
    }
    return false;
}

bool is_justified(const Error& error, std::string_view text)
{
    const Expectation expected(text);
    if (error == errc::duration_empty) {
        return text.empty();
    }
    if (error == errc::duration_zero) {
        return text == "0" || (expected.is_well_formed() && expected.length() == 0);
    }
    if (error == errc::duration_negative) {
        return text.size() > 1 && text[0] == '-' && is_digit(text[1]);
    }
    if (error == errc::duration_too_long) {
        return has_long_beginning(text);
    }
    if (error == errc::duration_unit_missing) {
        return is_digit(text.back());
    }
    const bool is_about_form =
        error == errc::duration_unit_unknown || error == errc::duration_malformed;
    return is_about_form && !expected.is_well_formed();
}

void check_round_trip(Duration length)
{
    const auto text = to_string(length);
    const auto back = parse_duration(text);
    const auto whole = std::chrono::floor<std::chrono::milliseconds>(length);
    if (length < std::chrono::milliseconds(1)) {
        if (text != "0s") {
            report_finding("{} ns are written as '{}'", length.count(), text);
        }
    } else if (length > max_duration && whole > max_duration) {
        if (back != Error(errc::duration_too_long)) {
            report_finding("{} ns are written as '{}', which is taken", length.count(), text);
        }
    } else if (!back || *back != whole || to_string(*back) != text) {
        report_finding("{} ns are written as '{}', which is another", length.count(), text);
    }
}

void check_text(std::string_view text)
{
    const auto parsed = parse_duration(text);
    if (!parsed) {
        if (!is_justified(parsed.error(), text)) {
            report_finding("'{}' is refused with '{}'", text, parsed.error().message());
        }
        return;
    }
    const Expectation expected(text);
    if (!expected.is_well_formed() || expected.length() != milliseconds(*parsed)) {
        report_finding(
            "'{}' is {} ms, but should be {}", text, milliseconds(*parsed), expected.length()
        );
    }
    if (*parsed <= Duration::zero() || *parsed > max_duration) {
        report_finding("'{}' is {} ns", text, parsed->count());
    }
    check_round_trip(*parsed);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Choices choices({data, size});
    check_text(text_of({data, size}));
    const Duration any(choices.draw<Duration::rep>());
    check_round_trip(any);
    check_round_trip(any % (max_duration + std::chrono::seconds(1)));
    return 0;
}
