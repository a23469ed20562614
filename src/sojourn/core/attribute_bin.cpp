#include "sojourn/core/attribute_bin.hpp"

#include "sojourn/core/attribute_block.hpp"
#include "sojourn/detail/assert.hpp"

#include <new>

namespace sojourn {

void AttributeBin::add(Attributes attributes) noexcept
{
    auto* const block = std::exchange(attributes.block_, nullptr);
    if (block == nullptr || !block->drop_reference()) {
        return;
    }
    const auto memory = AttributeBlock::end(block);
    SOJOURN_ASSERT(memory.bytes >= sizeof(Waste));
    last_ = ::new (memory.begin) Waste{last_, memory.bytes};
}

void AttributeBin::add(std::unique_ptr<Discardable> object) noexcept
{
    Waste* const waste = object.release();
    waste->next = std::exchange(last_, waste);
}

void AttributeBin::free() noexcept
{
    while (!empty()) {
        auto* const waste = std::exchange(last_, last_->next);
        if (waste->bytes == 0) {
            // NOLINTNEXTLINE(cppcoreguidelines-*): what was released to the bin, as what it is
            delete static_cast<Discardable*>(waste);
        } else {
            AttributeBlock::Memory{waste, waste->bytes}.free();
        }
    }
}

} // namespace sojourn
