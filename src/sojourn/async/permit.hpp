/// @file
/// A permit of an `AsyncSemaphore`: the right to do what the semaphore limits, for as long as this
/// lives.

#ifndef SOJOURN_ASYNC_PERMIT_HPP
#define SOJOURN_ASYNC_PERMIT_HPP

#include <memory>
#include <utility>

namespace sojourn {

class SemaphoreState;

/// A permit, or nothing when default constructed, moved from or released.
///
/// *Thread safety*: one coroutine at a time; the release may happen in any thread. *Lifetime*: may
/// outlive the semaphore and its execution context.
class Permit {
public:
    Permit() noexcept = default;

    Permit(Permit&& other) noexcept : state_(std::move(other.state_)) {}

    Permit& operator=(Permit&& other) noexcept
    {
        if (this != &other) {
            release();
            state_ = std::move(other.state_);
        }
        return *this;
    }

    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;

    /// Releases.
    ~Permit() { release(); }

    /// Whether it is one.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

    /// Gives the permit back, to whoever has waited longest. Needs no memory, waits for nothing,
    /// fails never; does nothing if there is nothing to give back. It may be called where nothing
    /// else may: in a destructor, while a coroutine's frame is destroyed, at shutdown. Whoever gets
    /// the permit is completed by `post`, so that none of his code runs inside this call. (If there
    /// is no memory to post with, his handler is destroyed, and the permit goes on to the next.)
    void release() noexcept
    {
        if (state_) {
            give_back();
        }
    }

private:
    friend class SemaphoreState;

    explicit Permit(std::shared_ptr<SemaphoreState> state) noexcept : state_(std::move(state)) {}

    void give_back() noexcept;

    std::shared_ptr<SemaphoreState> state_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_PERMIT_HPP
