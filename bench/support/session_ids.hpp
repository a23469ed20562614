/// @file
/// Ids by number, the same in every run, of the form that sojourn issues: 43 random characters.
/// They are made before the timing begins.

#ifndef SOJOURN_BENCH_SUPPORT_SESSION_IDS_HPP
#define SOJOURN_BENCH_SUPPORT_SESSION_IDS_HPP

#include "sojourn/core/id_source.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/testing/seeded_id_source.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace sojourn::bench {

/// The id with this number, as a contestant takes it: a `SessionId`, or a peer's `std::string`.
template <class Id>
Id numbered_id(std::size_t number)
{
    testing::SeededIdSource source(number);
    auto id = draw_id(source).value();
    if constexpr (std::is_same_v<Id, SessionId>) {
        return id;
    } else {
        return Id(id.text());
    }
}

/// The ids of all these numbers, in their order and each at its own place in memory: a request
/// brings its id along, it does not look it up in a list of all ids.
template <class Id>
std::vector<Id> numbered_ids(const std::vector<std::uint32_t>& numbers)
{
    std::vector<Id> ids;
    ids.reserve(numbers.size());
    for (const auto number : numbers) {
        ids.push_back(numbered_id<Id>(number));
    }
    return ids;
}

/// The ids `first` to `first + count - 1`.
template <class Id>
std::vector<Id> consecutive_ids(std::size_t first, std::size_t count)
{
    std::vector<Id> ids;
    ids.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        ids.push_back(numbered_id<Id>(first + i));
    }
    return ids;
}

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_SESSION_IDS_HPP
