/// @file
/// A source of ids that are the same in every run, for tests and simulations. Never for a server:
/// who knows the seed knows every id.

#ifndef SOJOURN_TESTING_SEEDED_ID_SOURCE_HPP
#define SOJOURN_TESTING_SEEDED_ID_SOURCE_HPP

#include "sojourn/core/id_source.hpp"

#include <atomic>
#include <cstdint>

namespace sojourn::testing {

/// Bytes that follow from a seed and from how many were drawn before: splitmix64 over a counter.
/// Sources of the same seed give the same bytes to the same calls; it never fails.
///
/// *Thread safety*: any thread at any time. Which call gets which bytes is then up to the threads,
/// but no bytes are given twice.
class SeededIdSource final : public IdSource {
public:
    explicit SeededIdSource(std::uint64_t seed = 1) noexcept;

    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override;

private:
    const std::uint64_t origin_;
    std::atomic<std::uint64_t> words_drawn_{0};
};

} // namespace sojourn::testing

#endif // SOJOURN_TESTING_SEEDED_ID_SOURCE_HPP
