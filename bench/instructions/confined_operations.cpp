#include "counted.hpp"
#include "operations.hpp"
#include "run.hpp"
#include "sojourn/async/confined.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace sojourn::instructions {

namespace {

namespace asio = boost::asio;
using Visits = std::unordered_map<std::uint64_t, std::uint64_t>;

asio::awaitable<std::uint64_t> count_visits(Confined<Visits>& visits)
{
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < operation_count; ++i) {
        const auto key = i % session_count;
        const auto increment = [key](Visits& map) { return ++map.find(key)->second; };
        sum += co_await visits.call(increment);
    }
    co_return sum;
}

} // namespace

std::size_t confined_call()
{
    Visits none;
    for (std::uint64_t key = 0; key < session_count; ++key) {
        none.emplace(key, 0);
    }
    asio::io_context context;
    Confined<Visits> visits(context.get_executor(), std::move(none));

    std::uint64_t sum = 0;
    sojourn_counted([&] { sum = run(context, count_visits(visits)); });
    // Each key once to 1, once to 2.
    if (sum != session_count * 3) {
        throw std::logic_error("the visits were not counted");
    }
    return operation_count;
}

} // namespace sojourn::instructions
