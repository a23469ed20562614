/// @file
/// A completion handler that tells how it was completed: how often, whether from inside its
/// initiating function, or never, because it was destroyed.

#ifndef SOJOURN_TESTS_SUPPORT_COMPLETION_PROBE_HPP
#define SOJOURN_TESTS_SUPPORT_COMPLETION_PROBE_HPP

#include <atomic>
#include <memory>
#include <utility>

namespace sojourn::tests {

/// Makes handlers and counts what becomes of them.
///
///     CompletionProbe probe;
///     probe.initiate([&] { async_thing(probe.handler()); });
///     run_ready(context);
///     CHECK(probe.completions() == 1);
///     CHECK(probe.inline_completions() == 0);
///     CHECK(probe.live_handlers() == 0);
///
/// *Thread safety*: `initiate` in one thread at a time; all other members, any thread.
class CompletionProbe {
public:
    /// A move-only handler, as the strictest of Asio's are. Calls `then` with the results.
    template <class Then>
    class Handler {
    public:
        Handler(std::shared_ptr<CompletionProbe*> probe, Then then)
            : probe_(std::move(probe)), then_(std::move(then))
        {
        }

        template <class... Results>
        void operator()(Results&&... results)
        {
            (*probe_)->complete();
            then_(std::forward<Results>(results)...);
        }

        Handler(const Handler&) = delete;
        Handler& operator=(const Handler&) = delete;
        Handler(Handler&&) noexcept = default;
        Handler& operator=(Handler&&) noexcept = default;
        ~Handler() = default;

    private:
        std::shared_ptr<CompletionProbe*> probe_;
        Then then_;
    };

    CompletionProbe() : self_(std::make_shared<CompletionProbe*>(this)) {}

    CompletionProbe(const CompletionProbe&) = delete;
    CompletionProbe& operator=(const CompletionProbe&) = delete;
    CompletionProbe(CompletionProbe&&) = delete;
    CompletionProbe& operator=(CompletionProbe&&) = delete;
    ~CompletionProbe() = default;

    [[nodiscard]] auto handler()
    {
        return handler([](auto&&...) {});
    }

    template <class Then>
    [[nodiscard]] Handler<Then> handler(Then then)
    {
        return {self_, std::move(then)};
    }

    /// Runs an initiating function; a completion in this thread before it returns is inline.
    template <class Function>
    void initiate(Function function)
    {
        auto* const outer = std::exchange(initiating(), this);
        function();
        initiating() = outer;
    }

    [[nodiscard]] int completions() const noexcept { return completions_.load(); }

    [[nodiscard]] int inline_completions() const noexcept { return inline_completions_.load(); }

    /// Handlers that have neither been called nor destroyed.
    [[nodiscard]] long live_handlers() const noexcept { return self_.use_count() - 1; }

private:
    void complete() noexcept
    {
        completions_.fetch_add(1);
        if (initiating() == this) {
            inline_completions_.fetch_add(1);
        }
    }

    static CompletionProbe*& initiating() noexcept
    {
        thread_local CompletionProbe* probe = nullptr;
        return probe;
    }

    std::shared_ptr<CompletionProbe*> self_;
    std::atomic<int> completions_{0};
    std::atomic<int> inline_completions_{0};
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_COMPLETION_PROBE_HPP
