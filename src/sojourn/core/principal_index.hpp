/// @file
/// Private header. Which sessions a principal has. Its keys come from outside, so the hash is
/// keyed.

#ifndef SOJOURN_CORE_PRINCIPAL_INDEX_HPP
#define SOJOURN_CORE_PRINCIPAL_INDEX_HPP

#include "sojourn/core/session.hpp"
#include "sojourn/core/siphash.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sojourn {

/// A principal that at least one session belongs to.
struct PrincipalEntry {
    using Sessions = boost::intrusive::list<
        Session,
        boost::intrusive::member_hook<Session, Session::ListHook, &Session::principal_hook>>;

    std::shared_ptr<const std::string> name;
    /// Those that can be found. Sessions that have ended may still refer to the entry for its name.
    Sessions sessions;
    std::size_t references = 0;
};

/// The principals of one table.
class PrincipalIndex {
public:
    explicit PrincipalIndex(HashKey key) : entries_(0, KeyedHash{key}) {}

    /// The principal's entry, or null.
    [[nodiscard]] PrincipalEntry* find(std::string_view name)
    {
        const auto place = entries_.find(name);
        return place == entries_.end() ? nullptr : place->second.get();
    }

    /// The principal's entry, made if need be. Follow it by `attach`, which cannot fail.
    [[nodiscard]] PrincipalEntry& find_or_add(const std::string& name)
    {
        if (auto* entry = find(name)) {
            return *entry;
        }
        auto entry = std::make_unique<PrincipalEntry>();
        entry->name = std::make_shared<const std::string>(name);
        const std::string_view key = *entry->name;
        return *entries_.emplace(key, std::move(entry)).first->second;
    }

    static void attach(Session& session, PrincipalEntry& entry) noexcept
    {
        session.principal = &entry;
        ++entry.references;
        entry.sessions.push_back(session);
    }

    /// Takes the session out of its principal's list; it keeps the name.
    static void unlist(Session& session) noexcept
    {
        if (session.principal_hook.is_linked()) {
            auto& sessions = session.principal->sessions;
            sessions.erase(sessions.iterator_to(session));
        }
    }

    /// Separates the session from its principal, which goes when nobody refers to it any more.
    void detach(Session& session) noexcept
    {
        auto* const entry = session.principal;
        if (entry == nullptr) {
            return;
        }
        unlist(session);
        session.principal = nullptr;
        if (--entry->references == 0) {
            entries_.erase(std::string_view(*entry->name));
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// Calls `visit(entry)` for every principal, in no order.
    template <class Visit>
    void for_each(Visit visit) const
    {
        for (const auto& [name, entry] : entries_) {
            visit(*entry);
        }
    }

private:
    struct KeyedHash {
        using is_avalanching = void;
        HashKey key;

        std::size_t operator()(std::string_view name) const noexcept
        {
            return static_cast<std::size_t>(keyed_hash(key, name));
        }
    };

    boost::unordered_flat_map<
        std::string_view,
        std::unique_ptr<PrincipalEntry>,
        KeyedHash,
        std::equal_to<>>
        entries_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_PRINCIPAL_INDEX_HPP
