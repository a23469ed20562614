/// @file
/// A store whose time stands still, for the conformance suite.

#ifndef SOJOURN_TESTS_STORE_MANUAL_STORE_HPP
#define SOJOURN_TESTS_STORE_MANUAL_STORE_HPP

#include <sojourn/store/memory_store.hpp>
#include <sojourn/testing/manual_clock.hpp>
#include <sojourn/testing/store_conformance.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace sojourn::tests {

class ManualStore : public testing::StoreUnderTest {
public:
    explicit ManualStore(
        const boost::asio::any_io_executor& executor,
        const MemoryStoreOptions& options = MemoryStoreOptions()
    )
        : memory_(executor, options, clock_)
    {
    }

    [[nodiscard]] SessionStore& store() override { return memory_; }

    [[nodiscard]] boost::asio::awaitable<void> pass(Duration length) override
    {
        clock_->advance(length);
        co_return;
    }

    [[nodiscard]] Duration step() const noexcept override { return std::chrono::seconds(1); }

private:
    std::shared_ptr<testing::ManualClock> clock_ = std::make_shared<testing::ManualClock>();
    MemoryStore memory_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_STORE_MANUAL_STORE_HPP
