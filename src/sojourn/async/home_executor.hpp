/// @file
/// Private header. An executor that is known to be gone once its execution context is.

#ifndef SOJOURN_ASYNC_HOME_EXECUTOR_HPP
#define SOJOURN_ASYNC_HOME_EXECUTOR_HPP

#include "sojourn/async/shutdown_hook.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/query.hpp>

namespace sojourn {

/// The executor for as long as there is one.
///
/// *Thread safety*: all members, any thread, but while the context is destroyed.
class HomeExecutor final : private ShutdownHook {
public:
    explicit HomeExecutor(const boost::asio::any_io_executor& executor)
        : ShutdownHook(boost::asio::query(executor, boost::asio::execution::context)),
          executor_(executor)
    {
    }

    /// *Exceptions*: `boost::asio::execution::bad_executor`.
    [[nodiscard]] const boost::asio::any_io_executor& get() const
    {
        if (!executor_) {
            throw boost::asio::execution::bad_executor();
        }
        return executor_;
    }

private:
    void on_context_shutdown() noexcept override { executor_ = boost::asio::any_io_executor(); }

    boost::asio::any_io_executor executor_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_HOME_EXECUTOR_HPP
