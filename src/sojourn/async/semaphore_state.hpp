/// @file
/// Private header. What a semaphore, its permits and those who wait have in common: the confined
/// queue, and how it is told what happens. Everything but a try is a note in an atomic word and a
/// nudge; the next turn reads all notes. So whatever has to work in destructors and at shutdown
/// allocates nothing, waits for nothing and cannot fail.

#ifndef SOJOURN_ASYNC_SEMAPHORE_STATE_HPP
#define SOJOURN_ASYNC_SEMAPHORE_STATE_HPP

#include "sojourn/async/clock.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/async/permit.hpp"
#include "sojourn/async/permit_wait.hpp"
#include "sojourn/async/shutdown_hook.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/permit_queue.hpp"
#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/core/semaphore_options.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace sojourn {

/// What was noted for the next turn.
struct SemaphoreNotes {
    explicit SemaphoreNotes(std::size_t permits) noexcept : limit(permits) {}

    /// Permits that came back.
    std::atomic<std::uint64_t> returned{0};
    /// How many there shall be.
    std::atomic<std::size_t> limit;
    std::atomic<bool> is_closed{false};
    /// Stacks, whose only pop takes everything, so that they have no ABA problem.
    std::atomic<PermitWait*> arrived{nullptr};
    std::atomic<PermitWait*> cancelled{nullptr};
    /// Tries that were turned away without a turn, before and after the closing.
    std::atomic<std::uint64_t> turned_away{0};
    std::atomic<std::uint64_t> turned_away_closed{0};

    /// Whether the execution context is being destroyed, so that nobody can be completed.
    std::atomic<bool> is_shutting_down{false};
    /// Those who waited then.
    std::atomic<PermitWait*> abandoned{nullptr};
};

/// What to do with one for whom no permit is free.
enum class IfNoneFree : std::uint8_t { wait, refuse };

/// What the strand confines. *Complexity* of a turn: linear in what was noted, and in how many are
/// decided about.
class ConfinedPermits {
public:
    ConfinedPermits(
        const SemaphoreOptions& options,
        std::shared_ptr<Clock> clock,
        std::shared_ptr<SemaphoreNotes> notes
    )
        : clock_(std::move(clock)),
          notes_(std::move(notes)),
          queue_(options.permits(), options.max_waiters())
    {
    }

    /// Reads the notes.
    void nudged() noexcept;

    /// Takes a permit, or refuses one; `queued` for one who has to wait, and has not begun to.
    [[nodiscard]] PermitState ask(IfNoneFree otherwise) noexcept;

    [[nodiscard]] Duration retry_after() const noexcept { return queue_.retry_after(); }

    [[nodiscard]] SemaphoreMetrics metrics() noexcept;

private:
    [[nodiscard]] bool is_up_to_date() const noexcept;
    void read_cancellations() noexcept;
    void let_in(PermitWait* arrived, TimePoint now) noexcept;
    void tell_decided() noexcept;
    void drop_after_turn(
        Confined<ConfinedPermits>& permits, std::shared_ptr<PermitEnding> ending
    ) noexcept;

    std::shared_ptr<Clock> clock_;
    std::shared_ptr<SemaphoreNotes> notes_;
    PermitQueue queue_;
    /// The last that was left to be dropped after the turn.
    std::weak_ptr<PermitEnding> last_dropped_;
};

/// Made by `make_shared`.
///
/// *Thread safety*: all members, any thread. *Lifetime*: kept by the semaphore, by permits, and by
/// waits; may outlive its execution context.
class SemaphoreState final : public std::enable_shared_from_this<SemaphoreState>,
                             private ShutdownHook {
public:
    SemaphoreState(
        const boost::asio::any_io_executor& executor,
        const SemaphoreOptions& options,
        std::shared_ptr<Clock> clock
    );
    SemaphoreState(const SemaphoreState&) = delete;
    SemaphoreState& operator=(const SemaphoreState&) = delete;
    SemaphoreState(SemaphoreState&&) = delete;
    SemaphoreState& operator=(SemaphoreState&&) = delete;
    virtual ~SemaphoreState() = default;

    [[nodiscard]] const SemaphoreOptions& options() const noexcept { return options_; }

    /// Empty once the execution context is destroyed.
    [[nodiscard]] const boost::asio::any_io_executor& home() const noexcept { return home_; }

    [[nodiscard]] Clock& clock() const noexcept { return *clock_; }

    /// What can be decided at once, in the caller's thread; nothing if that is nothing, or if the
    /// strand was busy for as long as `tries` tries.
    [[nodiscard]] std::optional<Result<Permit>> ask(IfNoneFree otherwise, int tries) noexcept;

    /// Refuses one without a turn, which is counted.
    [[nodiscard]] Error turn_away() noexcept;

    /// Lets one in whose wait is prepared.
    void enter(PermitWait& wait) noexcept;
    void cancel(PermitWait& wait) noexcept;
    void give_back() noexcept;
    void close() noexcept;
    void resize(std::size_t permits) noexcept;

    /// Looks at the deadlines, and at what was noted.
    void nudge() noexcept { permits_.nudge(); }

    [[nodiscard]] Confined<ConfinedPermits>& permits() noexcept { return permits_; }

    /// One that was taken.
    [[nodiscard]] Permit make_permit() noexcept { return Permit(shared_from_this()); }

private:
    void on_context_shutdown() noexcept override;

    const SemaphoreOptions options_;
    const std::shared_ptr<Clock> clock_;
    boost::asio::any_io_executor home_;
    const std::shared_ptr<SemaphoreNotes> notes_;
    Confined<ConfinedPermits> permits_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_SEMAPHORE_STATE_HPP
