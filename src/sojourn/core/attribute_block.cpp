#include "sojourn/core/attribute_block.hpp"

#include <limits>
#include <new>
#include <stdexcept>

namespace sojourn {

AttributeBlock* AttributeBlock::make(std::size_t size, std::size_t text_bytes)
{
    // There are not as many names of their own without more text, so their number fits as well.
    if (text_bytes > std::numeric_limits<std::uint32_t>::max()) {
        throw std::length_error("sojourn::Attributes: 4 GiB of text or more");
    }
    static_assert(
        alignof(AttributeBlock) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ &&
            sizeof(AttributeBlock) % alignof(Ends) == 0,
        "the ends lie right behind the block"
    );
    void* const memory = ::operator new(allocated_bytes(size, text_bytes));
    return ::new (memory) AttributeBlock(static_cast<std::uint32_t>(size));
}

} // namespace sojourn
