#include "sojourn/store/sealing_keys.hpp"

#include <algorithm>

namespace sojourn {

SealingKeys& SealingKeys::add(const SealingKey& key)
{
    std::erase_if(keys_, [&key](const SealingKey& known) { return known.number == key.number; });
    keys_.push_back(key);
    return *this;
}

const SealingKey* SealingKeys::find(std::uint32_t number) const noexcept
{
    const auto found = std::ranges::find(keys_, number, &SealingKey::number);
    return found == keys_.end() ? nullptr : &*found;
}

} // namespace sojourn
