#include "faults/asio_memory.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sojourn::tests {

namespace {

/// What a function on the stack says about an allocation inside it.
enum class Sign : std::uint8_t { none, is_fatal, is_survived };

bool has(std::string_view symbol, std::string_view part) noexcept
{
    return symbol.find(part) != std::string_view::npos;
}

/// Whether a type-erased handler's executor is made or kept there.
bool makes_executor_of_handler(std::string_view symbol) noexcept
{
    return symbol.starts_with("_ZN5boost4asio19associated_executorI") ||
           symbol.starts_with("_ZN5boost4asio19executor_work_guardI") ||
           symbol.starts_with("_ZN5boost4asio23any_completion_executorC");
}

/// Whether a coroutine is destroyed there that waits.
bool destroys_coroutine(std::string_view symbol) noexcept
{
    return symbol.starts_with("_ZN5boost4asio6detail16awaitable_threadI") &&
           symbol.ends_with("ED2Ev");
}

Sign read(const void* address) noexcept
{
    Dl_info info{};
    const bool is_known = dladdr(address, &info) != 0 && info.dli_sname != nullptr;
    const std::string_view symbol = is_known ? info.dli_sname : "";
    if (makes_executor_of_handler(symbol) || destroys_coroutine(symbol) ||
        has(symbol, "21create_implementation")) {
        return Sign::is_fatal;
    }
    if (!has(symbol, "strand_executor_service7invoker")) {
        return Sign::none;
    }
    // Whatever a strand runs is called by its invoker. What is done to the invoker, such as moving
    // it to where it will run, schedules the strand.
    const bool runs = symbol.ends_with("EclEv") || has(symbol, "8complete");
    return runs ? Sign::is_survived : Sign::is_fatal;
}

/// Remembers, since `dladdr` looks at all symbols there are.
Sign sign_of(const void* address) noexcept
{
    struct Entry {
        const void* address = nullptr;
        Sign sign = Sign::none;
    };

    thread_local std::array<Entry, 65'536> known{};
    auto& entry = known[reinterpret_cast<std::uintptr_t>(address) % known.size()];
    if (entry.address != address) {
        entry = {.address = address, .sign = read(address)};
    }
    return entry.sign;
}

} // namespace

bool is_fatal_to_asio() noexcept
{
    std::array<void*, 48> addresses{};
    const auto depth = backtrace(addresses.data(), static_cast<int>(addresses.size()));
    // From the allocation outwards.
    for (const void* const address : std::span(addresses).first(static_cast<std::size_t>(depth))) {
        if (const auto sign = sign_of(address); sign != Sign::none) {
            return sign == Sign::is_fatal;
        }
    }
    return false;
}

} // namespace sojourn::tests
