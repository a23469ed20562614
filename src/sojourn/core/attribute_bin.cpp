#include "sojourn/core/attribute_bin.hpp"

#include "sojourn/core/attribute_block.hpp"
#include "sojourn/detail/assert.hpp"

#include <memory>
#include <new>

namespace sojourn {

void AttributeBin::add(Attributes attributes) noexcept
{
    auto* const block = std::exchange(attributes.block_, nullptr);
    if (block == nullptr || !block->drop_reference()) {
        return;
    }
    const auto bytes = block->allocated_bytes();
    SOJOURN_ASSERT(bytes >= sizeof(Waste));
    std::destroy_at(block);
    last_ = ::new (static_cast<void*>(block)) Waste{last_, bytes};
}

void AttributeBin::free() noexcept
{
    while (!empty()) {
        auto* const waste = std::exchange(last_, last_->next);
        ::operator delete(waste, waste->bytes);
    }
}

} // namespace sojourn
