/// @file
/// Private header. All shards of a service, and which of them a session is in.

#ifndef SOJOURN_SERVICE_SHARD_SET_HPP
#define SOJOURN_SERVICE_SHARD_SET_HPP

#include "sojourn/service/shard.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sojourn {

/// The shards. Filled once, before anybody else knows of it.
///
/// *Thread safety*: all members but `add`, any thread. *Lifetime*: when it goes, shards with leases
/// stay until those are given back.
class ShardSet {
public:
    ShardSet() = default;
    ShardSet(const ShardSet&) = delete;
    ShardSet& operator=(const ShardSet&) = delete;
    ShardSet(ShardSet&&) = delete;
    ShardSet& operator=(ShardSet&&) = delete;

    ~ShardSet()
    {
        for (const auto& shard : shards_) {
            Shard::leave_to_leases(shard);
        }
    }

    Shard& add(std::shared_ptr<Shard> shard) { return *shards_.emplace_back(std::move(shard)); }

    [[nodiscard]] auto begin() const noexcept { return shards_.begin(); }

    [[nodiscard]] auto end() const noexcept { return shards_.end(); }

    [[nodiscard]] std::size_t size() const noexcept { return shards_.size(); }

    [[nodiscard]] bool is_one() const noexcept { return shards_.size() == 1; }

    [[nodiscard]] Shard& operator[](std::size_t index) const noexcept { return *shards_[index]; }

    /// Of sessions whose id has this hash.
    [[nodiscard]] Shard& of(std::uint64_t hash) const noexcept { return *shards_[index_of(hash)]; }

    [[nodiscard]] Shard& of(const HashedId& id) const noexcept { return of(id.hash); }

    [[nodiscard]] std::size_t index_of(std::uint64_t hash) const noexcept
    {
        // The highest bits: the index inside the shard uses the lowest.
        const auto bits = hash >> 48U;
        return static_cast<std::size_t>((bits * shards_.size()) >> 16U);
    }

    // `make(table)` runs in a turn and says whether it has made what is wanted.

    template <class Make>
    static boost::asio::awaitable<bool> ask(Shard& shard, const Make& make)
    {
        auto turn = [&make](ShardState& state) -> Result<bool> { return make(state.table()); };
        const auto made = co_await shard.call(std::move(turn));
        co_return made.has_value() && *made;
    }

    /// Asks the shards from `home` on until one has.
    template <class Make>
    boost::asio::awaitable<bool> ask_around(std::size_t home, const Make& make) const
    {
        for (std::size_t steps = 0; steps < size(); ++steps) {
            if (co_await ask(*shards_[(home + steps) % size()], make)) {
                co_return true;
            }
        }
        co_return false;
    }

    /// Asks the one with the oldest session first. Of those that are equally old, the next from
    /// `home` on: so the shards stay equally full.
    template <class Make>
    boost::asio::awaitable<bool> ask_oldest_first(std::size_t home, const Make& make) const
    {
        std::vector<std::pair<TimePoint, std::size_t>> order;
        order.reserve(size());
        for (std::size_t steps = 0; steps < size(); ++steps) {
            order.emplace_back(shards_[(home + steps) % size()]->oldest_use(), steps);
        }
        std::ranges::sort(order);
        for (const auto& [oldest_use, steps] : order) {
            if (co_await ask(*shards_[(home + steps) % size()], make)) {
                co_return true;
            }
        }
        co_return false;
    }

private:
    std::vector<std::shared_ptr<Shard>> shards_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SHARD_SET_HPP
