/// @file
/// Whether a store keeps the contract of `SessionStore`: what each store of sojourn is tested with,
/// for yours too.

#ifndef SOJOURN_TESTING_STORE_CONFORMANCE_HPP
#define SOJOURN_TESTING_STORE_CONFORMANCE_HPP

#include "sojourn/core/time.hpp"
#include "sojourn/store/session_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::testing {

/// A store that is looked at, and the time that it measures.
class StoreUnderTest {
public:
    StoreUnderTest() = default;
    StoreUnderTest(const StoreUnderTest&) = delete;
    StoreUnderTest& operator=(const StoreUnderTest&) = delete;
    StoreUnderTest(StoreUnderTest&&) = delete;
    StoreUnderTest& operator=(StoreUnderTest&&) = delete;
    virtual ~StoreUnderTest() = default;

    /// Always the same store. Others may use it too, but for `scan`, which then takes longer: every
    /// check has keys of its own, and leaves nothing that a later one could find.
    [[nodiscard]] virtual SessionStore& store() = 0;

    /// Lets so much time go by for the store, and no more than a half of it too much.
    [[nodiscard]] virtual boost::asio::awaitable<void> pass(Duration length) = 0;

    /// The shortest time after which the store shall have noticed that something is gone: a second
    /// on a clock that is moved by hand; on a real one, as short as its operations are sure to be.
    [[nodiscard]] virtual Duration step() const noexcept = 0;
};

/// Something in which a store does not keep the contract.
struct StoreFinding {
    /// One of `store_checks`.
    std::string_view check;
    /// What was expected, and what was found.
    std::string text;
};

/// The names of the checks, in their order.
[[nodiscard]] std::span<const std::string_view> store_checks() noexcept;

/// Runs one check on the coroutine's executor, and gives what it found; nothing if all is well. One
/// that throws has found that. *Errors*: a check that is none is a finding too.
[[nodiscard]] boost::asio::awaitable<std::vector<StoreFinding>>
check_store(StoreUnderTest& subject, std::string_view check);

/// Runs all of them, one after the other.
[[nodiscard]] boost::asio::awaitable<std::vector<StoreFinding>> check_store(StoreUnderTest& subject
);

} // namespace sojourn::testing

#endif // SOJOURN_TESTING_STORE_CONFORMANCE_HPP
