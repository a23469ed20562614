#include "demo.hpp"

#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/ip/address_v4.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

namespace http_sessions {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using sojourn::RemovalCause;
using sojourn::http_server::as_result;

namespace {

/// How long the visitors stay when all goes well.
constexpr auto usual_visit = 7s;
/// How long they stay at most, on a machine so slow that the table has not filled up by then.
constexpr auto longest_visit = 30s;
/// What is kept of the whole time for telling, stopping and a look at the end.
constexpr auto reserve = 800ms;

} // namespace

ServerOptions demo_server_options(const DemoOptions& options)
{
    ServerOptions server;
    server.listen = {asio::ip::address_v4::loopback(), options.port};
    server.service.max_sessions(400).max_half_open(320);
    // More than there are visitors, so that nobody waits for others.
    server.service.max_in_flight(100);
    // Ten times what a person can do, a tenth of what the hasty one does.
    server.service.request_rate(sojourn::RateLimit(20, 20));
    // Who has just made a session with curl may read on before using it.
    server.service.half_open_timeout(15min);
    return server;
}

Demo::Demo(
    const asio::any_io_executor& executor,
    const DemoOptions& options,
    Server& server,
    sojourn::SessionService& service,
    AdminAddresses admin,
    std::ostream& out,
    Display display
)
    : options_(options),
      server_(server),
      service_(service),
      admin_(std::move(admin)),
      out_(out),
      visitors_(executor, server.endpoint()),
      dashboard_(out, display, service.options().max_sessions()),
      pause_(executor)
{
}

asio::awaitable<void> Demo::run()
{
    server_.start();
    out_ << "listening on " << server_.endpoint() << "\nwatch it in a browser: " << admin_.console
         << "\n\n"
         << std::flush;

    co_await watch_visitors();
    judge();
    if (!is_interrupted_) {
        tell();
        co_await wait_until(options_.length ? start_ + *options_.length : Clock::time_point::max());
    }
    co_await stop();
}

void Demo::interrupt()
{
    is_interrupted_ = true;
    pause_.cancel();
}

asio::awaitable<void> Demo::watch_visitors()
{
    visitors_.arrive();
    while (!shall_visitors_leave()) {
        co_await wait_until(Clock::now() + 100ms);
        co_await take_sample();
        show_sample();
    }
    visitors_.ask_to_leave();
    while (!visitors_.have_left()) {
        // A wait of its own: an interrupt ends the others at once, and would make this one spin.
        asio::steady_timer moment(pause_.get_executor(), 10ms);
        co_await moment.async_wait(as_result);
    }
    co_await take_sample();
    show_sample();
}

asio::awaitable<void> Demo::take_sample()
{
    const auto metrics = co_await service_.metrics();
    if (!metrics) {
        failures_.push_back("no metrics: " + metrics.error().message());
        co_return;
    }
    metrics_ = *metrics;
    ++samples_;
    if (!metrics_.ledger_holds()) {
        failures_.emplace_back("the ledger does not hold");
    }
}

void Demo::show_sample()
{
    dashboard_.show(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_), metrics_
    );
}

/// Waits for a moment, or for an interrupt.
asio::awaitable<void> Demo::wait_until(Clock::time_point moment)
{
    if (!is_interrupted_) {
        pause_.expires_at(moment);
        co_await pause_.async_wait(as_result);
    }
}

bool Demo::has_seen_everything() const
{
    const auto& tally = visitors_.tally();
    return tally.created > 0 && tally.touched > 0 && tally.rate_limited > 0 && tally.shed > 0 &&
           metrics_.removed_by(RemovalCause::evicted) > 0 &&
           metrics_.removed_by(RemovalCause::expired_idle) > 0;
}

bool Demo::shall_visitors_leave() const
{
    const auto time = Clock::now() - start_;
    const Clock::duration most =
        options_.length ? std::min<Clock::duration>(*options_.length - reserve, longest_visit)
                        : longest_visit;
    return is_interrupted_ || time >= most || (time >= usual_visit && has_seen_everything());
}

void Demo::expect(std::uint64_t count, const char* what)
{
    if (count == 0) {
        failures_.push_back(fmt::format("{} was not seen", what));
    }
}

void Demo::judge()
{
    const auto& tally = visitors_.tally();
    for (const auto& text : tally.failure_texts) {
        failures_.push_back("a visitor met " + text);
    }
    if (tally.failures > tally.failure_texts.size()) {
        failures_.push_back(
            fmt::format("and {} more like it", tally.failures - tally.failure_texts.size())
        );
    }
    if (is_interrupted_) {
        failures_.emplace_back("interrupted before everything was shown");
        return;
    }
    expect(std::min(tally.created, metrics_.created), "creation");
    expect(std::min(tally.touched, metrics_.acquired), "touching");
    expect(std::min(tally.rate_limited, metrics_.rate_limited), "rate limiting");
    expect(std::min(tally.shed, metrics_.refused_overloaded), "shedding");
    expect(metrics_.removed_by(RemovalCause::evicted), "eviction");
    expect(metrics_.removed_by(RemovalCause::expired_idle), "expiry");
    if (tally.created > metrics_.created || tally.rate_limited > metrics_.rate_limited) {
        failures_.emplace_back("the visitors saw more than the service counted");
    }
}

void Demo::tell() const
{
    const auto ended = [this](RemovalCause cause) { return grouped(metrics_.removed_by(cause)); };
    const auto expired = metrics_.removed_by(RemovalCause::expired_idle) +
                         metrics_.removed_by(RemovalCause::expired_lifetime);

    out_ << fmt::format(
        "\n{} requests, {} of them told to slow down, {} shed. Every session is accounted for, {} "
        "times:\n\n"
        "  created {} = live {} + evicted {} + expired {} + deleted {}\n\n",
        grouped(visitors_.tally().requests),
        grouped(metrics_.rate_limited),
        grouped(metrics_.refused_overloaded),
        samples_,
        grouped(metrics_.created),
        grouped(metrics_.live),
        ended(RemovalCause::evicted),
        grouped(expired),
        ended(RemovalCause::deleted)
    );
    // curl sends Secure cookies over plain http to the machine itself, as browsers do.
    constexpr std::string_view commands = R"(Now try it yourself:

  curl -i -c jar.txt -X POST {0}/session
  curl -b jar.txt {0}/session
  curl -b jar.txt -X PUT -d dark {0}/session/attributes/theme
  curl -b jar.txt -c jar.txt -X POST {0}/session/rotate
  curl -b jar.txt {0}/session
  curl -b jar.txt -c jar.txt -X DELETE {0}/session
  curl {0}/stats

and look into it, as who runs a server does, in a browser:

  {2}

or in a terminal:

  export SOJOURN_ENDPOINT=unix:{1}
  build/release/src/cli/sojournctl session list
  build/release/src/cli/sojournctl session cleanup --idle-longer-than 1m --dry-run
  build/release/src/cli/sojournctl stats --watch

)";
    out_ << fmt::format(
        fmt::runtime(commands),
        fmt::format("http://127.0.0.1:{}", server_.endpoint().port()),
        admin_.socket,
        admin_.console
    );
    out_ << (options_.length
                 ? fmt::format(
                       "Serving until {} s are over; Ctrl-C stops.", options_.length->count()
                   )
                 : std::string("Serving; Ctrl-C stops."))
         << "\n"
         << std::flush;
}

asio::awaitable<void> Demo::stop()
{
    if (const auto cut_off = co_await server_.stop(); cut_off > 0) {
        failures_.push_back(fmt::format("{} requests were cut off", cut_off));
    }
    if (const auto drained = co_await service_.drain(); !drained) {
        failures_.push_back("the service was not drained: " + drained.error().message());
    }
    co_await take_sample();
    if (metrics_.live != 0) {
        failures_.push_back(fmt::format("{} sessions were left over", metrics_.live));
    }
}

} // namespace http_sessions
