#include "support/context_threads.hpp"

namespace sojourn::tests {

ContextThreads::ContextThreads(boost::asio::io_context& context, std::size_t count)
    : context_(context), work_(context.get_executor())
{
    context.restart();
    for (std::size_t i = 0; i < count; ++i) {
        threads_.emplace_back([&context] { context.run(); });
    }
}

ContextThreads::~ContextThreads()
{
    context_.stop();
    join();
}

void ContextThreads::finish()
{
    work_.reset();
    join();
}

void ContextThreads::join()
{
    for (auto& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

} // namespace sojourn::tests
