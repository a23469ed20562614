// Runs one operation a fixed number of times, for callgrind to count its instructions.
//
//   sojourn_instructions OPERATION     prints how many times it ran
//   sojourn_instructions --list        prints the operations
//   sojourn_instructions --toolchain   prints what the number of instructions depends on

#include "operations.hpp"

#include <boost/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string_view>

namespace {

struct Operation {
    std::string_view name;
    std::size_t (*run)();
};

constexpr std::array operations{
    Operation{"table_touch", sojourn::instructions::table_touch},
    Operation{"touch", sojourn::instructions::touch},
    Operation{"acquire_release", sojourn::instructions::acquire_release},
    Operation{"acquire_release_watched", sojourn::instructions::acquire_release_watched},
    Operation{"record", sojourn::instructions::record},
    Operation{"record_off", sojourn::instructions::record_off},
    Operation{"create_evict", sojourn::instructions::create_evict},
    Operation{"expire", sojourn::instructions::expire},
    Operation{"confined_call", sojourn::instructions::confined_call},
};

void print_operations()
{
    for (const auto& operation : operations) {
        std::cout << operation.name << '\n';
    }
}

void print_toolchain()
{
#ifdef __clang__
    std::cout << "clang " << __clang_major__ << '.' << __clang_minor__ << '.'
              << __clang_patchlevel__;
#else
    std::cout << "g++ " << __GNUC__ << '.' << __GNUC_MINOR__ << '.' << __GNUC_PATCHLEVEL__;
#endif
    std::cout << ", Boost " << BOOST_VERSION / 100'000 << '.' << BOOST_VERSION / 100 % 1000
              << ", libstdc++ " << _GLIBCXX_RELEASE << '\n';
}

} // namespace

int main(int argc, char** argv)
try {
    const std::string_view wish = argc == 2 ? argv[1] : "";
    if (wish == "--list") {
        print_operations();
        return 0;
    }
    if (wish == "--toolchain") {
        print_toolchain();
        return 0;
    }
    const auto* const operation = std::ranges::find(operations, wish, &Operation::name);
    if (operation == operations.end()) {
        std::cerr << "usage: sojourn_instructions OPERATION | --list | --toolchain\n";
        return 2;
    }
    std::cout << operation->run() << '\n';
    return 0;
} catch (const std::exception& error) {
    std::cerr << "sojourn_instructions: " << error.what() << '\n';
    return 1;
}
