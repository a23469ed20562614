// What do the decisions alone cost, without a strand and without a coroutine?

#include "sojourn/core/release_list.hpp"
#include "sojourn/core/session_table.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace {

using namespace std::chrono_literals;
using sojourn::TimePoint;

constexpr sojourn::HashKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

sojourn::HashedId numbered_id(std::size_t number)
{
    std::array<std::byte, sojourn::SessionId::entropy_bytes> bytes{};
    std::memcpy(bytes.data(), &number, sizeof(number));
    return sojourn::SessionIdHash(key).hashed(sojourn::SessionId::from_entropy(bytes));
}

/// A table with its clock and ids, filled.
class FullTable {
public:
    explicit FullTable(std::size_t count)
        : table_(options(), count, 1, key, sojourn::OnDeparture::forget)
    {
        table_.advance(now_);
        for (std::size_t i = 0; i < count; ++i) {
            ids.push_back(numbered_id(i));
            create(ids.back());
        }
    }

    void create(const sojourn::HashedId& id)
    {
        sojourn::NewSession fresh;
        fresh.id = id;
        fresh.attributes = nothing_;
        fresh.idle_timeout = 30min;
        fresh.absolute_lifetime = 8h;
        auto* const session = table_.create(fresh).value();
        (void)releases_.give_back(*session, now_);
        table_.settle(releases_);
    }

    void tick()
    {
        now_ += 1us;
        table_.advance(now_);
        table_.settle(releases_);
    }

    [[nodiscard]] sojourn::SessionTable& table() { return table_; }

    [[nodiscard]] sojourn::ReleaseList& releases() { return releases_; }

    [[nodiscard]] TimePoint now() const { return now_; }

    std::vector<sojourn::HashedId> ids;

private:
    static sojourn::ServiceOptions options()
    {
        return sojourn::ServiceOptions().request_rate(sojourn::RateLimit::unlimited());
    }

    std::shared_ptr<const sojourn::Attributes> nothing_ =
        std::make_shared<const sojourn::Attributes>();
    sojourn::SessionTable table_;
    sojourn::ReleaseList releases_;
    TimePoint now_{1h};
};

void acquire_release(benchmark::State& state)
{
    FullTable full(static_cast<std::size_t>(state.range(0)));
    std::size_t next = 0;
    for (auto _ : state) {
        full.tick();
        const auto session = full.table().acquire(full.ids[next]);
        benchmark::DoNotOptimize(full.releases().give_back(**session, full.now()));
        next = (next + 7) % full.ids.size();
    }
    state.SetItemsProcessed(state.iterations());
}

/// Each new session ends the least recently used one.
void create_evict(benchmark::State& state)
{
    FullTable full(static_cast<std::size_t>(state.range(0)));
    auto number = full.ids.size();
    for (auto _ : state) {
        state.PauseTiming();
        const auto id = numbered_id(number++);
        state.ResumeTiming();
        full.create(id);
    }
    state.SetItemsProcessed(state.iterations());
}

} // namespace

BENCHMARK(acquire_release)
    ->Name("session_table/acquire_release/round_robin")
    ->ArgName("sessions")
    ->Arg(1'000)
    ->Arg(100'000);
BENCHMARK(create_evict)
    ->Name("session_table/create/at_capacity")
    ->ArgName("sessions")
    ->Arg(1'000)
    ->Arg(100'000);
