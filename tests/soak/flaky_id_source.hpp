/// @file
/// A source of ids that fails now and then.

#ifndef SOJOURN_TESTS_SOAK_FLAKY_ID_SOURCE_HPP
#define SOJOURN_TESTS_SOAK_FLAKY_ID_SOURCE_HPP

#include <sojourn/core/id_source.hpp>
#include <sojourn/testing/seeded_id_source.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sojourn::tests::soak {

/// One call of 500 fails.
class FlakyIdSource final : public IdSource {
public:
    explicit FlakyIdSource(std::uint64_t seed) : source_(seed) {}

    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        constexpr std::uint64_t calls_per_failure = 500;
        if (++calls_ % calls_per_failure == 0) {
            ++failures_;
            return make_error_code(boost::system::errc::io_error);
        }
        return source_.fill(bytes);
    }

    [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }

private:
    testing::SeededIdSource source_;
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<std::uint64_t> failures_{0};
};

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_FLAKY_ID_SOURCE_HPP
