#include "sojourn/detail/os_random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

using sojourn::detail::fill_from;

namespace {

/// Plays back what getrandom(2) might return: a count of bytes, or an errno as a negative number.
class ScriptedSystem {
public:
    explicit ScriptedSystem(std::vector<long> script) : script_(std::move(script)) {}

    long operator()(std::byte* data, std::size_t size)
    {
        asked.push_back(size);
        const auto step = asked.size() <= script_.size() ? script_[asked.size() - 1] : -EBADF;
        if (step < 0) {
            errno = static_cast<int>(-step);
            return -1;
        }
        std::fill_n(data, step, std::byte{0xA5});
        return step;
    }

    std::vector<std::size_t> asked;

private:
    std::vector<long> script_;
};

bool is_full(const std::array<std::byte, 32>& bytes)
{
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0xA5}; });
}

} // namespace

TEST_CASE("os_random: one full read is enough", "[unit][core]")
{
    std::array<std::byte, 32> bytes{};
    ScriptedSystem system({32});
    CHECK_FALSE(fill_from(std::ref(system), bytes).failed());
    CHECK(is_full(bytes));
    CHECK(system.asked == std::vector<std::size_t>{32});
}

TEST_CASE("os_random: short reads are continued where they ended", "[unit][core]")
{
    std::array<std::byte, 32> bytes{};
    ScriptedSystem system({1, 30, 1});
    CHECK_FALSE(fill_from(std::ref(system), bytes).failed());
    CHECK(is_full(bytes));
    CHECK(system.asked == std::vector<std::size_t>{32, 31, 1});
}

TEST_CASE("os_random: an interrupted read is made again", "[unit][core]")
{
    std::array<std::byte, 32> bytes{};
    ScriptedSystem system({-EINTR, 16, -EINTR, -EINTR, 16});
    CHECK_FALSE(fill_from(std::ref(system), bytes).failed());
    CHECK(is_full(bytes));
    CHECK(system.asked.size() == 5);
}

TEST_CASE("os_random: a failure is reported with the system's code", "[unit][core]")
{
    std::array<std::byte, 32> bytes{};
    ScriptedSystem at_once({-ENOSYS});
    CHECK(
        fill_from(std::ref(at_once), bytes) ==
        boost::system::error_code(ENOSYS, boost::system::system_category())
    );
    CHECK(at_once.asked.size() == 1);

    ScriptedSystem halfway({16, -EAGAIN});
    CHECK(
        fill_from(std::ref(halfway), bytes) ==
        boost::system::error_code(EAGAIN, boost::system::system_category())
    );
    CHECK(halfway.asked.size() == 2);
}

TEST_CASE(
    "os_random: a read of nothing is a failure, even right after an interruption", "[unit][core]"
)
{
    std::array<std::byte, 32> bytes{};
    ScriptedSystem system({-EINTR, 0});
    CHECK(
        fill_from(std::ref(system), bytes) ==
        boost::system::error_code(EIO, boost::system::system_category())
    );
    CHECK(system.asked.size() == 2);
}

TEST_CASE("os_random: an empty span asks for nothing", "[unit][core]")
{
    ScriptedSystem system({});
    CHECK_FALSE(fill_from(std::ref(system), {}).failed());
    CHECK(system.asked.empty());
}
