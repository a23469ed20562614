#include "sojourn/core/attributes.hpp"

#include "sojourn/core/attribute_block.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <new>
#include <ranges>

namespace sojourn {

Attributes Attributes::from(std::span<const Entry> entries)
{
    std::map<std::string_view, std::string_view> ordered;
    for (const auto& [name, value] : entries) {
        ordered.insert_or_assign(name, value);
    }
    return Attributes(AttributeBlock::pack(ordered));
}

Attributes::Attributes(const Attributes& other) noexcept : block_(other.block_)
{
    if (block_ != nullptr) {
        block_->add_reference();
    }
}

void Attributes::release() noexcept
{
    if (block_->drop_reference()) {
        AttributeBlock::end(block_).free();
    }
}

Attributes::Iterator Attributes::find_place(std::string_view name) const noexcept
{
    const auto places = std::views::iota(std::uint32_t{0}, static_cast<std::uint32_t>(size()));
    const auto name_at = [this](std::uint32_t place) { return (*block_)[place].first; };
    const auto place = std::ranges::lower_bound(places, name, {}, name_at);
    return {block_, static_cast<std::uint32_t>(place - places.begin())};
}

std::optional<std::string_view> Attributes::get(std::string_view name) const noexcept
{
    const auto place = find_place(name);
    if (place == end() || (*place).first != name) {
        return std::nullopt;
    }
    return (*place).second;
}

void Attributes::set(std::string_view name, std::string_view value)
{
    const auto place = find_place(name);
    const bool is_there = place != end() && (*place).first == name;
    if (is_there && (*place).second == value) {
        return;
    }
    *this = Attributes(AttributeBlock::pack(
        std::ranges::subrange(begin(), place),
        std::array{View(name, value)},
        std::ranges::subrange(is_there ? std::next(place) : place, end())
    ));
}

bool Attributes::erase(std::string_view name)
{
    const auto place = find_place(name);
    if (place == end() || (*place).first != name) {
        return false;
    }
    *this = Attributes(AttributeBlock::pack(
        std::ranges::subrange(begin(), place), std::ranges::subrange(std::next(place), end())
    ));
    return true;
}

std::size_t Attributes::size() const noexcept
{
    return block_ == nullptr ? 0 : block_->size();
}

std::size_t Attributes::bytes() const noexcept
{
    return block_ == nullptr ? 0 : block_->text_bytes() + size() * entry_overhead;
}

bool operator==(const Attributes& left, const Attributes& right) noexcept
{
    return left.block_ == right.block_ || std::ranges::equal(left, right);
}

Attributes::View Attributes::Iterator::operator*() const noexcept
{
    return (*block_)[place_];
}

} // namespace sojourn
