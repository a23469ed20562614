/// @file
/// A store in the memory of this process: for tests, and for several services of one process that
/// share sessions. What it keeps ends with it.

#ifndef SOJOURN_STORE_MEMORY_STORE_HPP
#define SOJOURN_STORE_MEMORY_STORE_HPP

#include "sojourn/async/clock.hpp"
#include "sojourn/store/memory_store_options.hpp"
#include "sojourn/store/session_store.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace sojourn {

/// A `SessionStore` of which every operation is one turn of a strand, O(log n), but for
/// `remove_by_principal` and `scan`, which take several. None waits for anything else, so limits
/// are kept by themselves.
///
/// *Cancellation*: `remove_by_principal` and `scan` between turns, by an exception; what was
/// removed is. *Lifetime*: may be destroyed before or after its execution context.
class MemoryStore final : public SessionStore {
public:
    /// Time to live is measured by `clock`; null is the system's. *Exceptions*: `bad_alloc`.
    explicit MemoryStore(
        const boost::asio::any_io_executor& executor,
        const MemoryStoreOptions& options = MemoryStoreOptions(),
        std::shared_ptr<Clock> clock = nullptr
    );
    ~MemoryStore() override;

    [[nodiscard]] boost::asio::awaitable<Result<VersionedRecord>>
    load(StoreKey key, Duration limit) override;
    [[nodiscard]] boost::asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) override;
    [[nodiscard]] boost::asio::awaitable<Result<std::uint64_t>> save_if_version(
        StoreKey key, std::uint64_t expected_version, StoreRecord record, Duration limit
    ) override;
    [[nodiscard]] boost::asio::awaitable<Result<void>>
    touch_if_present(StoreKey key, Duration time_to_live, Duration limit) override;
    [[nodiscard]] boost::asio::awaitable<Result<bool>>
    remove(StoreKey key, Duration tombstone, Duration limit) override;
    [[nodiscard]] boost::asio::awaitable<Result<std::size_t>>
    remove_by_principal(StoreKey principal, Duration tombstone, Duration limit) override;
    [[nodiscard]] boost::asio::awaitable<Result<StorePage>>
    scan(std::string after, std::size_t count, Duration limit) override;

private:
    class Impl;

    std::shared_ptr<Impl> impl_;
};

} // namespace sojourn

#endif // SOJOURN_STORE_MEMORY_STORE_HPP
