/// @file
/// Runs code that is not ours and survives whatever it throws.

#ifndef SOJOURN_ASYNC_EXCEPTION_BARRIER_HPP
#define SOJOURN_ASYNC_EXCEPTION_BARRIER_HPP

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace sojourn {

/// Told of each exception that was survived: where, and what. Called from whatever thread met it;
/// what it throws itself is swallowed.
using FailureReporter = std::function<void(std::string_view where, std::exception_ptr what)>;

/// Counts and reports what is thrown across it.
///
/// *Thread safety*: all members, any thread, if the reporter allows it.
class ExceptionBarrier {
public:
    /// `where` names the barrier in reports.
    explicit ExceptionBarrier(std::string where, FailureReporter report = {});

    /// Runs the coroutine that `make` returns. True if it came back without an exception of any
    /// type. `make` itself may throw too.
    template <class Make>
    [[nodiscard]] boost::asio::awaitable<bool> run(Make make)
    {
        try {
            co_await make();
            co_return true;
        } catch (...) {
            caught(std::current_exception());
        }
        co_return false;
    }

    /// Exceptions survived so far.
    [[nodiscard]] std::uint64_t failures() const noexcept
    {
        return failures_.load(std::memory_order_relaxed);
    }

    /// Counts and reports an exception that was caught by hand.
    void caught(std::exception_ptr failure) noexcept;

private:
    std::string where_;
    FailureReporter report_;
    std::atomic<std::uint64_t> failures_{0};
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_EXCEPTION_BARRIER_HPP
