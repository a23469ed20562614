/// @file
/// What one new session shall be like, where it differs from the service's defaults.

#ifndef SOJOURN_CORE_CREATE_OPTIONS_HPP
#define SOJOURN_CORE_CREATE_OPTIONS_HPP

#include "sojourn/core/attributes.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace sojourn {

/// Bytes in the longest principal.
inline constexpr std::size_t max_principal_length = 256;

/// Bytes in the longest peer key.
inline constexpr std::size_t max_peer_length = 256;

/// The options of one new session, with chained setters. All are optional.
class CreateOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    CreateOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// The verified user it belongs to, at most `max_principal_length` bytes; default none. Such a
    /// session is not half-open: somebody already proved to be there.
    CreateOptions& principal(std::string name)
    {
        principal_ = std::move(name);
        return *this;
    }

    [[nodiscard]] const std::string& principal() const noexcept { return principal_; }

    /// Where the client comes from, at most `max_peer_length` bytes: its address or, for IPv6,
    /// where everybody has many, the first 64 bits of it. Any text will do that is the same for the
    /// same client. Used for `ServiceOptions::creation_rate` and forgotten; default none.
    CreateOptions& peer(std::string key)
    {
        peer_ = std::move(key);
        return *this;
    }

    [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

    /// Its first attributes; default none.
    CreateOptions& attributes(Attributes data)
    {
        attributes_ = std::move(data);
        return *this;
    }

    [[nodiscard]] const Attributes& attributes() const noexcept { return attributes_; }

    /// Its own idle timeout, within the bounds of `ServiceOptions::idle_timeout`.
    CreateOptions& idle_timeout(Duration length) noexcept
    {
        idle_timeout_ = length;
        return *this;
    }

    [[nodiscard]] std::optional<Duration> idle_timeout() const noexcept { return idle_timeout_; }

    /// Its own lifetime, within the bounds of `ServiceOptions::absolute_lifetime`.
    CreateOptions& absolute_lifetime(Duration length) noexcept
    {
        absolute_lifetime_ = length;
        return *this;
    }

    [[nodiscard]] std::optional<Duration> absolute_lifetime() const noexcept
    {
        return absolute_lifetime_;
    }

    /// How fast it may be acquired, within the bounds of `ServiceOptions::request_rate`: for
    /// clients that pay for more, or are trusted less. It stays with the session, through rotations
    /// too.
    CreateOptions& request_rate(RateLimit limit) noexcept
    {
        request_rate_ = limit;
        return *this;
    }

    [[nodiscard]] std::optional<RateLimit> request_rate() const noexcept { return request_rate_; }

    /// An id that a peer chose, for a proxy that keeps its upstream's; default none, and the
    /// service issues one.
    CreateOptions& adopt(SessionId id)
    {
        adopted_id_ = std::move(id);
        return *this;
    }

    [[nodiscard]] const std::optional<SessionId>& adopted_id() const noexcept
    {
        return adopted_id_;
    }

private:
    std::string principal_;
    std::string peer_;
    Attributes attributes_;
    std::optional<Duration> idle_timeout_;
    std::optional<Duration> absolute_lifetime_;
    std::optional<RateLimit> request_rate_;
    std::optional<SessionId> adopted_id_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_CREATE_OPTIONS_HPP
