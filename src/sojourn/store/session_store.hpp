/// @file
/// The contract of a store: where sessions are kept beside the process that serves them, so that
/// they outlive it and other servers find them. Whether yours keeps it is what
/// `testing::StoreConformance` finds out.

#ifndef SOJOURN_STORE_SESSION_STORE_HPP
#define SOJOURN_STORE_SESSION_STORE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/time.hpp"
#include "sojourn/store/store_key.hpp"
#include "sojourn/store/store_record.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace sojourn {

/// Keeps records of sessions by their keys.
///
/// Each operation is atomic for each record: of two that happen at the same time, by whichever
/// servers, one is first. A record is absent if it was never created, was removed, or its time to
/// live is over.
///
/// *Time limits*: each operation ends after `limit` at the latest. *Errors*: what normal traffic
/// produces is a value. Besides those that an operation names, each of them may give
/// `store_unavailable` or `timed_out`, never instead of `not_found` or `conflict`, and none of
/// these two instead of it: a store that cannot be asked has not said that a session does not
/// exist. What was to be changed has been changed then, or not. *Cancellation*: any type, by an
/// exception or an error equal to `boost::asio::error::operation_aborted`; what was to be changed
/// has been changed, or not, and no other call is given the answer. *Executor*: a coroutine
/// continues on its own. *Exceptions*: `bad_alloc`; and then nothing was changed. *Thread safety*:
/// all members, any thread. *Lifetime*: until all awaitables have ended.
class SessionStore {
public:
    SessionStore() = default;
    SessionStore(const SessionStore&) = delete;
    SessionStore& operator=(const SessionStore&) = delete;
    SessionStore(SessionStore&&) = delete;
    SessionStore& operator=(SessionStore&&) = delete;
    virtual ~SessionStore() = default;

    /// The record, its version, and how long it has yet to live. *Errors*: `not_found`.
    [[nodiscard]] virtual boost::asio::awaitable<Result<VersionedRecord>>
    load(StoreKey key, Duration limit) = 0;

    /// Keeps a new record, with version 1. *Errors*: `conflict` if there is one, or if one was
    /// removed so lately that its tombstone stands; `store_full`. Nothing was changed then.
    [[nodiscard]] virtual boost::asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) = 0;

    /// Replaces the record, its time to live and its principal, if its version is still this one.
    /// Gives the new version, one more. *Errors*: `not_found`; `conflict`; `store_full`. Nothing
    /// was changed then.
    [[nodiscard]] virtual boost::asio::awaitable<Result<std::uint64_t>> save_if_version(
        StoreKey key, std::uint64_t expected_version, StoreRecord record, Duration limit
    ) = 0;

    /// Gives the record so long to live, from now on. *Errors*: `not_found`.
    [[nodiscard]] virtual boost::asio::awaitable<Result<void>>
    touch_if_present(StoreKey key, Duration time_to_live, Duration limit) = 0;

    /// Removes the record, and leaves a tombstone in its place, for so long: until then the record
    /// is absent, and nobody can create one. Without a record only the tombstone is left, so that a
    /// creation that is still under way comes too late. A tombstone that stands is never shortened;
    /// a length of zero leaves none. Gives whether there was a record. *Errors*: `store_full`, if
    /// there was none, and no room for a tombstone.
    [[nodiscard]] virtual boost::asio::awaitable<Result<bool>>
    remove(StoreKey key, Duration tombstone, Duration limit) = 0;

    /// Removes all records of a principal, each as `remove` does, and gives how many. One that is
    /// created or given to the principal meanwhile may survive, and after an error all may.
    [[nodiscard]] virtual boost::asio::awaitable<Result<std::size_t>>
    remove_by_principal(StoreKey principal, Duration tombstone, Duration limit) = 0;

    /// Keys of records, from where the page before ended, or from the beginning. A record that is
    /// there from the first page to the last is on one of them, perhaps on two; one that comes or
    /// goes meanwhile may be or not. There may be more or fewer than `count` on a page.
    [[nodiscard]] virtual boost::asio::awaitable<Result<StorePage>>
    scan(std::string after, std::size_t count, Duration limit) = 0;
};

} // namespace sojourn

#endif // SOJOURN_STORE_SESSION_STORE_HPP
