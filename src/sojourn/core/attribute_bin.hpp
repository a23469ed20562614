/// @file
/// Private header. Where attributes go inside a turn that nobody needs any more, and what else a
/// session has left behind: to free memory takes longer than a turn should, so it is kept until
/// somebody takes the bin out and drops it.

#ifndef SOJOURN_CORE_ATTRIBUTE_BIN_HPP
#define SOJOURN_CORE_ATTRIBUTE_BIN_HPP

#include "sojourn/core/attributes.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace sojourn {

/// What a bin chains: the beginning of memory of so many bytes or, if that is 0, of a
/// `Discardable`.
struct Waste {
    Waste* next = nullptr;
    std::size_t bytes = 0;
};

/// An object, made by `new`, that can go into a bin as it is.
class Discardable : private Waste {
public:
    Discardable() = default;
    Discardable(const Discardable&) = delete;
    Discardable& operator=(const Discardable&) = delete;
    Discardable(Discardable&&) = delete;
    Discardable& operator=(Discardable&&) = delete;
    virtual ~Discardable() = default;

private:
    friend class AttributeBin;
};

/// A chain of memory to free, made of that memory itself. Frees it when destroyed, O(its length);
/// all else is O(1) and allocates nothing.
///
/// *Thread safety*: a value.
class AttributeBin {
public:
    AttributeBin() noexcept = default;

    /// Leaves `other` empty.
    AttributeBin(AttributeBin&& other) noexcept : last_(std::exchange(other.last_, nullptr)) {}

    /// Frees what it had, and leaves `other` empty.
    AttributeBin& operator=(AttributeBin&& other) noexcept
    {
        AttributeBin taken(std::move(other));
        std::swap(last_, taken.last_);
        return *this;
    }

    AttributeBin(const AttributeBin&) = delete;
    AttributeBin& operator=(const AttributeBin&) = delete;

    ~AttributeBin()
    {
        if (!empty()) {
            free();
        }
    }

    /// Takes the attributes' memory, unless others share it.
    void add(Attributes attributes) noexcept;
    void add(std::unique_ptr<Discardable> object) noexcept;

    [[nodiscard]] bool empty() const noexcept { return last_ == nullptr; }

private:
    void free() noexcept;

    Waste* last_ = nullptr;
};

} // namespace sojourn

#endif // SOJOURN_CORE_ATTRIBUTE_BIN_HPP
