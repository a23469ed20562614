/// @file
/// Private header. Tells an object that the execution context it works on is being destroyed, so
/// that it can let go of what must not outlive the context: timers, strands, queued completion
/// handlers. This is what lets a context and the objects that use it be destroyed in either order.

#ifndef SOJOURN_ASYNC_SHUTDOWN_HOOK_HPP
#define SOJOURN_ASYNC_SHUTDOWN_HOOK_HPP

#include <boost/asio/execution_context.hpp>

namespace sojourn {

class ShutdownRegistry;

/// Base of what wants to know.
///
/// *Thread safety*: hooks may be made and destroyed from any thread, as long as their context is
/// not being destroyed meanwhile.
class ShutdownHook {
public:
    ShutdownHook(const ShutdownHook&) = delete;
    ShutdownHook& operator=(const ShutdownHook&) = delete;
    ShutdownHook(ShutdownHook&&) = delete;
    ShutdownHook& operator=(ShutdownHook&&) = delete;

protected:
    explicit ShutdownHook(boost::asio::execution_context& context);
    ~ShutdownHook();

private:
    friend class ShutdownRegistry;

    /// Called once, by the context's destructor, when nothing runs on the context any more.
    virtual void on_context_shutdown() noexcept = 0;

    ShutdownRegistry* registry_;
    ShutdownHook* previous_ = nullptr;
    ShutdownHook* next_ = nullptr;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_SHUTDOWN_HOOK_HPP
