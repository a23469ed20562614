// Confines a value that many coroutines share, on a pool of threads, without a lock. It needs
// nothing else of sojourn: `Confined<T>` serves any state.

#include <sojourn/async/confined.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace {

// [confined]
// An ordinary class: it knows of no threads, and its tests need none.
class Poll {
public:
    void vote(const std::string& name) { ++votes_[name]; }

    [[nodiscard]] int votes(const std::string& name) const
    {
        return votes_.contains(name) ? votes_.at(name) : 0;
    }

private:
    std::map<std::string, int> votes_;
};

asio::awaitable<void> vote_often(sojourn::Confined<Poll>& poll, std::string name, int times)
{
    for (int i = 0; i < times; ++i) {
        // Runs alone with the poll. This coroutine goes on where it was, outside of it.
        auto turn = [&name](Poll& inside) { inside.vote(name); };
        co_await poll.call(turn);
    }
}

// [/confined]

} // namespace

int main()
{
    constexpr int voters = 8;
    constexpr int times = 1000;

    asio::thread_pool threads(4);
    sojourn::Confined<Poll> poll(threads.get_executor());

    std::vector<std::future<void>> votings;
    for (int i = 0; i < voters; ++i) {
        const auto* const name = i % 2 == 0 ? "tea" : "coffee";
        votings.push_back(asio::co_spawn(threads, vote_often(poll, name, times), asio::use_future));
    }
    for (auto& voting : votings) {
        voting.get();
    }

    // [async_call]
    // Outside a coroutine, any completion token will do.
    auto count = [](Poll& inside) {
        return std::pair(inside.votes("tea"), inside.votes("coffee"));
    };
    const auto [tea, coffee] = poll.async_call(count, asio::use_future).get();
    // [/async_call]

    const auto calls = poll.counts();
    std::cout << "tea " << tea << ", coffee " << coffee << "; calls that ran at once "
              << calls.ran_inline << ", in another's turn " << calls.combined
              << ", after a suspension " << calls.suspended << '\n';
    return tea == voters / 2 * times && coffee == tea ? EXIT_SUCCESS : EXIT_FAILURE;
}
