#include "sojourn/core/attributes.hpp"

#include <algorithm>

namespace sojourn {

namespace {

template <class Entries>
auto find_place(Entries& entries, std::string_view name)
{
    return std::ranges::lower_bound(entries, name, {}, [](const Attributes::Entry& entry) -> std::string_view {
        return entry.first;
    });
}

} // namespace

Attributes::Attributes(std::initializer_list<Entry> entries)
{
    for (const auto& [name, value] : entries) {
        set(name, value);
    }
}

std::optional<std::string_view> Attributes::get(std::string_view name) const
{
    const auto place = find_place(entries_, name);
    if (place == entries_.end() || place->first != name) {
        return std::nullopt;
    }
    return place->second;
}

void Attributes::set(std::string name, std::string value)
{
    const auto place = find_place(entries_, name);
    if (place != entries_.end() && place->first == name) {
        bytes_ += value.size();
        bytes_ -= place->second.size();
        place->second = std::move(value);
        return;
    }
    const auto added = name.size() + value.size();
    entries_.emplace(place, std::move(name), std::move(value));
    bytes_ += added;
}

bool Attributes::erase(std::string_view name)
{
    const auto place = find_place(entries_, name);
    if (place == entries_.end() || place->first != name) {
        return false;
    }
    bytes_ -= place->first.size() + place->second.size();
    entries_.erase(place);
    return true;
}

} // namespace sojourn
