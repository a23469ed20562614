#include "sojourn/core/duration.hpp"

#include <array>
#include <cstdint>

namespace sojourn {

namespace {

struct Unit {
    std::string_view name;
    Duration length;
};

using namespace std::chrono_literals;

// Largest first: the order in which a duration must name them.
constexpr std::array<Unit, 5> units = {
    Unit{"d", 24h}, Unit{"h", 1h}, Unit{"m", 1min}, Unit{"s", 1s}, Unit{"ms", 1ms}
};

constexpr bool is_digit(char character) noexcept
{
    return character >= '0' && character <= '9';
}

constexpr bool is_letter(char character) noexcept
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/// Takes the longest prefix whose characters satisfy `belongs` off the text.
template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate belongs) noexcept
{
    std::size_t length = 0;
    while (length < text.size() && belongs(text[length])) {
        ++length;
    }
    const auto prefix = text.substr(0, length);
    text.remove_prefix(length);
    return prefix;
}

/// The number, or anything above `limit` once it is past it: nothing overflows on the way.
std::int64_t to_number(std::string_view digits, std::int64_t limit) noexcept
{
    std::int64_t number = 0;
    for (const char digit : digits) {
        number = number * 10 + (digit - '0');
        if (number > limit) {
            return limit + 1;
        }
    }
    return number;
}

} // namespace

Result<Duration> parse_duration(std::string_view text)
{
    if (text.empty()) {
        return errc::duration_empty;
    }
    if (text == "0") {
        return errc::duration_zero;
    }
    if (text.front() == '-') {
        return text.size() > 1 && is_digit(text[1]) ? errc::duration_negative
                                                    : errc::duration_malformed;
    }

    Duration total = Duration::zero();
    std::size_t next_unit = 0;
    while (!text.empty()) {
        const auto digits = take_while(text, is_digit);
        if (digits.empty()) {
            return errc::duration_malformed;
        }
        const auto name = take_while(text, is_letter);
        if (name.empty()) {
            return text.empty() ? errc::duration_unit_missing : errc::duration_malformed;
        }
        std::size_t unit = 0;
        while (unit < units.size() && units[unit].name != name) {
            ++unit;
        }
        if (unit == units.size()) {
            return errc::duration_unit_unknown;
        }
        if (unit < next_unit) {
            return errc::duration_malformed;
        }
        next_unit = unit + 1;

        const auto limit = (max_duration - total) / units[unit].length;
        const auto number = to_number(digits, limit);
        if (number > limit) {
            return errc::duration_too_long;
        }
        total += number * units[unit].length;
    }
    if (total == Duration::zero()) {
        return errc::duration_zero;
    }
    return total;
}

std::string to_string(Duration duration)
{
    std::string text;
    for (const auto& unit : units) {
        if (const auto number = duration / unit.length; number > 0) {
            text += std::to_string(number);
            text += unit.name;
            duration -= number * unit.length;
        }
    }
    return text.empty() ? "0s" : text;
}

} // namespace sojourn
