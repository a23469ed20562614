/// @file
/// The secret by which a client names its session. Whoever holds the text of a `SessionId` holds
/// the session, so the type prints nowhere: it has no stream operator and no formatter. What may be
/// logged is the session's `SessionReference`.

#ifndef SOJOURN_CORE_SESSION_ID_HPP
#define SOJOURN_CORE_SESSION_ID_HPP

#include "sojourn/core/error.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sojourn {

/// A session id: 1 to 128 visible ASCII characters, or nothing when default constructed.
///
/// Ids that sojourn issues are 32 random bytes as base64url without padding, 43 characters. An id
/// adopted from a peer (a proxy that keeps its upstream's ids) may be any text that `parse` takes.
///
/// *Thread safety*: a value; no copy of it fails. *Comparison* takes the same time wherever two ids
/// of equal length differ, so that an answer's delay tells nothing of how much of a guess was
/// right.
class SessionId {
public:
    /// Random bytes in an issued id: 256 bits. ASVS 5.0 (7.2.3) asks for at least 128.
    static constexpr std::size_t entropy_bytes = 32;
    /// Characters in an issued id.
    static constexpr std::size_t issued_length = 43;
    /// Characters in the longest id that a peer may bring.
    static constexpr std::size_t max_length = 128;

    /// Names no session.
    SessionId() noexcept = default;

    SessionId(const SessionId& other) noexcept { copy(other); }

    SessionId& operator=(const SessionId& other) noexcept
    {
        if (this != &other) {
            drop();
            copy(other);
        }
        return *this;
    }

    SessionId(SessionId&& other) noexcept { take(other); }

    SessionId& operator=(SessionId&& other) noexcept
    {
        if (this != &other) {
            drop();
            take(other);
        }
        return *this;
    }

    ~SessionId() { drop(); }

    /// Takes any id a peer may use. *Errors*: `invalid_id` unless the text is 1 to 128 characters,
    /// each from '!' to '~'; the text itself is never part of the error.
    [[nodiscard]] static Result<SessionId> parse(std::string_view text);

    /// Takes only an id of the form that sojourn issues; what a server should do with a cookie.
    /// *Errors*: `invalid_id` unless the text is 43 characters of `A-Z a-z 0-9 - _`.
    [[nodiscard]] static Result<SessionId> parse_issued(std::string_view text);

    /// Encodes random bytes as an issued id.
    [[nodiscard]] static SessionId from_entropy(std::span<const std::byte, entropy_bytes> bytes
    ) noexcept;

    /// The secret itself, valid as long as this object is not changed. For the cookie, and nowhere
    /// else: never into a log, an error or a metric.
    [[nodiscard]] std::string_view text() const noexcept;

    [[nodiscard]] bool empty() const noexcept { return length() == 0; }

    friend bool operator==(const SessionId& left, const SessionId& right) noexcept;

private:
    friend class SessionIdHash;

    /// A text that is too long to lie in place. Shared, so that no copy of an id can fail.
    struct SharedText {
        std::atomic<std::size_t> owners{1};
        std::string text;
    };

    static constexpr std::size_t inplace_max = 47;
    /// Stands where a length would.
    static constexpr std::uint64_t is_shared_mark = 0xFF;
    static constexpr int length_shift = 56;
    static_assert(std::endian::native == std::endian::little, "the last byte is the highest");

    explicit SessionId(std::string_view valid_text);

    [[nodiscard]] const char* bytes() const noexcept
    {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a char may look at anything
        return reinterpret_cast<const char*>(words_.data());
    }

    [[nodiscard]] char* bytes() noexcept
    {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
        return reinterpret_cast<char*>(words_.data());
    }

    // The length is the last byte, but read and written as part of its word: a copy of an id whose
    // bytes were written one by one would have to wait until they have left the processor.

    [[nodiscard]] std::uint64_t length() const noexcept { return words_.back() >> length_shift; }

    void set_length(std::uint64_t length) noexcept { words_.back() |= length << length_shift; }

    [[nodiscard]] bool is_shared() const noexcept { return length() == is_shared_mark; }

    [[nodiscard]] SharedText* shared() const noexcept
    {
        return std::bit_cast<SharedText*>(words_.front());
    }

    void copy(const SessionId& other) noexcept
    {
        words_ = other.words_;
        if (is_shared()) {
            shared()->owners.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void take(SessionId& other) noexcept
    {
        words_ = other.words_;
        if (is_shared()) {
            other.words_ = {};
        }
    }

    void drop() noexcept
    {
        if (is_shared() && shared()->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete shared();
        }
    }

    // Up to 47 characters, zeros behind them, and the length: an issued id lies in place, and is
    // compared and hashed by whole words. A longer one has the address of its text in front.
    std::array<std::uint64_t, 6> words_{};
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_ID_HPP
