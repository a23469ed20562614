// What must be true of a SessionTable between any two of its operations. Each structure is compared
// with the slots themselves, which are the only place where a session really is.

#include "sojourn/core/session_table.hpp"

#include <algorithm>
#include <utility>

namespace sojourn {

/// Collects what it counts, and keeps the first fault that it finds.
class SessionTable::Invariants {
public:
    explicit Invariants(const SessionTable& table) : table_(table), entries_(table.slab_.size()) {}

    std::optional<std::string> check()
    {
        look_at_schedule();
        for (std::uint32_t slot = 0; slot < table_.slab_.size(); ++slot) {
            look_at_slot(slot);
        }
        look_at_principals();
        compare_counts();
        return std::move(fault_);
    }

private:
    void require(bool holds, std::string fault)
    {
        if (!holds && !fault_) {
            fault_ = std::move(fault);
        }
    }

    void require_same(std::string what, std::size_t left, std::size_t right)
    {
        require(
            left == right,
            std::move(what) + ": " + std::to_string(left) + " and " + std::to_string(right)
        );
    }

    void look_at_schedule()
    {
        std::size_t stale = 0;
        table_.schedule_.for_each([&](const ExpiryEntry& entry) {
            if (!table_.is_scheduled(entry)) {
                ++stale;
                return;
            }
            ++entries_[entry.slot];
            const auto deadline = table_.deadline(table_.slab_[entry.slot]);
            require(
                entry.deadline <= std::max(table_.now_, deadline),
                "an expiry entry lies after its session's deadline"
            );
        });
        require_same("stale expiry entries", stale, table_.schedule_.stale());
        require(
            stale <= std::max(ExpirySchedule::stale_floor, table_.schedule_.live()),
            "too many stale expiry entries"
        );
    }

    void look_at_slot(std::uint32_t slot)
    {
        const auto& session = table_.slab_[slot];
        const bool is_open = session.is_open();
        const bool is_departed = session.state == SessionState::departed;
        const bool is_leased = session.leases > 0;
        vacant_ += session.state == SessionState::vacant ? 1U : 0U;
        open_ += is_open ? 1U : 0U;
        half_open_ += session.state == SessionState::half_open ? 1U : 0U;
        closing_ += session.state == SessionState::closing ? 1U : 0U;
        departed_ += is_departed ? 1U : 0U;
        leased_ += is_leased ? 1U : 0U;
        with_principal_ += session.principal != nullptr ? 1U : 0U;

        const auto here = "slot " + std::to_string(slot) + " ";
        require(session.slot == slot, here + "does not know its number");
        require(
            entries_[slot] == (is_open ? 1U : 0U) && session.scheduled == is_open,
            here + "has " + std::to_string(entries_[slot]) + " expiry entries"
        );
        const bool is_indexed = table_.index_.find(HashedId{session.id, session.hash}) == &session;
        require(is_indexed == is_open, here + "is in the index and should not be, or the reverse");
        require(
            session.recency_hook.is_linked() == ((is_open && !is_leased) || is_departed),
            here + "is in the recency list and should not be, or the reverse"
        );
        require(
            session.principal_hook.is_linked() == (is_open && session.principal != nullptr),
            here + "is in its principal's list and should not be, or the reverse"
        );
        require(
            session.state != SessionState::closing || is_leased,
            here + "is closing and nobody leases it"
        );
    }

    void look_at_principals()
    {
        std::size_t references = 0;
        std::size_t listed = 0;
        table_.principals_.for_each([&](const PrincipalEntry& entry) {
            references += entry.references;
            listed += entry.sessions.size();
            require(entry.references > 0, "a principal without sessions");
        });
        require_same("references to principals", references, with_principal_);
        require(listed <= open_, "more sessions of principals than sessions");
    }

    void compare_counts()
    {
        const auto& metrics = table_.metrics_;
        require_same("free and vacant slots", table_.slab_.count_free(), vacant_);
        require_same("index and open sessions", table_.index_.size(), open_);
        require_same("live and open or closing sessions", metrics.live, open_ + closing_);
        require_same("half-open sessions", metrics.half_open, half_open_);
        require_same("closing sessions", metrics.closing, closing_);
        require_same("leased sessions", metrics.leased, leased_);
        require_same("departed sessions", table_.departed_.size(), departed_);
        require(metrics.live <= table_.capacity_, "more sessions than the capacity");
        require(
            metrics.live + metrics.pending_removals <= table_.capacity_ + table_.max_pending_,
            "more sessions than the capacity and the room for pending removals"
        );
        require(metrics.ledger_holds(), "the ledger does not hold");
    }

    const SessionTable& table_;
    std::optional<std::string> fault_;
    /// Expiry entries of each slot.
    std::vector<std::size_t> entries_;
    std::size_t vacant_ = 0;
    std::size_t open_ = 0;
    std::size_t half_open_ = 0;
    std::size_t closing_ = 0;
    std::size_t departed_ = 0;
    std::size_t leased_ = 0;
    std::size_t with_principal_ = 0;
};

std::optional<std::string> SessionTable::check_invariants() const
{
    return Invariants(*this).check();
}

} // namespace sojourn
