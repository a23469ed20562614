// What must be true of a SessionTable between any two of its operations. Each structure is compared
// with the slots themselves, which are the only place where a session really is.

#include "sojourn/core/session_table.hpp"

#include <algorithm>
#include <cstdint>
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
        look_at_recency();
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
        table_.schedule_.for_each([&](const ExpiryEntry& entry) {
            entries_[entry.slot] += table_.slab_[entry.slot].armed_at == entry.at ? 1U : 0U;
        });
        require(
            table_.schedule_.stale() <= table_.schedule_.stale_limit(),
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
        closing_with_principal_ +=
            session.state == SessionState::closing && session.principal != nullptr ? 1U : 0U;
        with_principal_ += session.principal != nullptr ? 1U : 0U;

        watched_ += session.is_watched ? 1U : 0U;
        followed_ += session.is_followed ? 1U : 0U;
        look_at_frames(session);

        const auto here = "slot " + std::to_string(slot) + " ";
        require(
            (!session.is_watched && !session.is_followed) || is_open,
            here + "is watched although there is nothing to wait for"
        );
        require(session.slot == slot, here + "does not know its number");
        const bool is_armed = session.armed_at != TimePoint::max();
        armed_ += is_armed ? 1U : 0U;
        require((entries_[slot] > 0) == is_armed, here + "has no expiry entry, or one too many");
        if (is_open) {
            look_at_deadline(session, here);
        }
        const auto hash = table_.hash_(session.id);
        const auto indexed =
            table_.index_.find(hash, [&](std::uint32_t place) { return place == slot; });
        require(
            indexed.has_value() == is_open,
            here + "is in the index and should not be, or the reverse"
        );
        require(
            session.recency_hook.is_linked() == ((is_open && !is_leased) || is_departed),
            here + "is in a recency list and should not be, or the reverse"
        );
        const bool is_waiting = session.awaits_first_request() && !is_leased;
        waiting_ += is_waiting ? 1U : 0U;
        require(
            session.owner_hook.is_linked() ==
                ((is_open && session.principal != nullptr) || is_waiting),
            here + "is in its owner's list and should not be, or the reverse"
        );
        require(
            session.state != SessionState::closing || is_leased,
            here + "is closing and nobody leases it"
        );
    }

    void look_at_frames(const Session& session)
    {
        const auto* const ring = table_.frames_.ring(session.slot);
        if (ring == nullptr) {
            return;
        }
        const auto& bounds = table_.frames_.bounds();
        const auto here = "slot " + std::to_string(session.slot) + " ";
        require(session.is_open(), here + "has frames, and nobody finds it");
        require(ring->size() <= bounds.frames, here + "has too many frames");
        require(ring->bytes() <= bounds.bytes, here + "has too many bytes of frames");
        FramePage page;
        ring->read(FrameQuery().limit(1000), page);
        std::uint64_t before = 0;
        std::size_t bytes = 0;
        for (const auto& frame : page.frames) {
            require(frame->sequence > before, here + "has frames out of order");
            before = frame->sequence;
            bytes += frame->bytes();
        }
        require(before <= ring->newest(), here + "has a frame whose number was not given");
        if (ring->size() == page.frames.size()) {
            require_same(here + "bytes of frames", bytes, ring->bytes());
        }
        frames_ += ring->size();
        frame_bytes_ += ring->bytes();
    }

    /// Something must look at it no later than it is due.
    void look_at_deadline(const Session& session, const std::string& here)
    {
        auto looked_at = session.armed_at;
        if (session.leases == 0 && session.idle_timeout == table_.idle_timeout_) {
            looked_at =
                std::min(looked_at, saturating_add(session.used_last(), table_.idle_timeout_));
        }
        if (session.leases == 0 && session.awaits_first_request()) {
            looked_at =
                std::min(looked_at, saturating_add(session.used_last(), table_.half_open_timeout_));
        }
        require(
            looked_at <= std::max(table_.now_, table_.deadline(session)),
            here + "is looked at after its deadline"
        );
    }

    void look_at_recency()
    {
        std::size_t idle = 0;
        auto before = TimePoint::min();
        const auto follow = [&](const auto& list, const char* name) {
            for (const auto& session : list) {
                ++idle;
                require(before <= session.used_last(), std::string(name) + ": out of order");
                before = session.used_last();
            }
        };
        follow(table_.elders_, "elders");
        for (const auto& session : table_.elders_) {
            require(
                session.idle_timeout != table_.idle_timeout_ || session.is_pinned(),
                "one of the elders should have been ended"
            );
        }
        follow(table_.recency_, "recency");
        before = TimePoint::min();
        idle_ = std::exchange(idle, 0);
        follow(table_.half_open_, "half-open");
        require_same("waiting half-open sessions", idle, waiting_);
    }

    void look_at_principals()
    {
        std::size_t references = 0;
        std::size_t listed = 0;
        std::size_t counted = 0;
        table_.principals_.for_each([&](const PrincipalEntry& entry) {
            references += entry.references;
            listed += entry.sessions.size();
            require(entry.sessions.size() <= entry.size, "a principal has more than it has");
            counted += entry.size;
            require(entry.size <= table_.principal_bound_, "too many sessions of a principal");
            require(entry.references > 0, "a principal without sessions");
        });
        require_same("references to principals", references, with_principal_);
        require_same("sessions of principals", counted, listed + closing_with_principal_);
        require(listed <= open_, "more sessions of principals than sessions");
    }

    void compare_counts()
    {
        const auto& metrics = table_.metrics_;
        require_same("free and vacant slots", table_.slab_.count_free(), vacant_);
        require_same("armed slots", table_.schedule_.armed(), armed_);
        require_same("idle sessions", idle_, open_ + closing_ - leased_);
        require_same("watched sessions", table_.watched_, watched_);
        require_same("followed sessions", table_.followed_, followed_);
        require_same("frames", metrics.frames, frames_);
        require_same("bytes of frames", metrics.frame_bytes, frame_bytes_);
        require(
            table_.unwatched_.capacity() >= table_.unwatched_.size() + watched_ + followed_,
            "no room to tell of the end of watched sessions"
        );
        require_same("index and open sessions", table_.index_.size(), open_);
        require_same("live and open or closing sessions", metrics.live, open_ + closing_);
        require_same("half-open sessions", metrics.half_open, half_open_);
        require_same("closing sessions", metrics.closing, closing_);
        require_same("leased sessions", metrics.leased, leased_);
        require(
            table_.arrived_.size() <= metrics.pending_creations, "more to announce than is pending"
        );
        require_same("departed sessions", table_.departed_.size(), departed_);
        require(metrics.live <= table_.limits_.sessions, "more sessions than the limit");
        require(
            table_.limits_.slots >= table_.slab_.size() &&
                metrics.live + departed_ <= table_.limits_.slots,
            "more slots than the limit"
        );
        require(metrics.ledger_holds(), "the ledger does not hold");
    }

    const SessionTable& table_;
    std::optional<std::string> fault_;
    /// Live expiry entries of each slot.
    std::vector<std::size_t> entries_;
    std::size_t armed_ = 0;
    std::size_t idle_ = 0;
    std::size_t waiting_ = 0;
    std::size_t vacant_ = 0;
    std::size_t open_ = 0;
    std::size_t watched_ = 0;
    std::size_t followed_ = 0;
    std::size_t frames_ = 0;
    std::size_t frame_bytes_ = 0;
    std::size_t half_open_ = 0;
    std::size_t closing_ = 0;
    std::size_t departed_ = 0;
    std::size_t leased_ = 0;
    std::size_t with_principal_ = 0;
    std::size_t closing_with_principal_ = 0;
};

std::optional<std::string> SessionTable::check_invariants() const
{
    return Invariants(*this).check();
}

} // namespace sojourn
