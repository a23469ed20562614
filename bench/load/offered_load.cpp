#include "load/offered_load.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace asio = boost::asio;

namespace sojourn::bench {

namespace {

using Seconds = std::chrono::duration<double>;

/// Requests that are begun in a row, if that many are late, before others get their turn.
constexpr std::uint64_t burst = 64;

double nanoseconds(Duration length)
{
    return std::chrono::duration<double, std::nano>(length).count();
}

} // namespace

Answers& Answers::operator+=(const Answers& other)
{
    offered += other.offered;
    served += other.served;
    served_in_time += other.served_in_time;
    shed += other.shed;
    failed += other.failed;
    latency += other.latency;
    return *this;
}

OfferedLoad::OfferedLoad(
    const asio::any_io_executor& executor,
    SimulatedServer& server,
    Duration mean_work,
    Period period,
    std::uint64_t seed
)
    : server_(server),
      period_(period),
      requests_(executor),
      random_(seed),
      user_(0, server.user_count() - 1),
      work_ns_(nanoseconds(mean_work) / 2, nanoseconds(longest_work(mean_work)))
{
}

asio::awaitable<Answers> OfferedLoad::open(double requests_per_second)
{
    std::exponential_distribution<double> gap(requests_per_second);
    const auto draw_gap = [&] {
        return std::chrono::duration_cast<Stopwatch::duration>(Seconds(gap(random_)));
    };
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (auto arrival = period_.begin + draw_gap(); arrival < period_.end; arrival += draw_gap()) {
        if (arrival > Stopwatch::now()) {
            timer.expires_at(arrival);
            co_await timer.async_wait(asio::use_awaitable);
        } else if (answers_.offered % burst == 0) {
            co_await asio::post(asio::use_awaitable);
        }
        requests_.start(request(arrival));
    }
    co_await requests_.join();
    co_return answers_;
}

asio::awaitable<Answers> OfferedLoad::closed(std::size_t clients)
{
    for (std::size_t i = 0; i < clients; ++i) {
        requests_.start(client());
    }
    co_await requests_.join();
    co_return answers_;
}

asio::awaitable<void> OfferedLoad::client()
{
    for (auto now = Stopwatch::now(); now < period_.end; now = Stopwatch::now()) {
        co_await request(now);
    }
}

asio::awaitable<void> OfferedLoad::request(Stopwatch::time_point arrival)
{
    ++answers_.offered;
    const auto answer = co_await server_.serve(user_(random_), draw_work());
    const auto now = Stopwatch::now();
    switch (answer) {
    case Answer::served:
        ++answers_.served;
        answers_.served_in_time += now < period_.end ? 1U : 0U;
        answers_.latency.add(now - arrival);
        break;
    case Answer::shed:
        ++answers_.shed;
        break;
    case Answer::failed:
        ++answers_.failed;
        break;
    }
}

Duration OfferedLoad::draw_work()
{
    const std::chrono::duration<double, std::nano> length(work_ns_(random_));
    return std::chrono::duration_cast<Duration>(length);
}

} // namespace sojourn::bench
