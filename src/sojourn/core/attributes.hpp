/// @file
/// What a session remembers between requests: named values, as text. A session's attributes are an
/// immutable snapshot with a version; they change only by replacing the whole.

#ifndef SOJOURN_CORE_ATTRIBUTES_HPP
#define SOJOURN_CORE_ATTRIBUTES_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn {

class AttributeBlock;

/// Names with values, each name once, in order of the names. A pointer to memory that copies share
/// and nobody changes: to change attributes is to make them anew. Those that were moved from are
/// empty.
///
/// *Thread safety*: a value; copies of it may be used in different threads. *Lifetime*: what is
/// read from attributes is valid as long as these, or a copy of them, are neither changed nor
/// destroyed. *Complexity*: O(1), unless a member says otherwise; n is the number of entries, and
/// bytes are all of them. *Memory*: none if empty; else one allocation of the text, 8 bytes, and 8
/// more for each entry. *Exceptions*: of what makes or changes attributes, `bad_alloc`, and
/// `std::length_error` for 4 GiB of text or more. Nothing has changed then.
class Attributes {
public:
    using Entry = std::pair<std::string, std::string>;
    /// An entry as it is read.
    using View = std::pair<std::string_view, std::string_view>;
    class Iterator;

    static constexpr std::size_t entry_overhead = 64;

    Attributes() noexcept = default;

    /// Of several values of a name the last one counts. O(n log n + bytes).
    Attributes(std::initializer_list<Entry> entries) : Attributes(from(entries)) {}

    /// The same of any number of entries.
    [[nodiscard]] static Attributes from(std::span<const Entry> entries);

    Attributes(const Attributes& other) noexcept;

    Attributes(Attributes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}

    Attributes& operator=(const Attributes& other) noexcept { return *this = Attributes(other); }

    Attributes& operator=(Attributes&& other) noexcept
    {
        auto taken = std::move(other);
        std::swap(block_, taken.block_);
        return *this;
    }

    ~Attributes()
    {
        if (block_ != nullptr) {
            release();
        }
    }

    /// The value of this name; nothing if there is none. O(log n).
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;

    /// Gives the name this value, replacing what it had. Any bytes may be in either. O(bytes), so
    /// for many entries there is `from`.
    void set(std::string_view name, std::string_view value);

    /// Removes the name; true if it was there. O(bytes).
    bool erase(std::string_view name);

    [[nodiscard]] std::size_t size() const noexcept;

    [[nodiscard]] bool empty() const noexcept { return block_ == nullptr; }

    /// What `ServiceOptions::max_attribute_bytes` bounds: the bytes of all names and values, and
    /// `entry_overhead` for each entry, so that many small ones are not free.
    [[nodiscard]] std::size_t bytes() const noexcept;

    [[nodiscard]] Iterator begin() const noexcept;
    [[nodiscard]] Iterator end() const noexcept;

    /// Whether all names and values are the same. O(bytes), and O(1) for copies.
    friend bool operator==(const Attributes& left, const Attributes& right) noexcept;

private:
    friend class AttributeBin;

    explicit Attributes(AttributeBlock* block) noexcept : block_(block) {}

    void release() noexcept;

    /// The entry of this name; where there is none, the one that would come behind it.
    [[nodiscard]] Iterator find_place(std::string_view name) const noexcept;

    /// Null if there are no entries.
    AttributeBlock* block_ = nullptr;
};

/// A forward iterator over the entries. It gives each by value, as two views.
class Attributes::Iterator {
public:
    using value_type = View;
    using difference_type = std::ptrdiff_t;

    Iterator() noexcept = default;

    [[nodiscard]] View operator*() const noexcept;

    Iterator& operator++() noexcept
    {
        ++place_;
        return *this;
    }

    Iterator operator++(int) noexcept { return {block_, place_++}; }

    friend bool operator==(const Iterator&, const Iterator&) noexcept = default;

private:
    friend class Attributes;

    Iterator(const AttributeBlock* block, std::uint32_t place) noexcept
        : block_(block), place_(place)
    {
    }

    const AttributeBlock* block_ = nullptr;
    std::uint32_t place_ = 0;
};

inline Attributes::Iterator Attributes::begin() const noexcept
{
    return {block_, 0};
}

inline Attributes::Iterator Attributes::end() const noexcept
{
    return {block_, static_cast<std::uint32_t>(size())};
}

/// One state of a session's attributes.
struct AttributeSnapshot {
    Attributes data;
    /// Starts at 1 and grows by one with each commit.
    std::uint64_t version = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_ATTRIBUTES_HPP
