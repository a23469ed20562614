#include "sojourn/prometheus/exposition.hpp"

#include "sojourn/prometheus/families.hpp"

#include <prometheus/text_serializer.h>

namespace sojourn::prometheus {

std::string exposition(const Sample& sample)
{
    const ::prometheus::TextSerializer to_text;
    return to_text.Serialize(families(sample));
}

boost::asio::awaitable<Result<std::string>> scrape(SessionService& service)
{
    const auto now = co_await sample(service);
    if (!now) {
        co_return now.error();
    }
    co_return exposition(*now);
}

} // namespace sojourn::prometheus
