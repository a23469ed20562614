/// @file
/// Sessions as texts for a store, and back.

#ifndef SOJOURN_STORE_RECORD_CODEC_HPP
#define SOJOURN_STORE_RECORD_CODEC_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/store/sealing_keys.hpp"
#include "sojourn/store/store_key.hpp"
#include "sojourn/store/stored_session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn {

/// Writes and reads payloads of `StoreRecord`, in the form that docs/store.md describes. A record
/// belongs to its key: under another one it cannot be read.
///
/// *Thread safety*: a value; `const` members from any thread at once.
class RecordCodec {
public:
    /// The number of the form that is written, and the newest that is read. One that adds to it
    /// gets the next number, and a server that does not know it leaves such records alone.
    static constexpr std::uint8_t schema = 1;

    /// Writes in the clear; what can be seen in the store is then who has a session and what is in
    /// it. A change by accident is noticed.
    RecordCodec() = default;

    /// Seals with AES-256-GCM, and reads nothing that is not sealed: see `read_unsealed`.
    explicit RecordCodec(SealingKeys keys) : keys_(std::move(keys)) {}

    /// Whether records in the clear are read although there are keys, while a store is changed over
    /// to sealed ones. Default no: who can write to the store could put in one of his own.
    RecordCodec& read_unsealed(bool is_read) noexcept
    {
        reads_unsealed_ = is_read;
        return *this;
    }

    /// *Exceptions*: `bad_alloc`; `boost::system::system_error`, if the cryptographic library or
    /// the source of random bytes fails.
    [[nodiscard]] std::string encode(const StoreKey& key, const StoredSession& session) const;

    /// *Errors*: `record_too_new`; `record_unreadable`. *Exceptions*: as `encode`.
    [[nodiscard]] Result<StoredSession> decode(const StoreKey& key, std::string_view payload) const;

private:
    [[nodiscard]] Result<StoredSession>
    decode_plain(const StoreKey& key, std::string_view rest) const;
    [[nodiscard]] Result<StoredSession>
    decode_sealed(const StoreKey& key, std::string_view payload, std::string_view rest) const;

    SealingKeys keys_;
    bool reads_unsealed_ = false;
};

} // namespace sojourn

#endif // SOJOURN_STORE_RECORD_CODEC_HPP
