#include "shared/run_in_threads.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace examples {

void run_in_threads(boost::asio::io_context& context, unsigned count)
{
    std::vector<std::jthread> others;
    try {
        for (unsigned i = 1; i < count; ++i) {
            others.emplace_back([&context] { context.run(); });
        }
    } catch (const std::exception& error) {
        // Or those that did start would go on serving, and never be joined.
        context.stop();
        throw std::runtime_error(
            "cannot start --threads " + std::to_string(count) + ": " + error.what()
        );
    }
    context.run();
}

} // namespace examples
