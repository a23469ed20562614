#include "sojourn/async/shutdown_hook.hpp"

#include <mutex>
#include <utility>

namespace sojourn {

/// The hooks of one context. A mutex guards the list: it is taken when a service is made or
/// destroyed, never when one is used.
class ShutdownRegistry final : public boost::asio::execution_context::service {
public:
    using key_type = ShutdownRegistry;
    static inline boost::asio::execution_context::id id;

    explicit ShutdownRegistry(boost::asio::execution_context& context) : service(context) {}

    void add(ShutdownHook& hook)
    {
        const std::lock_guard guard(mutex_);
        hook.next_ = std::exchange(first_, &hook);
        if (hook.next_ != nullptr) {
            hook.next_->previous_ = &hook;
        }
    }

    void remove(ShutdownHook& hook) noexcept
    {
        const std::lock_guard guard(mutex_);
        (hook.previous_ != nullptr ? hook.previous_->next_ : first_) = hook.next_;
        if (hook.next_ != nullptr) {
            hook.next_->previous_ = hook.previous_;
        }
    }

private:
    void shutdown() noexcept override
    {
        // A hook may destroy others when told, so each is taken off the list before.
        while (auto* const hook = first_) {
            remove(*hook);
            hook->registry_ = nullptr;
            hook->on_context_shutdown();
        }
    }

    std::mutex mutex_;
    ShutdownHook* first_ = nullptr;
};

ShutdownHook::ShutdownHook(boost::asio::execution_context& context)
    : registry_(&boost::asio::use_service<ShutdownRegistry>(context))
{
    registry_->add(*this);
}

ShutdownHook::~ShutdownHook()
{
    if (registry_ != nullptr) {
        registry_->remove(*this);
    }
}

} // namespace sojourn
