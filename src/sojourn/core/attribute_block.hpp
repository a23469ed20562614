/// @file
/// Private header. The memory that copies of `Attributes` share: the number of references, where
/// each name and each value ends, and their text, all in one allocation.

#ifndef SOJOURN_CORE_ATTRIBUTE_BLOCK_HPP
#define SOJOURN_CORE_ATTRIBUTE_BLOCK_HPP

#include "sojourn/core/attributes.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

namespace sojourn {

/// One entry or more, in order of their names, never changed. It begins with one reference.
///
/// *Thread safety*: all members, in any thread, for whoever has a reference.
class AttributeBlock {
public:
    AttributeBlock(const AttributeBlock&) = delete;
    AttributeBlock& operator=(const AttributeBlock&) = delete;
    AttributeBlock(AttributeBlock&&) = delete;
    AttributeBlock& operator=(AttributeBlock&&) = delete;
    ~AttributeBlock() = default;

    /// A block of these ranges of entries, one behind the other; null if there are none.
    /// *Exceptions*: `bad_alloc`; `length_error` if the text's end is no number of 32 bits.
    template <class... Ranges>
    [[nodiscard]] static AttributeBlock* pack(const Ranges&... ranges);

    void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    /// Returns whether it was the last: then the caller has the memory to himself.
    [[nodiscard]] bool drop_reference() noexcept
    {
        // Where there is only this one, nobody can come by another meanwhile.
        return references_.load(std::memory_order_acquire) == 1 ||
               references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    /// The number of entries.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

    [[nodiscard]] std::size_t text_bytes() const noexcept { return ends()[size_ - 1].value; }

    /// What a block was made of.
    struct Memory {
        void* begin;
        std::size_t bytes;

        void free() const noexcept { ::operator delete(begin, bytes); }
    };

    /// Ends a block that nobody refers to, and leaves its memory to the caller.
    [[nodiscard]] static Memory end(AttributeBlock* block) noexcept
    {
        const auto bytes = allocated_bytes(block->size_, block->text_bytes());
        std::destroy_at(block);
        return {block, bytes};
    }

    [[nodiscard]] Attributes::View operator[](std::uint32_t place) const noexcept
    {
        const auto begin = place == 0 ? 0 : ends()[place - 1].value;
        const auto [name_end, value_end] = ends()[place];
        return {
            {text() + begin, name_end - begin},
            {text() + name_end, value_end - name_end},
        };
    }

private:
    /// Where a name and its value end in the text. A name begins where the value before it ends.
    struct Ends {
        std::uint32_t name;
        std::uint32_t value;
    };

    explicit AttributeBlock(std::uint32_t size) noexcept : size_(size) {}

    [[nodiscard]] static AttributeBlock* make(std::size_t size, std::size_t text_bytes);

    [[nodiscard]] static std::size_t
    allocated_bytes(std::size_t size, std::size_t text_bytes) noexcept
    {
        return sizeof(AttributeBlock) + size * sizeof(Ends) + text_bytes;
    }

    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what lies behind, see `make`
    [[nodiscard]] const Ends* ends() const noexcept
    {
        return reinterpret_cast<const Ends*>(this + 1);
    }

    [[nodiscard]] Ends* ends() noexcept { return reinterpret_cast<Ends*>(this + 1); }

    [[nodiscard]] const char* text() const noexcept
    {
        return reinterpret_cast<const char*>(ends() + size_);
    }

    [[nodiscard]] char* text() noexcept { return reinterpret_cast<char*>(ends() + size_); }

    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

    std::atomic<std::uint32_t> references_{1};
    const std::uint32_t size_;
};

template <class... Ranges>
AttributeBlock* AttributeBlock::pack(const Ranges&... ranges)
{
    std::size_t size = 0;
    std::size_t text_bytes = 0;
    const auto measure = [&](const auto& range) {
        for (const auto& [name, value] : range) {
            ++size;
            text_bytes += name.size() + value.size();
        }
    };
    (measure(ranges), ...);
    if (size == 0) {
        return nullptr;
    }
    auto* const block = make(size, text_bytes);
    auto* ends = block->ends();
    std::uint32_t end = 0;
    const auto append = [&](std::string_view text) {
        std::ranges::copy(text, block->text() + end);
        return end += static_cast<std::uint32_t>(text.size());
    };
    const auto fill = [&](const auto& range) {
        for (const auto& [name, value] : range) {
            ends->name = append(name);
            ends->value = append(value);
            ++ends;
        }
    };
    (fill(ranges), ...);
    return block;
}

} // namespace sojourn

#endif // SOJOURN_CORE_ATTRIBUTE_BLOCK_HPP
