/// @file
/// What a session remembers between requests: named values, as text. A session's attributes are an
/// immutable snapshot with a version; they change only by replacing the whole.

#ifndef SOJOURN_CORE_ATTRIBUTES_HPP
#define SOJOURN_CORE_ATTRIBUTES_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn {

/// Names with values, each name once, in order of the names.
///
/// *Thread safety*: a value; a shared snapshot of it is never changed. *Complexity*: a sorted
/// vector, because a session has few attributes and reads them more often than it writes.
class Attributes {
public:
    using Entry = std::pair<std::string, std::string>;

    static constexpr std::size_t entry_overhead = 64;

    Attributes() = default;

    /// Of several values of a name the last one counts.
    Attributes(std::initializer_list<Entry> entries) : Attributes(from(std::vector(entries))) {}

    /// The same of any number of entries. O(n log n), where n times `set` would be quadratic.
    [[nodiscard]] static Attributes from(std::vector<Entry> entries);

    /// The value of this name, valid until these attributes change; nothing if there is none.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

    /// Gives the name this value, replacing what it had. Any bytes may be in either.
    void set(std::string name, std::string value);

    /// Removes the name; true if it was there.
    bool erase(std::string_view name);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

    /// What `ServiceOptions::max_attribute_bytes` bounds: the bytes of all names and values, and
    /// `entry_overhead` for each entry, so that many small ones are not free.
    [[nodiscard]] std::size_t bytes() const noexcept;

    [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }

    [[nodiscard]] auto end() const noexcept { return entries_.end(); }

    friend bool operator==(const Attributes&, const Attributes&) = default;

private:
    std::vector<Entry> entries_;
};

/// The attributes as sessions share them. All that are empty are one, which nobody counts.
/// *Exceptions*: `bad_alloc`.
[[nodiscard]] std::shared_ptr<const Attributes> share(Attributes attributes);

/// One state of a session's attributes. `data` is never null.
struct AttributeSnapshot {
    std::shared_ptr<const Attributes> data;
    /// Starts at 1 and grows by one with each commit.
    std::uint64_t version = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_ATTRIBUTES_HPP
