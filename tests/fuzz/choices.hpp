/// @file
/// Bytes as decisions: what a fuzz target draws from its input, piece by piece.

#ifndef SOJOURN_TESTS_FUZZ_CHOICES_HPP
#define SOJOURN_TESTS_FUZZ_CHOICES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

namespace sojourn::tests {

/// A text over the bytes of an input.
[[nodiscard]] inline std::string_view text_of(std::span<const std::uint8_t> bytes) noexcept
{
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a char may look at anything
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What is left of an input. Where nothing is, zeros are drawn.
class Choices {
public:
    explicit Choices(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

    /// The next bytes as a number.
    template <class Number = std::uint8_t>
    [[nodiscard]] Number draw() noexcept
    {
        static_assert(std::is_integral_v<Number>);
        const auto bytes = take(sizeof(Number));
        Number number{};
        if (!bytes.empty()) {
            std::memcpy(&number, bytes.data(), bytes.size());
        }
        return number;
    }

    /// One of `count` numbers from 0 on; `count` is 1 to 256.
    [[nodiscard]] std::size_t below(std::size_t count) noexcept { return draw() % count; }

    /// Once in `count` times.
    [[nodiscard]] bool one_in(std::size_t count) noexcept { return below(count) == count - 1; }

    /// One of these, of which there are 1 to 256; the first if nothing is left.
    template <class T>
    [[nodiscard]] T pick(std::initializer_list<T> some) noexcept
    {
        return *(some.begin() + below(some.size()));
    }

    /// So many bytes, or as many as are left.
    [[nodiscard]] std::span<const std::uint8_t> take(std::size_t count) noexcept
    {
        const auto taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }

    [[nodiscard]] std::span<const std::uint8_t> rest() noexcept { return take(bytes_.size()); }

private:
    std::span<const std::uint8_t> bytes_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FUZZ_CHOICES_HPP
