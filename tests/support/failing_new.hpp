/// @file
/// Makes one allocation of this thread fail. For an executable that links `sojourn_failing_new`,
/// which replaces the global `operator new` and `aligned_alloc`, where Asio gets its memory. Under
/// TSan, which has a `new` of its own, only the latter fails.

#ifndef SOJOURN_TESTS_SUPPORT_FAILING_NEW_HPP
#define SOJOURN_TESTS_SUPPORT_FAILING_NEW_HPP

namespace sojourn::tests {

/// While it lives, the `nth` allocation of this thread, counted from 1, throws `bad_alloc`; with
/// `repeat::yes` so do all that follow.
class FailingNew {
public:
    enum class Repeat { no, yes };

    explicit FailingNew(long nth, Repeat repeat = Repeat::no) noexcept;
    FailingNew(const FailingNew&) = delete;
    FailingNew& operator=(const FailingNew&) = delete;
    FailingNew(FailingNew&&) = delete;
    FailingNew& operator=(FailingNew&&) = delete;
    ~FailingNew();

    /// Whether an allocation has failed; if not, there were fewer than `nth`.
    [[nodiscard]] bool has_failed() const noexcept;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_FAILING_NEW_HPP
