/// @file
/// What must hold however busy the machine is. Figures that depend on it are targets instead, and
/// `./dev bench --load` says which of them are met.

#ifndef SOJOURN_BENCH_LOAD_CLAIMS_HPP
#define SOJOURN_BENCH_LOAD_CLAIMS_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::bench {

/// Collects what does not hold, with the values, and goes on.
class Claims {
public:
    /// Where it was: the question and the phase. For all claims until it is said again.
    void about(std::string subject);

    void equal(std::string_view claim, std::uint64_t found, std::uint64_t expected);
    void at_most(std::string_view claim, std::uint64_t found, std::uint64_t bound);

    /// That this never happened.
    void none(std::string_view claim, std::uint64_t found) { equal(claim, found, 0); }

    [[nodiscard]] const std::vector<std::string>& broken() const noexcept { return broken_; }

private:
    void add(std::string_view claim, std::string_view values);

    std::string subject_;
    std::vector<std::string> broken_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_CLAIMS_HPP
