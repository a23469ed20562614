#include "soak/process_memory.hpp"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace sojourn::tests::soak {

ProcessMemory process_memory()
{
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total_pages = 0;
    std::uint64_t resident_pages = 0;
    if (!(statm >> total_pages >> resident_pages)) {
        throw std::runtime_error("/proc/self/statm cannot be read");
    }
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const auto heap = mallinfo2();
    return {.resident_bytes = resident_pages * page, .heap_bytes = heap.uordblks + heap.hblkhd};
}

std::uint64_t process_threads()
{
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::uint64_t threads = 0;
        if (word == "Threads:" && status >> threads) {
            return threads;
        }
    }
    throw std::runtime_error("/proc/self/status does not tell the number of threads");
}

} // namespace sojourn::tests::soak
