/// @file
/// The built-in load of the demo: five kinds of visitors, each of whom makes one thing visible.
///
/// *Regulars* come back several times a second: they touch their sessions, so these are never the
/// ones that make room. *Drifters* take a session and never return: those that wait for
/// their first request are so many that the oldest are evicted. *Passers-by* take a session with a
/// short idle timeout: it expires. *The hasty one* asks far too often and is told to slow down.
/// *The crowd* logs in faster than the table has room: nobody who was served within the grace time
/// is pushed out for it, so it is shed.

#ifndef HTTP_SESSIONS_DEMO_VISITORS_HPP
#define HTTP_SESSIONS_DEMO_VISITORS_HPP

#include "loopback_client.hpp"
#include "tally.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <string>

namespace http_sessions {

/// *Thread safety*: none; everything on the executor, which must belong to one thread. *Lifetime*:
/// until `have_left`, or until the executor's context does not run any more.
class Visitors {
public:
    Visitors(boost::asio::any_io_executor executor, boost::asio::ip::tcp::endpoint server);
    Visitors(const Visitors&) = delete;
    Visitors& operator=(const Visitors&) = delete;
    Visitors(Visitors&&) = delete;
    Visitors& operator=(Visitors&&) = delete;
    ~Visitors() = default;

    /// Lets them all in.
    void arrive();

    /// Asks them to leave, which each does after the request it is at.
    void ask_to_leave() noexcept { are_leaving_ = true; }

    [[nodiscard]] bool have_left() const noexcept { return present_ == 0; }

    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

private:
    using Visit = boost::asio::awaitable<void> (Visitors::*)();

    void add(std::size_t count, Visit visit);
    boost::asio::awaitable<void> regular();
    boost::asio::awaitable<void> drifter();
    boost::asio::awaitable<void> passer_by();
    boost::asio::awaitable<void> hasty_one();
    boost::asio::awaitable<void> crowd();

    boost::asio::awaitable<void> create(LoopbackClient& client, std::string body);
    boost::asio::awaitable<void> touch(LoopbackClient& client);
    boost::asio::awaitable<void>
    change(LoopbackClient& client, http::verb method, std::string target, std::string body);
    void note_lost_or_wrong(LoopbackClient& client, const Response& response);

    boost::asio::any_io_executor executor_;
    boost::asio::ip::tcp::endpoint server_;
    Tally tally_;
    std::size_t present_ = 0;
    bool are_leaving_ = false;
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_DEMO_VISITORS_HPP
