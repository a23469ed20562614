/// @file
/// Stands in for libFuzzer in the tests: feeds a target each file of a corpus, once, in order of
/// their names. A target that finds something ends the program, whose last line names the file.

#include "fuzz/choices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <stdexcept>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

void replay(const std::filesystem::path& path)
{
    fmt::print("{}\n", path.filename().string());
    std::fflush(stdout);
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("it cannot be read");
    }
    const std::vector<char> content(std::istreambuf_iterator<char>(file), {});
    // A buffer of its own and of the very size, so that the address sanitizer sees its end.
    const std::vector<std::uint8_t> bytes(content.begin(), content.end());
    static_cast<void>(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()));
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc != 2) {
        fmt::print(stderr, "usage: {} FOLDER | FILE\n", argv[0]);
        return EXIT_FAILURE;
    }
    const std::filesystem::path path = argv[1];
    const auto files = std::filesystem::is_directory(path) ? files_of(path) : std::vector{path};
    std::ranges::for_each(files, replay);
    fmt::print("{} inputs, nothing found\n", files.size());
    return files.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
} catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return EXIT_FAILURE;
}
