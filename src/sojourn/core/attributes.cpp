#include "sojourn/core/attributes.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace sojourn {

namespace {

template <class Entries>
auto find_place(Entries& entries, std::string_view name)
{
    return std::ranges::lower_bound(
        entries,
        name,
        {},
        [](const Attributes::Entry& entry) -> std::string_view { return entry.first; }
    );
}

} // namespace

Attributes Attributes::from(std::vector<Entry> entries)
{
    std::map<std::string, std::string> ordered;
    for (auto& [name, value] : entries) {
        ordered.insert_or_assign(std::move(name), std::move(value));
    }
    Attributes attributes;
    attributes.entries_.reserve(ordered.size());
    while (!ordered.empty()) {
        auto node = ordered.extract(ordered.begin());
        attributes.entries_.emplace_back(std::move(node.key()), std::move(node.mapped()));
    }
    return attributes;
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
        place->second = std::move(value);
        return;
    }
    entries_.emplace(place, std::move(name), std::move(value));
}

bool Attributes::erase(std::string_view name)
{
    const auto place = find_place(entries_, name);
    if (place == entries_.end() || place->first != name) {
        return false;
    }
    entries_.erase(place);
    return true;
}

std::size_t Attributes::bytes() const noexcept
{
    auto sum = entries_.size() * entry_overhead;
    for (const auto& [name, value] : entries_) {
        sum += name.size() + value.size();
    }
    return sum;
}

std::shared_ptr<const Attributes> share(Attributes attributes)
{
    if (attributes.empty()) {
        // Never destroyed: a session may be told of while the program ends.
        static const Attributes& none = *new Attributes;
        return {std::shared_ptr<const Attributes>(), &none};
    }
    return std::make_shared<const Attributes>(std::move(attributes));
}

} // namespace sojourn
