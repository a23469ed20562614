#include "faults/tally.hpp"

#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

#include <iostream>

namespace sojourn::tests {

Tally& tally() noexcept
{
    static Tally all;
    return all;
}

namespace {

class TallyPrinter final : public Catch::EventListenerBase {
public:
    using EventListenerBase::EventListenerBase;

    void testRunEnded(const Catch::TestRunStats& /*stats*/) override
    {
        const auto& all = tally();
        if (all.operations > 0) {
            std::cout << "faults: operations=" << all.operations
                      << " allocation_points=" << all.allocation_points << " spared=" << all.spared
                      << '\n';
        }
        if (all.callbacks > 0) {
            std::cout << "faults: callbacks=" << all.callbacks << " exceptions=" << all.exceptions
                      << '\n';
        }
        if (all.clock_jumps > 0) {
            std::cout << "faults: clock_jumps=" << all.clock_jumps << '\n';
        }
    }
};

} // namespace

CATCH_REGISTER_LISTENER(TallyPrinter)

} // namespace sojourn::tests
