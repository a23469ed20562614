/// @file
/// Private header. Which sessions a principal has. Its keys come from outside, so the hash is
/// keyed; and like the index of sessions it has its places from the start and never rehashes, so
/// that no turn is longer than others.

#ifndef SOJOURN_CORE_PRINCIPAL_INDEX_HPP
#define SOJOURN_CORE_PRINCIPAL_INDEX_HPP

#include "sojourn/core/session.hpp"
#include "sojourn/core/siphash.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>
#include <boost/intrusive/unordered_set_hook.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn {

/// A principal that at least one session belongs to.
struct PrincipalEntry {
    using Sessions = boost::intrusive::list<
        Session,
        boost::intrusive::member_hook<Session, Session::ListHook, &Session::owner_hook>,
        boost::intrusive::constant_time_size<false>>;

    std::shared_ptr<const std::string> name;
    std::uint64_t hash = 0;
    boost::intrusive::unordered_set_member_hook<> index_hook;
    /// Those that can be found. Sessions that have ended may still refer to the entry for its name.
    Sessions sessions;
    /// Those, and the ones that were removed and are leased still.
    std::size_t size = 0;
    std::size_t references = 0;
};

/// The principals of one table. *Complexity*: O(1) on average.
class PrincipalIndex {
public:
    /// Keeps a principal in the index for as long as this lives, whatever becomes of its sessions.
    class Hold {
    public:
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;
        Hold(Hold&&) = delete;
        Hold& operator=(Hold&&) = delete;

        ~Hold()
        {
            if (entry_ != nullptr) {
                index_.let_go(*entry_);
            }
        }

        /// False for nobody.
        [[nodiscard]] explicit operator bool() const noexcept { return entry_ != nullptr; }

        [[nodiscard]] PrincipalEntry& operator*() const noexcept { return *entry_; }

        [[nodiscard]] PrincipalEntry* operator->() const noexcept { return entry_; }

        /// Makes the session this principal's; nobody's, if this is nobody.
        void attach(Session& session) const noexcept
        {
            if (entry_ != nullptr) {
                session.principal = entry_;
                ++entry_->references;
                entry_->sessions.push_back(session);
                ++entry_->size;
            }
        }

    private:
        friend class PrincipalIndex;

        Hold(PrincipalIndex& index, PrincipalEntry* entry) noexcept : index_(index), entry_(entry)
        {
            if (entry_ != nullptr) {
                ++entry_->references;
            }
        }

        PrincipalIndex& index_;
        PrincipalEntry* entry_;
    };

    /// For up to `capacity` principals. Two share a bucket then: they are looked up at logins only.
    PrincipalIndex(HashKey key, std::size_t capacity)
        : key_(key),
          buckets_(std::bit_ceil((capacity + 1) / 2)),
          entries_(Entries::bucket_traits(buckets_.data(), buckets_.size()))
    {
    }

    PrincipalIndex(const PrincipalIndex&) = delete;
    PrincipalIndex& operator=(const PrincipalIndex&) = delete;
    PrincipalIndex(PrincipalIndex&&) = delete;
    PrincipalIndex& operator=(PrincipalIndex&&) = delete;

    /// The sessions must still be there.
    ~PrincipalIndex()
    {
        entries_.clear_and_dispose([](PrincipalEntry* entry) {
            entry->sessions.clear();
            delete entry;
        });
    }

    /// The principal's entry, or null.
    [[nodiscard]] PrincipalEntry* find(std::string_view name) noexcept
    {
        return find(Key{name, keyed_hash(key_, name)});
    }

    /// The principal of this name, known from now on; nobody, if the name is empty.
    /// *Exceptions*: `bad_alloc`, nothing done.
    [[nodiscard]] Hold hold(const std::string& name)
    {
        return {*this, name.empty() ? nullptr : &find_or_add(name)};
    }

    /// The same for one that is known, or for nobody.
    [[nodiscard]] Hold hold(PrincipalEntry* entry) noexcept { return {*this, entry}; }

    /// Separates the session from its principal, which goes when nobody refers to it any more.
    void detach(Session& session) noexcept
    {
        if (session.principal != nullptr) {
            if (session.owner_hook.is_linked()) {
                session.owner_hook.unlink();
                --session.principal->size;
            }
            let_go(*std::exchange(session.principal, nullptr));
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// Calls `visit(entry)` for every principal, in no order.
    template <class Visit>
    void for_each(Visit visit) const
    {
        for (const auto& entry : entries_) {
            visit(entry);
        }
    }

private:
    struct Key {
        std::string_view name;
        std::uint64_t hash;
    };

    struct ByHash {
        std::size_t operator()(const PrincipalEntry& entry) const noexcept
        {
            return static_cast<std::size_t>(entry.hash);
        }

        std::size_t operator()(const Key& key) const noexcept
        {
            return static_cast<std::size_t>(key.hash);
        }
    };

    struct SameName {
        bool operator()(const PrincipalEntry& left, const PrincipalEntry& right) const noexcept
        {
            return left.hash == right.hash && *left.name == *right.name;
        }

        bool operator()(const Key& key, const PrincipalEntry& entry) const noexcept
        {
            return key.hash == entry.hash && key.name == *entry.name;
        }
    };

    using Entries = boost::intrusive::unordered_set<
        PrincipalEntry,
        boost::intrusive::member_hook<
            PrincipalEntry,
            boost::intrusive::unordered_set_member_hook<>,
            &PrincipalEntry::index_hook>,
        boost::intrusive::hash<ByHash>,
        boost::intrusive::equal<SameName>,
        boost::intrusive::power_2_buckets<true>>;

    [[nodiscard]] PrincipalEntry* find(const Key& key) noexcept
    {
        const auto place = entries_.find(key, ByHash(), SameName());
        return place == entries_.end() ? nullptr : &*place;
    }

    [[nodiscard]] PrincipalEntry& find_or_add(const std::string& name)
    {
        const Key key{name, keyed_hash(key_, name)};
        if (auto* const entry = find(key)) {
            return *entry;
        }
        auto entry = std::make_unique<PrincipalEntry>();
        entry->name = std::make_shared<const std::string>(name);
        entry->hash = key.hash;
        entries_.insert(*entry);
        return *entry.release();
    }

    void let_go(PrincipalEntry& entry) noexcept
    {
        if (--entry.references == 0) {
            entries_.erase_and_dispose(
                entries_.iterator_to(entry), std::default_delete<PrincipalEntry>()
            );
        }
    }

    HashKey key_;
    std::vector<Entries::bucket_type> buckets_;
    Entries entries_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_PRINCIPAL_INDEX_HPP
