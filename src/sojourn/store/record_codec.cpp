#include "sojourn/store/record_codec.hpp"

#include "sojourn/store/record_seal.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <limits>
#include <utility>
#include <vector>

namespace sojourn {

namespace {

constexpr std::string_view magic = "SJ";
constexpr std::uint8_t is_sealed = 1;
constexpr std::size_t header_bytes = 4;
/// Of a SHA-256: enough to notice an accident.
constexpr std::size_t checksum_bytes = 8;

static_assert(std::endian::native == std::endian::little, "records are little endian");

template <std::integral T>
void append(std::string& text, T number)
{
    const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(number);
    text.append(bytes.data(), bytes.size());
}

void append_text(std::string& text, std::string_view value)
{
    append(text, static_cast<std::uint32_t>(value.size()));
    text += value;
}

std::int64_t nanoseconds_of(WallTime moment) noexcept
{
    return std::chrono::duration_cast<Duration>(moment.time_since_epoch()).count();
}

WallTime moment_of(std::int64_t nanoseconds) noexcept
{
    return WallTime(std::chrono::duration_cast<WallTime::duration>(Duration(nanoseconds)));
}

/// Takes one thing after the other from the front of a text. From the first one that is not there
/// on there is nothing any more.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : left_(text) {}

    template <std::integral T>
    [[nodiscard]] T number() noexcept
    {
        std::array<char, sizeof(T)> bytes{};
        std::ranges::copy(take(sizeof(T)), bytes.begin());
        return std::bit_cast<T>(bytes);
    }

    [[nodiscard]] std::string_view text() noexcept { return take(number<std::uint32_t>()); }

    /// Whether all that was asked for was there, and no more is.
    [[nodiscard]] bool is_complete() const noexcept { return is_whole_ && left_.empty(); }

    [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }

private:
    std::string_view take(std::size_t count) noexcept
    {
        is_whole_ = is_whole_ && count <= left_.size();
        if (!is_whole_) {
            return {};
        }
        const auto taken = left_.substr(0, count);
        left_.remove_prefix(count);
        return taken;
    }

    std::string_view left_;
    bool is_whole_ = true;
};

std::string body_of(const StoredSession& session)
{
    std::string body;
    append(body, session.reference.value());
    append(body, session.attributes.version);
    append(body, nanoseconds_of(session.created));
    append(body, nanoseconds_of(session.lifetime_end));
    append(body, static_cast<std::int64_t>(session.idle_timeout.count()));
    append(body, static_cast<std::uint8_t>(session.own_rate ? 1 : 0));
    const auto rate = session.own_rate.value_or(RateLimit::unlimited());
    append(body, rate.requests_per_second());
    append(body, rate.burst());
    append_text(body, session.principal);
    append(body, static_cast<std::uint32_t>(session.attributes.data.size()));
    for (const auto [name, value] : session.attributes.data) {
        append_text(body, name);
        append_text(body, value);
    }
    return body;
}

Result<StoredSession> session_of(std::string_view body)
{
    Reader reader(body);
    StoredSession session;
    session.reference = SessionReference(reader.number<std::uint64_t>());
    session.attributes.version = reader.number<std::uint64_t>();
    session.created = moment_of(reader.number<std::int64_t>());
    session.lifetime_end = moment_of(reader.number<std::int64_t>());
    session.idle_timeout = Duration(reader.number<std::int64_t>());
    const auto has_own_rate = reader.number<std::uint8_t>() != 0;
    const auto requests_per_second = reader.number<std::uint32_t>();
    const auto burst = reader.number<std::uint32_t>();
    if (has_own_rate) {
        session.own_rate = RateLimit(requests_per_second, burst);
    }
    session.principal = reader.text();
    std::vector<Attributes::Entry> entries;
    const auto count = reader.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && reader.is_whole(); ++i) {
        const auto name = reader.text();
        const auto value = reader.text();
        entries.emplace_back(name, value);
    }
    session.attributes.data = Attributes::from(entries);
    if (!reader.is_complete()) {
        return errc::record_unreadable;
    }
    return session;
}

std::string header_of(std::uint8_t flags)
{
    std::string header(magic);
    append(header, RecordCodec::schema);
    append(header, flags);
    return header;
}

/// What a record in the clear is checked with.
std::string checksum(const StoreKey& key, std::string_view body)
{
    const auto hash = StoreKey::of_text(key.hex().append(body));
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a char may look at anything
    return {reinterpret_cast<const char*>(hash.bytes().data()), checksum_bytes};
}

} // namespace

std::string RecordCodec::encode(const StoreKey& key, const StoredSession& session) const
{
    const auto body = body_of(session);
    if (keys_.empty()) {
        return header_of(0).append(checksum(key, body)).append(body);
    }
    auto payload = header_of(is_sealed);
    append(payload, keys_.newest().number);
    return payload.append(seal(keys_.newest(), body, payload + key.hex()));
}

Result<StoredSession> RecordCodec::decode(const StoreKey& key, std::string_view payload) const
{
    if (payload.size() < header_bytes || !payload.starts_with(magic)) {
        return errc::record_unreadable;
    }
    Reader header(payload.substr(magic.size(), 2));
    const auto written_as = header.number<std::uint8_t>();
    const auto flags = header.number<std::uint8_t>();
    if (written_as > schema) {
        return errc::record_too_new;
    }
    if (written_as == 0 || flags > is_sealed) {
        return errc::record_unreadable;
    }
    const auto rest = payload.substr(header_bytes);
    return flags == is_sealed ? decode_sealed(key, payload, rest) : decode_plain(key, rest);
}

Result<StoredSession> RecordCodec::decode_plain(const StoreKey& key, std::string_view rest) const
{
    const bool is_readable = keys_.empty() || reads_unsealed_;
    if (!is_readable || rest.size() < checksum_bytes) {
        return errc::record_unreadable;
    }
    const auto body = rest.substr(checksum_bytes);
    if (rest.substr(0, checksum_bytes) != checksum(key, body)) {
        return errc::record_unreadable;
    }
    return session_of(body);
}

Result<StoredSession> RecordCodec::decode_sealed(
    const StoreKey& key, std::string_view payload, std::string_view rest
) const
{
    constexpr std::size_t number_bytes = sizeof(std::uint32_t);
    if (rest.size() < number_bytes) {
        return errc::record_unreadable;
    }
    const auto* const sealing_key = keys_.find(Reader(rest).number<std::uint32_t>());
    if (sealing_key == nullptr) {
        return errc::record_unreadable;
    }
    const auto beside = std::string(payload.substr(0, header_bytes + number_bytes)) + key.hex();
    const auto body = open(*sealing_key, rest.substr(number_bytes), beside);
    if (!body) {
        return errc::record_unreadable;
    }
    return session_of(*body);
}

} // namespace sojourn
