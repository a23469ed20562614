#include "mcp_gateway/caller_rates.hpp"

#include <utility>

namespace mcp_gateway {

sojourn::Duration CallerRates::admit(const std::string& name, sojourn::TimePoint now)
{
    auto known = younger_.find(name);
    if (known == younger_.end()) {
        if (younger_.size() == names_of_generation) {
            elder_ = std::exchange(younger_, Generation());
        }
        const auto before = elder_.find(name);
        const auto arrival = before == elder_.end() ? sojourn::TimePoint::min() : before->second;
        known = younger_.emplace(name, arrival).first;
    }
    return limiter_.admit(known->second, now);
}

} // namespace mcp_gateway
