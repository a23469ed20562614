#include "sojourn/prometheus/sample.hpp"

namespace sojourn::prometheus {

boost::asio::awaitable<Result<Sample>> sample(SessionService& service)
{
    const auto metrics = co_await service.metrics();
    if (!metrics) {
        co_return metrics.error();
    }
    const auto health = co_await service.health();
    if (!health) {
        co_return health.error();
    }
    const auto in_flight = co_await service.in_flight();
    if (!in_flight) {
        co_return in_flight.error();
    }
    co_return Sample{.metrics = *metrics, .health = *health, .in_flight = *in_flight};
}

} // namespace sojourn::prometheus
