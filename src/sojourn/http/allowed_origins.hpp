/// @file
/// Whose pages may call a server: the `Origin` field of a request against a list.

#ifndef SOJOURN_HTTP_ALLOWED_ORIGINS_HPP
#define SOJOURN_HTTP_ALLOWED_ORIGINS_HPP

#include "sojourn/http/origin.hpp"
#include "sojourn/http/singleton_field.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace sojourn::http {

/// Where a server listens.
enum class ListensOn : std::uint8_t {
    /// On the loopback interface: only programs of its own machine get to it, a browser with
    /// anybody's page among them.
    loopback,
    network,
};

/// The origins whose pages may call a server; a request that no page sent has none, and may.
///
/// A page of anybody can make its browser send requests to a server behind a firewall or on
/// loopback, and by DNS rebinding read the answers as if they came from its own host. The browser
/// then says in `Origin` whose page it was.
///
/// Once it is filled, any number of threads may use one.
class AllowedOrigins {
public:
    /// On loopback, pages of servers on loopback are allowed; else no page is.
    explicit AllowedOrigins(ListensOn listens_on) noexcept : listens_on_(listens_on) {}

    /// Allows pages of this origin too. *Exceptions*: `bad_alloc`.
    AllowedOrigins& add(Origin origin)
    {
        origins_.push_back(std::move(origin));
        return *this;
    }

    /// Whether a request with this `Origin` field may be served: it is absent, or one origin that
    /// is allowed. Linear in the field and in the origins. *Exceptions*: `bad_alloc`.
    [[nodiscard]] bool allow(const SingletonField& field) const;

private:
    std::vector<Origin> origins_;
    ListensOn listens_on_;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_ALLOWED_ORIGINS_HPP
