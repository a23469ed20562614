#include "sojourn/async/exception_barrier.hpp"

#include <utility>

namespace sojourn {

ExceptionBarrier::ExceptionBarrier(std::string where, FailureReporter report)
    : where_(std::move(where)), report_(std::move(report))
{
}

void ExceptionBarrier::caught(std::exception_ptr failure) noexcept
{
    failures_.fetch_add(1, std::memory_order_relaxed);
    if (!report_) {
        return;
    }
    try {
        report_(where_, std::move(failure));
    } catch (...) { // NOLINT(bugprone-empty-catch)
        // A reporter that cannot report has nobody else to tell; the count has it.
    }
}

} // namespace sojourn
