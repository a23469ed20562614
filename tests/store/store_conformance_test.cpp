// Whether the suite finds what is wrong with a store: each check has a store here that fails it,
// and is right in all else.

#include "sojourn/testing/store_conformance.hpp"
#include "store/manual_store.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace asio = boost::asio;

namespace {

/// Passes everything on.
class Forwarding : public SessionStore {
public:
    explicit Forwarding(SessionStore& store) : store_(store) {}

    asio::awaitable<Result<VersionedRecord>> load(StoreKey key, Duration limit) override
    {
        return store_.load(key, limit);
    }

    asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) override
    {
        return store_.create_if_absent(key, std::move(record), limit);
    }

    asio::awaitable<Result<std::uint64_t>> save_if_version(
        StoreKey key, std::uint64_t expected, StoreRecord record, Duration limit
    ) override
    {
        return store_.save_if_version(key, expected, std::move(record), limit);
    }

    asio::awaitable<Result<void>>
    touch_if_present(StoreKey key, Duration time_to_live, Duration limit) override
    {
        return store_.touch_if_present(key, time_to_live, limit);
    }

    asio::awaitable<Result<bool>> remove(StoreKey key, Duration tombstone, Duration limit) override
    {
        return store_.remove(key, tombstone, limit);
    }

    asio::awaitable<Result<std::size_t>>
    remove_by_principal(StoreKey principal, Duration tombstone, Duration limit) override
    {
        return store_.remove_by_principal(principal, tombstone, limit);
    }

    asio::awaitable<Result<StorePage>>
    scan(std::string after, std::size_t count, Duration limit) override
    {
        return store_.scan(std::move(after), count, limit);
    }

protected:
    [[nodiscard]] SessionStore& inner() const noexcept { return store_; }

private:
    SessionStore& store_;
};

/// Takes what is not there for what cannot be asked.
class TakesAbsenceForAnOutage final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<void>> touch_if_present(StoreKey, Duration, Duration) override
    {
        co_return errc::store_unavailable;
    }
};

class ReadsTextToItsFirstZero final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) override
    {
        record.payload = record.payload.c_str(); // NOLINT(readability-redundant-string-cstr)
        co_return co_await inner().create_if_absent(key, std::move(record), limit);
    }
};

class CreatesOverWhatIsThere final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) override
    {
        const auto found = co_await inner().load(key, limit);
        if (found) {
            co_await inner().remove(key, 0s, limit);
        }
        co_return co_await inner().create_if_absent(key, std::move(record), limit);
    }
};

class LastSaveWins final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<std::uint64_t>>
    save_if_version(StoreKey key, std::uint64_t, StoreRecord record, Duration limit) override
    {
        const auto found = co_await inner().load(key, limit);
        const auto version = found ? found->version : 1;
        co_return co_await inner().save_if_version(key, version, std::move(record), limit);
    }
};

/// Looks, lets others run, and then writes.
class LooksBeforeItCreates final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) override
    {
        const auto found = co_await inner().load(key, limit);
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        const auto created = co_await inner().create_if_absent(key, std::move(record), limit);
        if (found.has_value()) {
            co_return errc::conflict;
        }
        const auto there = co_await inner().load(key, limit);
        if (there.has_value()) {
            co_return Result<void>();
        }
        co_return created;
    }
};

class LooksBeforeItSaves final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<std::uint64_t>> save_if_version(
        StoreKey key, std::uint64_t expected, StoreRecord record, Duration limit
    ) override
    {
        const auto found = co_await inner().load(key, limit);
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        if (!found || found->version != expected) {
            co_return co_await inner().save_if_version(key, expected, std::move(record), limit);
        }
        const auto now = co_await inner().load(key, limit);
        const auto version = now ? now->version : expected;
        co_return co_await inner().save_if_version(key, version, std::move(record), limit);
    }
};

class KeepsForEver final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<void>>
    create_if_absent(StoreKey key, StoreRecord record, Duration limit) override
    {
        record.time_to_live = 24h;
        co_return co_await inner().create_if_absent(key, std::move(record), limit);
    }
};

class DoesNotTouch final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<void>> touch_if_present(StoreKey key, Duration, Duration limit) override
    {
        const auto found = co_await inner().load(key, limit);
        if (found.has_error()) {
            co_return found.error();
        }
        co_return Result<void>();
    }
};

/// A save leaves one member of the record as it was.
template <auto Member>
class SavesKeep final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<std::uint64_t>> save_if_version(
        StoreKey key, std::uint64_t expected, StoreRecord record, Duration limit
    ) override
    {
        const auto found = co_await inner().load(key, limit);
        if (found.has_value()) {
            record.*Member = found->record.*Member;
        }
        co_return co_await inner().save_if_version(key, expected, std::move(record), limit);
    }
};

class LeavesNoTombstone final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<bool>> remove(StoreKey key, Duration, Duration limit) override
    {
        co_return co_await inner().remove(key, 0s, limit);
    }
};

class BuriesOnlyWhatWasThere final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<bool>> remove(StoreKey key, Duration tombstone, Duration limit) override
    {
        const auto found = co_await inner().load(key, limit);
        if (found.has_error()) {
            co_return false;
        }
        co_return co_await inner().remove(key, tombstone, limit);
    }
};

class ForgetsTheLastOfAPage final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<StorePage>>
    scan(std::string after, std::size_t count, Duration limit) override
    {
        auto page = co_await inner().scan(std::move(after), count, limit);
        if (page.has_value() && !page->keys.empty()) {
            page->keys.pop_back();
        }
        co_return page;
    }
};

class ScansForEver final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<StorePage>> scan(std::string, std::size_t, Duration) override
    {
        StorePage page;
        page.next = "again";
        co_return page;
    }
};

/// A call that is cancelled leaves its answer to the next one.
class MixesUpAnswers final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<VersionedRecord>> load(StoreKey key, Duration limit) override
    {
        try {
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            const auto asked = std::exchange(left_behind_, std::nullopt).value_or(key);
            co_return co_await inner().load(asked, limit);
        } catch (const boost::system::system_error&) {
            left_behind_ = key;
            throw;
        }
    }

private:
    std::optional<StoreKey> left_behind_;
};

class Throws final : public Forwarding {
public:
    using Forwarding::Forwarding;

    asio::awaitable<Result<VersionedRecord>> load(StoreKey, Duration) override
    {
        throw std::runtime_error("out of order");
    }
};

class BrokenStore final : public ManualStore {
public:
    using Break = std::function<std::unique_ptr<SessionStore>(SessionStore&)>;

    BrokenStore(const asio::any_io_executor& executor, const Break& make_broken)
        : ManualStore(executor), broken_(make_broken(ManualStore::store()))
    {
    }

    [[nodiscard]] SessionStore& store() override { return *broken_; }

private:
    std::unique_ptr<SessionStore> broken_;
};

template <class T>
BrokenStore::Break broken_as()
{
    return [](SessionStore& store) { return std::make_unique<T>(store); };
}

struct Fault {
    std::string_view check;
    BrokenStore::Break make_broken;
};

std::vector<Fault> faults()
{
    return {
        {"an absent record is not found", broken_as<TakesAbsenceForAnOutage>()},
        {"a record is kept as it was", broken_as<ReadsTextToItsFirstZero>()},
        {"a record is created once", broken_as<CreatesOverWhatIsThere>()},
        {"a save needs the version", broken_as<LastSaveWins>()},
        {"one of many creations succeeds", broken_as<LooksBeforeItCreates>()},
        {"one of many saves succeeds", broken_as<LooksBeforeItSaves>()},
        {"a record ends with its time", broken_as<KeepsForEver>()},
        {"a touch begins its time anew", broken_as<DoesNotTouch>()},
        {"a save begins its time anew", broken_as<SavesKeep<&StoreRecord::time_to_live>>()},
        {"a removed record stays removed", broken_as<LeavesNoTombstone>()},
        {"a tombstone stops a creation that comes late", broken_as<BuriesOnlyWhatWasThere>()},
        {"principals own their records", broken_as<SavesKeep<&StoreRecord::principal>>()},
        {"a scan finds all", broken_as<ForgetsTheLastOfAPage>()},
        {"a scan finds all", broken_as<ScansForEver>()},
        {"answers are one's own", broken_as<MixesUpAnswers>()},
        {"a record is kept as it was", broken_as<Throws>()},
    };
}

} // namespace

TEST_CASE("store_conformance: each check finds a store that is broken there", "[store]")
{
    std::set<std::string_view> failed;
    for (const auto& fault : faults()) {
        asio::io_context context;
        BrokenStore subject(context.get_executor(), fault.make_broken);
        const auto findings = run_coro(context, testing::check_store(subject, fault.check));
        CAPTURE(fault.check);
        CHECK(!findings.empty());
        for (const auto& finding : findings) {
            CHECK(finding.check == fault.check);
            CHECK(!finding.text.empty());
        }
        failed.insert(fault.check);
    }
    for (const auto check : testing::store_checks()) {
        CAPTURE(check);
        CHECK(failed.contains(check));
    }
}

TEST_CASE("store_conformance: a check that does not exist is a finding", "[store]")
{
    asio::io_context context;
    ManualStore subject(context.get_executor());
    const auto findings = run_coro(context, testing::check_store(subject, "nothing"));
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].text == "there is no such check");
}
