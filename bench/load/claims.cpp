#include "load/claims.hpp"

#include <utility>

namespace sojourn::bench {

void Claims::about(std::string subject)
{
    subject_ = std::move(subject);
}

void Claims::equal(std::string_view claim, std::uint64_t found, std::uint64_t expected)
{
    if (found != expected) {
        add(claim, std::to_string(found) + ", and not " + std::to_string(expected));
    }
}

void Claims::at_most(std::string_view claim, std::uint64_t found, std::uint64_t bound)
{
    if (found > bound) {
        add(claim, std::to_string(found) + ", and at most " + std::to_string(bound));
    }
}

void Claims::add(std::string_view claim, std::string_view values)
{
    broken_.push_back(subject_ + ": " + std::string(claim) + ": " + std::string(values));
}

} // namespace sojourn::bench
