/// @file
/// One of the clients of a soak: visits the service again and again, does one thing after the
/// other there, and sometimes vanishes in the middle of it.

#ifndef SOJOURN_TESTS_SOAK_CLIENT_HPP
#define SOJOURN_TESTS_SOAK_CLIENT_HPP

#include "soak/scene.hpp"

#include <sojourn/core/frame.hpp>
#include <sojourn/core/frame_page.hpp>
#include <sojourn/core/session_id.hpp>
#include <sojourn/core/session_reference.hpp>
#include <sojourn/core/time.hpp>
#include <sojourn/service/session_lease.hpp>
#include <sojourn/service/weak_lease.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests::soak {

/// *Thread safety*: none; it runs on a strand of its own. *Lifetime*: the scene outlives it.
class Client {
public:
    /// Of those it records, in bytes.
    static constexpr std::size_t longest_frame = 500 + Frame::overhead;

    Client(Scene& scene, std::uint64_t seed) : scene_(scene), random_(seed) {}

    /// Visits until the scene is closed, or the service stops.
    [[nodiscard]] static boost::asio::awaitable<void> run(std::unique_ptr<Client> self);

private:
    using Leases = std::vector<SessionLease>;

    [[nodiscard]] boost::asio::awaitable<void> visit();
    [[nodiscard]] boost::asio::awaitable<void> visit_and_vanish();
    [[nodiscard]] boost::asio::awaitable<void> step(Leases& leases);

    // What one may do.

    [[nodiscard]] boost::asio::awaitable<void> create(Leases& leases);
    [[nodiscard]] boost::asio::awaitable<void> acquire(Leases& leases);
    [[nodiscard]] boost::asio::awaitable<void> acquire_exclusive();
    [[nodiscard]] boost::asio::awaitable<void> stream();
    template <class Lease>
    [[nodiscard]] boost::asio::awaitable<void> record(Lease& lease);
    [[nodiscard]] boost::asio::awaitable<void> follow(const WeakLease& weak);
    [[nodiscard]] boost::asio::awaitable<void> read(SessionReference reference);
    [[nodiscard]] boost::asio::awaitable<void> wait_until_closed();
    [[nodiscard]] boost::asio::awaitable<void> guess();
    [[nodiscard]] boost::asio::awaitable<void> look();
    [[nodiscard]] boost::asio::awaitable<void> rotate();
    [[nodiscard]] boost::asio::awaitable<void> change();
    [[nodiscard]] boost::asio::awaitable<void> end();
    [[nodiscard]] boost::asio::awaitable<void> administer();

    void judge(const Error& error, std::string_view operation);
    void judge(const FramePage& page, std::uint64_t after);
    [[nodiscard]] SessionId any_id();
    [[nodiscard]] std::string any_principal();
    [[nodiscard]] std::string any_peer();
    [[nodiscard]] std::string any_text();
    [[nodiscard]] Duration up_to(Duration length);

    /// In one of so many cases.
    [[nodiscard]] bool one_in(std::uint64_t cases) { return random_() % cases == 0; }

    Scene& scene_;
    std::mt19937_64 random_;
    /// The service takes nobody any more.
    bool is_stopped_ = false;
};

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_CLIENT_HPP
