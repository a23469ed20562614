/// @file
/// All that a service can be asked for, in one table, so that a sweep leaves nothing out.

#ifndef SOJOURN_TESTS_FAULTS_OPERATIONS_HPP
#define SOJOURN_TESTS_FAULTS_OPERATIONS_HPP

#include "faults/world.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn::tests {

/// What came of an operation. Kept by whatever can still bring it to an end.
struct Attempt {
    bool is_done = false;
    Error error;
};

/// A completion handler that notes the error, and then does what it is told to.
class Noting {
public:
    explicit Noting(std::shared_ptr<Attempt> attempt, std::function<void()> then = nullptr)
        : attempt_(std::move(attempt)), then_(std::move(then))
    {
    }

    template <class T>
    void operator()(const Result<T>& result) const
    {
        attempt_->is_done = true;
        attempt_->error = result.error();
        if (then_) {
            then_();
        }
    }

private:
    std::shared_ptr<Attempt> attempt_;
    std::function<void()> then_;
};

/// One of the things that a service can be asked for, or that it does by itself.
struct Operation {
    using Options = ServiceOptions (*)(std::size_t shards);
    using Call = std::function<boost::asio::awaitable<Error>(World&)>;
    using Start = std::function<void(World&, Noting)>;
    using Step = void (*)(World&);

    std::string_view name;
    Options options = &small_options;
    /// For a coroutine; none if it happens by itself.
    Call call;
    /// For a handler; none if it has no such face.
    Start start;
    /// What is done to the world before.
    Step prepare = nullptr;
    /// What ends the wait of an operation that waits. Takes no memory of its own.
    Step end = nullptr;
    /// What it comes to if nothing fails.
    Error expected;
    Step check = [](World& world) { world.check_sound(); };

    // To write the table with.

    Operation& with(Options made) noexcept
    {
        options = made;
        return *this;
    }

    Operation& after(Step step) noexcept
    {
        prepare = step;
        return *this;
    }

    Operation& ended_by(Step step) noexcept
    {
        end = step;
        return *this;
    }

    Operation& giving(Error error) noexcept
    {
        expected = error;
        return *this;
    }

    Operation& then(Step step) noexcept
    {
        check = step;
        return *this;
    }
};

/// Every public operation of a service, in the order of session_service.hpp, with the ways it can
/// go; then those of its leases; then what it does by itself. A new one belongs in here: the sweeps
/// of allocations and of exceptions go through this table and no other.
///
/// Not in it: construction and destruction, which have tests of their own, and what needs no memory
/// and cannot wait (`options`, `state`, `info`, the release of a lease).
[[nodiscard]] std::vector<Operation> all_operations();

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FAULTS_OPERATIONS_HPP
