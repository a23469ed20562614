/// @file
/// Private header. A Unix domain socket that only its owner may open. Linux; see the source.

#ifndef SOJOURN_ADMIN_UNIX_LISTENER_HPP
#define SOJOURN_ADMIN_UNIX_LISTENER_HPP

#include "sojourn/http_server/protocol.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <string>

namespace sojourn::admin {

/// Listens on a socket of mode 0600, which nobody could open before it had that mode. A socket that
/// lies there and that nobody listens on, as a server leaves one that was killed, is replaced;
/// anything else is not. Two servers that start there at the same moment are not told apart: the
/// second may take the name away from the first.
///
/// *Exceptions*: `boost::system::system_error`, such as `address_in_use`.
[[nodiscard]] http_server::Acceptor
listen_on_unix_socket(const boost::asio::any_io_executor& executor, const std::string& path);

/// The name of a socket in the file system, which takes it away again if it is still ours.
class SocketFile {
public:
    /// Precondition: somebody listens there.
    explicit SocketFile(std::string path);
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;
    SocketFile(SocketFile&&) = delete;
    SocketFile& operator=(SocketFile&&) = delete;
    ~SocketFile();

private:
    std::string path_;
    unsigned long long device_ = 0;
    unsigned long long inode_ = 0;
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_UNIX_LISTENER_HPP
