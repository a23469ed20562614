#include "sojourn/store/memory_store.hpp"

#include "sojourn/async/confined.hpp"
#include "sojourn/store/record_table.hpp"

#include <algorithm>
#include <utility>

namespace sojourn {

namespace {

/// Records that are removed or listed in one turn.
constexpr std::size_t batch = 100;

} // namespace

class MemoryStore::Impl {
public:
    Impl(
        const boost::asio::any_io_executor& executor,
        const MemoryStoreOptions& options,
        std::shared_ptr<Clock> clock
    )
        : clock_(clock ? std::move(clock) : std::make_shared<SystemClock>()),
          table_(executor, options)
    {
    }

    [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }

    [[nodiscard]] Confined<RecordTable>& table() noexcept { return table_; }

private:
    const std::shared_ptr<Clock> clock_;
    Confined<RecordTable> table_;
};

MemoryStore::MemoryStore(
    const boost::asio::any_io_executor& executor,
    const MemoryStoreOptions& options,
    std::shared_ptr<Clock> clock
)
    : impl_(std::make_shared<Impl>(executor, options, std::move(clock)))
{
}

MemoryStore::~MemoryStore() = default;

boost::asio::awaitable<Result<VersionedRecord>> MemoryStore::load(StoreKey key, Duration /*limit*/)
{
    const auto impl = impl_;
    const auto turn = [&key, &impl](RecordTable& table) {
        return table.load(key, impl->clock().steady());
    };
    co_return co_await impl->table().call(turn);
}

boost::asio::awaitable<Result<void>>
MemoryStore::create_if_absent(StoreKey key, StoreRecord record, Duration /*limit*/)
{
    const auto impl = impl_;
    const auto turn = [&key, &record, &impl](RecordTable& table) {
        return table.create(key, std::move(record), impl->clock().steady());
    };
    co_return co_await impl->table().call(turn);
}

boost::asio::awaitable<Result<std::uint64_t>> MemoryStore::save_if_version(
    StoreKey key, std::uint64_t expected_version, StoreRecord record, Duration /*limit*/
)
{
    const auto impl = impl_;
    const auto turn = [&key, expected_version, &record, &impl](RecordTable& table) {
        return table.save(key, expected_version, std::move(record), impl->clock().steady());
    };
    co_return co_await impl->table().call(turn);
}

boost::asio::awaitable<Result<void>>
MemoryStore::touch_if_present(StoreKey key, Duration time_to_live, Duration /*limit*/)
{
    const auto impl = impl_;
    const auto turn = [&key, time_to_live, &impl](RecordTable& table) {
        return table.touch(key, time_to_live, impl->clock().steady());
    };
    co_return co_await impl->table().call(turn);
}

boost::asio::awaitable<Result<bool>>
MemoryStore::remove(StoreKey key, Duration tombstone, Duration /*limit*/)
{
    const auto impl = impl_;
    const auto turn = [&key, tombstone, &impl](RecordTable& table) {
        return table.remove(key, tombstone, impl->clock().steady());
    };
    co_return co_await impl->table().call(turn);
}

boost::asio::awaitable<Result<std::size_t>>
MemoryStore::remove_by_principal(StoreKey principal, Duration tombstone, Duration /*limit*/)
{
    const auto impl = impl_;
    bool are_more = true;
    const auto turn = [&principal, tombstone, &impl, &are_more](RecordTable& table) {
        const auto count =
            table.remove_of_principal(principal, tombstone, batch, impl->clock().steady());
        are_more = table.has_any_of(principal);
        return count;
    };
    std::size_t removed = 0;
    while (are_more) {
        removed += co_await impl->table().call(turn);
    }
    co_return removed;
}

boost::asio::awaitable<Result<StorePage>>
MemoryStore::scan(std::string after, std::size_t count, Duration /*limit*/)
{
    const auto impl = impl_;
    const auto turn = [&after, count, &impl](RecordTable& table) {
        return table.scan(after, std::min(count, batch), impl->clock().steady());
    };
    co_return co_await impl->table().call(turn);
}

} // namespace sojourn
