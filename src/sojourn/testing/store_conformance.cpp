#include "sojourn/testing/store_conformance.hpp"

#include "sojourn/core/session_id.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>

namespace sojourn::testing {

namespace {

namespace asio = boost::asio;

using namespace std::chrono_literals;

/// Longer than any operation of a check takes, and than a check.
constexpr Duration limit = 10s;
constexpr Duration a_day = 24h;

/// Calls that a check makes at the same time.
constexpr std::size_t crowd = 16;

std::string shown(const Error& error)
{
    return error.message();
}

std::string shown(bool value)
{
    return value ? "true" : "false";
}

template <class T>
std::string shown(const Result<T>& result)
{
    if (result.has_error()) {
        return shown(result.error());
    }
    if constexpr (std::is_void_v<T>) {
        return "success";
    } else if constexpr (std::is_same_v<T, VersionedRecord>) {
        return fmt::format("a record of version {}", result->version);
    } else if constexpr (std::is_same_v<T, bool>) {
        return shown(*result);
    } else {
        return fmt::format("{}", *result);
    }
}

/// One check: the store, keys that nobody else has, and what was found.
class Check {
public:
    Check(StoreUnderTest& subject, std::string_view name) : subject_(subject), name_(name)
    {
        std::random_device device;
        salt_ = fmt::format("{} {:x}{:x}", name, device(), device());
    }

    [[nodiscard]] SessionStore& store() const { return subject_.store(); }

    [[nodiscard]] StoreUnderTest& subject() const noexcept { return subject_; }

    [[nodiscard]] Duration step() const noexcept { return subject_.step(); }

    /// A key that only this check has, the same for the same number.
    [[nodiscard]] StoreKey key(std::size_t number = 0) const
    {
        return StoreKey::of_principal(fmt::format("{} key {}", salt_, number));
    }

    [[nodiscard]] StoreKey principal(std::size_t number = 0) const
    {
        return StoreKey::of_principal(fmt::format("{} principal {}", salt_, number));
    }

    void report(std::string text) { findings_.push_back({name_, std::move(text)}); }

    void expect(bool is_so, std::string_view what)
    {
        if (!is_so) {
            report(fmt::format("expected: {}", what));
        }
    }

    template <class T>
    void expect_error(const Result<T>& result, errc code, std::string_view what)
    {
        if (!result.has_error() || !(result.error() == code)) {
            report(fmt::format(
                "{}: expected '{}', got '{}'", what, Error(code).message(), shown(result)
            ));
        }
    }

    template <class T>
    void expect_success(const Result<T>& result, std::string_view what)
    {
        if (result.has_error()) {
            report(fmt::format("{}: expected success, got '{}'", what, shown(result)));
        }
    }

    template <class T>
    void expect_value(const Result<T>& result, const T& value, std::string_view what)
    {
        if (result.has_error() || *result != value) {
            report(fmt::format(
                "{}: expected {}, got '{}'", what, shown(Result<T>(value)), shown(result)
            ));
        }
    }

    /// Whether this is what was kept, with some of its time to live left.
    void expect_record(
        const Result<VersionedRecord>& found,
        const StoreRecord& kept,
        std::uint64_t version,
        std::string_view what
    )
    {
        if (found.has_error()) {
            report(fmt::format("{}: expected a record, got '{}'", what, shown(found)));
            return;
        }
        expect(found->record.payload == kept.payload, fmt::format("{}: its payload", what));
        expect(found->record.principal == kept.principal, fmt::format("{}: its principal", what));
        const auto left = found->record.time_to_live;
        expect(left > Duration::zero(), fmt::format("{}: time left to live", what));
        expect(left <= kept.time_to_live, fmt::format("{}: no more time to live than given", what));
        if (found->version != version) {
            report(fmt::format("{}: expected version {}, got {}", what, version, found->version));
        }
    }

    [[nodiscard]] std::vector<StoreFinding> findings() && { return std::move(findings_); }

private:
    StoreUnderTest& subject_;
    std::string_view name_;
    std::string salt_;
    std::vector<StoreFinding> findings_;
};

asio::awaitable<void> absent_is_not_found(Check& check)
{
    auto& store = check.store();
    const auto loaded = co_await store.load(check.key(), limit);
    check.expect_error(loaded, errc::not_found, "load");
    const auto saved =
        co_await store.save_if_version(check.key(), 1, StoreRecord("a", a_day), limit);
    check.expect_error(saved, errc::not_found, "save_if_version");
    const auto touched = co_await store.touch_if_present(check.key(), a_day, limit);
    check.expect_error(touched, errc::not_found, "touch_if_present");
    const auto removed = co_await store.remove(check.key(), Duration::zero(), limit);
    check.expect_value(removed, false, "remove");
    const auto again = co_await store.load(check.key(), limit);
    check.expect_error(again, errc::not_found, "load after all that");
}

/// Every byte, the ends of lines and U+0000 among them.
std::string all_bytes()
{
    std::string text;
    for (int byte = 0; byte < 256; ++byte) {
        text += static_cast<char>(byte);
    }
    return text + "\r\n$-1\r\n";
}

asio::awaitable<void> is_kept_as_it_was(Check& check)
{
    auto& store = check.store();
    constexpr std::size_t mebibyte = std::size_t{1} << 20U;
    const std::array records = {
        StoreRecord(all_bytes(), a_day, check.principal()),
        StoreRecord(std::string(), a_day),
        StoreRecord(std::string(mebibyte, '\n'), 365 * a_day),
        StoreRecord("one that lives as short as may be noticed", 1000 * check.step()),
    };
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto created = co_await store.create_if_absent(check.key(i), records[i], limit);
        check.expect_success(created, fmt::format("create_if_absent of record {}", i));
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto loaded = co_await store.load(check.key(i), limit);
        check.expect_record(loaded, records[i], 1, fmt::format("record {}", i));
        co_await store.remove(check.key(i), Duration::zero(), limit);
    }
}

asio::awaitable<void> is_created_once(Check& check)
{
    auto& store = check.store();
    const StoreRecord first("first", a_day);
    const auto created = co_await store.create_if_absent(check.key(), first, limit);
    check.expect_success(created, "create_if_absent");
    const auto again =
        co_await store.create_if_absent(check.key(), StoreRecord("second", a_day), limit);
    check.expect_error(again, errc::conflict, "create_if_absent again");
    const auto loaded = co_await store.load(check.key(), limit);
    check.expect_record(loaded, first, 1, "the first record");
    co_await store.remove(check.key(), Duration::zero(), limit);
}

asio::awaitable<void> save_needs_the_version(Check& check)
{
    auto& store = check.store();
    const StoreRecord first("first", a_day);
    co_await store.create_if_absent(check.key(), first, limit);
    for (const std::uint64_t version : {0U, 2U, 3U}) {
        const auto refused =
            co_await store.save_if_version(check.key(), version, StoreRecord("x", a_day), limit);
        check.expect_error(refused, errc::conflict, fmt::format("a save of version {}", version));
    }
    const auto unchanged = co_await store.load(check.key(), limit);
    check.expect_record(unchanged, first, 1, "after the saves that were refused");

    StoreRecord last;
    for (std::uint64_t version = 1; version < 12; ++version) {
        last = StoreRecord(fmt::format("after {}", version), a_day, check.principal(version));
        const auto saved = co_await store.save_if_version(check.key(), version, last, limit);
        check.expect_value(saved, version + 1, "save_if_version");
    }
    const auto loaded = co_await store.load(check.key(), limit);
    check.expect_record(loaded, last, 12, "after the saves");
    co_await store.remove(check.key(), Duration::zero(), limit);
}

/// What a crowd of calls has given, each on `executor`. To be run on a strand, so that the last one
/// is known to be the last.
template <class T, class Make>
asio::awaitable<void>
gather(asio::any_io_executor executor, Make make, std::vector<Result<T>>& results)
{
    const auto strand = co_await asio::this_coro::executor;
    // Never expires; cancelled once all are there.
    asio::steady_timer are_there(strand, asio::steady_timer::time_point::max());
    std::exception_ptr failure;
    std::size_t left = crowd;
    const auto note = [&](std::exception_ptr thrown, const Result<T>& result) {
        results.push_back(result);
        failure = thrown ? std::move(thrown) : std::move(failure);
        if (--left == 0) {
            are_there.cancel();
        }
    };
    results.reserve(crowd);
    for (std::size_t i = 0; i < crowd; ++i) {
        asio::co_spawn(executor, make(i), asio::bind_executor(strand, note));
    }
    if (left > 0) {
        boost::system::error_code cancelled;
        co_await are_there.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

/// Runs a crowd of calls at the same time, and gives how many of their results are successes.
/// Others must be conflicts.
template <class T, class Make>
asio::awaitable<std::size_t> successes(Check& check, Make make)
{
    const auto executor = co_await asio::this_coro::executor;
    std::vector<Result<T>> results;
    auto gathering = gather(executor, make, results);
    co_await asio::co_spawn(asio::make_strand(executor), std::move(gathering), asio::use_awaitable);
    std::size_t count = 0;
    for (const auto& result : results) {
        if (result.has_value()) {
            ++count;
        } else {
            check.expect_error(result, errc::conflict, "one that was not the first");
        }
    }
    co_return count;
}

asio::awaitable<void> one_of_many_creates(Check& check)
{
    const auto create = [&check](std::size_t number) {
        return check.store().create_if_absent(
            check.key(), StoreRecord(fmt::format("{}", number), a_day), limit
        );
    };
    const auto created = co_await successes<void>(check, create);
    check.expect(created == 1, fmt::format("1 of {} creations succeeds, not {}", crowd, created));
    co_await check.store().remove(check.key(), Duration::zero(), limit);
}

asio::awaitable<void> one_of_many_saves(Check& check)
{
    co_await check.store().create_if_absent(check.key(), StoreRecord("first", a_day), limit);
    const auto save = [&check](std::size_t number) {
        return check.store().save_if_version(
            check.key(), 1, StoreRecord(fmt::format("{}", number), a_day), limit
        );
    };
    const auto saved = co_await successes<std::uint64_t>(check, save);
    check.expect(saved == 1, fmt::format("1 of {} saves succeeds, not {}", crowd, saved));
    co_await check.store().remove(check.key(), Duration::zero(), limit);
}

asio::awaitable<void> ends_with_its_time(Check& check)
{
    auto& store = check.store();
    const auto life = 4 * check.step();
    const StoreRecord record("short", life, check.principal());
    co_await store.create_if_absent(check.key(), record, limit);
    const auto before = co_await store.load(check.key(), limit);
    check.expect_record(before, record, 1, "before its time is over");
    co_await check.subject().pass(life);
    const auto loaded = co_await store.load(check.key(), limit);
    check.expect_error(loaded, errc::not_found, "load after its time");
    const auto touched = co_await store.touch_if_present(check.key(), a_day, limit);
    check.expect_error(touched, errc::not_found, "touch_if_present after its time");
    const auto saved = co_await store.save_if_version(check.key(), 1, record, limit);
    check.expect_error(saved, errc::not_found, "save_if_version after its time");
    const auto removed = co_await store.remove_by_principal(check.principal(), a_day, limit);
    check.expect_value(removed, std::size_t{0}, "remove_by_principal after its time");
    const StoreRecord next("next", a_day);
    const auto created = co_await store.create_if_absent(check.key(), next, limit);
    check.expect_success(created, "create_if_absent after its time");
    const auto found = co_await store.load(check.key(), limit);
    check.expect_record(found, next, 1, "the next one");
    co_await store.remove(check.key(), Duration::zero(), limit);
}

asio::awaitable<void> expect_gone_after(Check& check, Duration life)
{
    co_await check.subject().pass(life);
    const auto gone = co_await check.store().load(check.key(), limit);
    check.expect_error(gone, errc::not_found, "load after the shorter time");
}

asio::awaitable<void> touch_begins_its_time_anew(Check& check)
{
    auto& store = check.store();
    const auto life = 4 * check.step();
    const StoreRecord record("kept", life, check.principal());
    co_await store.create_if_absent(check.key(), record, limit);
    const auto touched = co_await store.touch_if_present(check.key(), a_day, limit);
    check.expect_success(touched, "touch_if_present");
    co_await check.subject().pass(life);
    const auto loaded = co_await store.load(check.key(), limit);
    const StoreRecord longer(record.payload, a_day, record.principal);
    check.expect_record(loaded, longer, 1, "after a touch");
    const auto shortened = co_await store.touch_if_present(check.key(), life, limit);
    check.expect_success(shortened, "touch_if_present with less time");
    co_await expect_gone_after(check, life);
}

asio::awaitable<void> save_begins_its_time_anew(Check& check)
{
    auto& store = check.store();
    const auto life = 4 * check.step();
    co_await store.create_if_absent(check.key(), StoreRecord("short", life), limit);
    const StoreRecord longer("longer", a_day);
    co_await store.save_if_version(check.key(), 1, longer, limit);
    co_await check.subject().pass(life);
    const auto loaded = co_await store.load(check.key(), limit);
    check.expect_record(loaded, longer, 2, "after a save");
    co_await store.save_if_version(check.key(), 2, StoreRecord("short", life), limit);
    co_await expect_gone_after(check, life);
}

asio::awaitable<void> removed_stays_removed(Check& check)
{
    auto& store = check.store();
    const auto tombstone = 8 * check.step();
    const StoreRecord record("ended", a_day, check.principal());
    co_await store.create_if_absent(check.key(), record, limit);
    const auto removed = co_await store.remove(check.key(), tombstone, limit);
    check.expect_value(removed, true, "remove");
    const auto loaded = co_await store.load(check.key(), limit);
    check.expect_error(loaded, errc::not_found, "load of a removed record");
    const auto touched = co_await store.touch_if_present(check.key(), a_day, limit);
    check.expect_error(touched, errc::not_found, "touch_if_present of a removed record");
    const auto saved = co_await store.save_if_version(check.key(), 1, record, limit);
    check.expect_error(saved, errc::not_found, "save_if_version of a removed record");
    const auto created = co_await store.create_if_absent(check.key(), record, limit);
    check.expect_error(created, errc::conflict, "create_if_absent of a removed record");
    const auto again = co_await store.remove(check.key(), Duration::zero(), limit);
    check.expect_value(again, false, "remove of a removed record");
    const auto still = co_await store.create_if_absent(check.key(), record, limit);
    check.expect_error(still, errc::conflict, "create_if_absent: no tombstone is shortened");
    co_await check.subject().pass(tombstone);
    const auto after = co_await store.create_if_absent(check.key(), record, limit);
    check.expect_success(after, "create_if_absent after the tombstone");
    const auto found = co_await store.load(check.key(), limit);
    check.expect_record(found, record, 1, "the next one");
    const auto without = co_await store.remove(check.key(), Duration::zero(), limit);
    check.expect_value(without, true, "remove without a tombstone");
    const auto at_once = co_await store.create_if_absent(check.key(), record, limit);
    check.expect_success(at_once, "create_if_absent where there is no tombstone");
    co_await store.remove(check.key(), Duration::zero(), limit);
}

asio::awaitable<void> tombstone_comes_first(Check& check)
{
    auto& store = check.store();
    const auto tombstone = 8 * check.step();
    const auto removed = co_await store.remove(check.key(), tombstone, limit);
    check.expect_value(removed, false, "remove of what was never there");
    const auto created =
        co_await store.create_if_absent(check.key(), StoreRecord("late", a_day), limit);
    check.expect_error(created, errc::conflict, "a creation that comes too late");
    co_await check.subject().pass(tombstone);
    const auto after =
        co_await store.create_if_absent(check.key(), StoreRecord("later", a_day), limit);
    check.expect_success(after, "create_if_absent after the tombstone");
    co_await store.remove(check.key(), Duration::zero(), limit);
}

/// Alice has three records, one of which was Bob's and one nobody's; Bob has another, and one that
/// was hers.
asio::awaitable<void> principals_own_their_records(Check& check)
{
    auto& store = check.store();
    const auto alice = check.principal(0);
    const auto bob = check.principal(1);
    const StoreRecord hers("hers", a_day, alice);
    const StoreRecord his("his", a_day, bob);
    const StoreRecord nobodys("nobody's", a_day);
    co_await store.create_if_absent(check.key(0), hers, limit);
    co_await store.create_if_absent(check.key(1), his, limit);
    co_await store.create_if_absent(check.key(2), nobodys, limit);
    co_await store.create_if_absent(check.key(3), his, limit);
    co_await store.create_if_absent(check.key(4), hers, limit);
    co_await store.create_if_absent(check.key(5), nobodys, limit);
    co_await store.create_if_absent(check.key(6), hers, limit);
    co_await store.save_if_version(check.key(1), 1, hers, limit);
    co_await store.save_if_version(check.key(2), 1, hers, limit);
    co_await store.save_if_version(check.key(4), 1, his, limit);
    co_await store.save_if_version(check.key(6), 1, nobodys, limit);

    const auto removed = co_await store.remove_by_principal(alice, a_day, limit);
    check.expect_value(removed, std::size_t{3}, "remove_by_principal");
    for (const std::size_t number : {0U, 1U, 2U}) {
        const auto gone = co_await store.load(check.key(number), limit);
        check.expect_error(gone, errc::not_found, "load of a record that was hers");
    }
    const auto created = co_await store.create_if_absent(check.key(0), hers, limit);
    check.expect_error(created, errc::conflict, "remove_by_principal leaves tombstones");
    const auto his_own = co_await store.load(check.key(3), limit);
    check.expect_record(his_own, his, 1, "one of his");
    const auto was_hers = co_await store.load(check.key(4), limit);
    check.expect_record(was_hers, his, 2, "one of his that was hers");
    const auto always_nobodys = co_await store.load(check.key(5), limit);
    check.expect_record(always_nobodys, nobodys, 1, "one of nobody's");
    const auto again = co_await store.remove_by_principal(alice, a_day, limit);
    check.expect_value(again, std::size_t{0}, "remove_by_principal again");
    const auto by_him = co_await store.remove_by_principal(bob, Duration::zero(), limit);
    check.expect_value(by_him, std::size_t{2}, "remove_by_principal of him");
    co_await store.remove(check.key(5), Duration::zero(), limit);
    co_await store.remove(check.key(6), Duration::zero(), limit);
}

asio::awaitable<void> scan_finds_all(Check& check)
{
    constexpr std::size_t count = 250;
    // A cursor that goes round in circles ends after so many pages.
    constexpr std::size_t most_pages = 100'000;
    auto& store = check.store();
    std::vector<StoreKey> expected;
    for (std::size_t i = 0; i < count; ++i) {
        co_await store.create_if_absent(check.key(i), StoreRecord("x", a_day), limit);
        if (i % 10 == 0) {
            co_await store.remove(check.key(i), a_day, limit);
        } else {
            expected.push_back(check.key(i));
        }
    }
    std::vector<StoreKey> found;
    std::string next;
    std::size_t pages = 0;
    do {
        const auto page = co_await store.scan(next, 20, limit);
        if (page.has_error()) {
            check.report(fmt::format("scan: '{}'", page.error().message()));
            break;
        }
        found.insert(found.end(), page->keys.begin(), page->keys.end());
        next = page->next;
    } while (!next.empty() && ++pages < most_pages);
    check.expect(pages < most_pages, "a scan that ends");
    std::ranges::sort(found);
    const auto is_found = [&found](const StoreKey& key) {
        return std::ranges::binary_search(found, key);
    };
    const auto missing =
        expected.size() - static_cast<std::size_t>(std::ranges::count_if(expected, is_found));
    check.expect(missing == 0, fmt::format("{} records on pages, {} are missing", count, missing));
    for (std::size_t i = 0; i < count; i += 10) {
        check.expect(!is_found(check.key(i)), "no removed record on a page");
    }
    for (const auto& key : expected) {
        co_await store.remove(key, Duration::zero(), limit);
    }
}

/// Begins calls that nobody awaits, and cancels them as soon as they wait.
class CancelledCalls {
public:
    explicit CancelledCalls(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    void load(SessionStore& store, StoreKey key)
    {
        // Where the call goes on and where it is cancelled, so that they do not race.
        const auto strand = asio::make_strand(executor_);
        under_way_->fetch_add(1);
        asio::post(strand, [strand, &store, key, under_way = under_way_] {
            const auto signal = std::make_shared<asio::cancellation_signal>();
            const auto done = [signal, under_way](const std::exception_ptr&, const auto&) {
                under_way->fetch_sub(1);
            };
            asio::co_spawn(
                strand, store.load(key, limit), asio::bind_cancellation_slot(signal->slot(), done)
            );
            signal->emit(asio::cancellation_type::terminal);
        });
    }

    [[nodiscard]] bool are_under_way() const noexcept { return under_way_->load() > 0; }

private:
    asio::any_io_executor executor_;
    std::shared_ptr<std::atomic<std::size_t>> under_way_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

asio::awaitable<void> answers_are_ones_own(Check& check)
{
    const auto executor = co_await asio::this_coro::executor;
    CancelledCalls cancelled(executor);
    auto& store = check.store();
    std::vector<StoreRecord> records;
    for (std::size_t i = 0; i < crowd; ++i) {
        records.emplace_back(fmt::format("record {}", i), a_day);
        co_await store.create_if_absent(check.key(i), records[i], limit);
    }
    for (std::size_t round = 0; round < 8; ++round) {
        for (std::size_t i = 0; i < crowd; ++i) {
            cancelled.load(store, check.key((i + round) % crowd));
            const auto loaded = co_await store.load(check.key(i), limit);
            check.expect_record(loaded, records[i], 1, "behind a call that was cancelled");
        }
    }
    while (cancelled.are_under_way()) {
        co_await asio::post(executor, asio::use_awaitable);
        co_await check.subject().pass(check.step());
    }
    for (std::size_t i = 0; i < crowd; ++i) {
        co_await store.remove(check.key(i), Duration::zero(), limit);
    }
}

struct NamedCheck {
    std::string_view name;
    asio::awaitable<void> (*run)(Check&);
};

constexpr std::array checks = {
    NamedCheck{"an absent record is not found", absent_is_not_found},
    NamedCheck{"a record is kept as it was", is_kept_as_it_was},
    NamedCheck{"a record is created once", is_created_once},
    NamedCheck{"a save needs the version", save_needs_the_version},
    NamedCheck{"one of many creations succeeds", one_of_many_creates},
    NamedCheck{"one of many saves succeeds", one_of_many_saves},
    NamedCheck{"a record ends with its time", ends_with_its_time},
    NamedCheck{"a touch begins its time anew", touch_begins_its_time_anew},
    NamedCheck{"a save begins its time anew", save_begins_its_time_anew},
    NamedCheck{"a removed record stays removed", removed_stays_removed},
    NamedCheck{"a tombstone stops a creation that comes late", tombstone_comes_first},
    NamedCheck{"principals own their records", principals_own_their_records},
    NamedCheck{"a scan finds all", scan_finds_all},
    NamedCheck{"answers are one's own", answers_are_ones_own},
};

constexpr auto names = [] {
    std::array<std::string_view, checks.size()> all{};
    std::ranges::transform(checks, all.begin(), &NamedCheck::name);
    return all;
}();

} // namespace

std::span<const std::string_view> store_checks() noexcept
{
    return names;
}

asio::awaitable<std::vector<StoreFinding>>
check_store(StoreUnderTest& subject, std::string_view check)
{
    const auto* const named = std::ranges::find(checks, check, &NamedCheck::name);
    if (named == checks.end()) {
        co_return std::vector{StoreFinding{check, "there is no such check"}};
    }
    Check running(subject, named->name);
    try {
        co_await named->run(running);
    } catch (const std::exception& failure) {
        running.report(fmt::format("threw: {}", failure.what()));
    }
    co_return std::move(running).findings();
}

asio::awaitable<std::vector<StoreFinding>> check_store(StoreUnderTest& subject)
{
    std::vector<StoreFinding> all;
    for (const auto name : names) {
        auto found = co_await check_store(subject, name);
        std::ranges::move(found, std::back_inserter(all));
    }
    co_return all;
}

} // namespace sojourn::testing
