// Linux gives a socket's file the mode of the socket that is bound to it. Elsewhere the file would
// have the mode that the process's mask allows until it is changed, and somebody could open it in
// between.

#include "sojourn/admin/unix_listener.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/system_error.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace sojourn::admin {

namespace asio = boost::asio;
using http_server::Acceptor;
using http_server::Protocol;

namespace {

[[noreturn]] void fail(boost::system::error_code error, const std::string& path)
{
    throw boost::system::system_error(error, path);
}

boost::system::error_code last_error()
{
    return {errno, boost::system::system_category()};
}

/// Whether a socket lies there that nobody listens on. Waits for nobody: who listens and is too
/// busy to accept is there.
bool is_abandoned(const Protocol::endpoint& endpoint, const char* path)
{
    struct stat status{};
    if (::lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    const int caller = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (caller < 0) {
        return false;
    }
    const bool is_refused =
        ::connect(caller, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 &&
        errno == ECONNREFUSED;
    ::close(caller);
    return is_refused;
}

} // namespace

Acceptor listen_on_unix_socket(const asio::any_io_executor& executor, const std::string& path)
{
    const Protocol::endpoint endpoint = asio::local::stream_protocol::endpoint(path);
    Acceptor acceptor(executor, endpoint.protocol());
    if (::fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0) {
        fail(last_error(), path);
    }
    boost::system::error_code error;
    error = acceptor.bind(endpoint, error);
    if (error == asio::error::address_in_use && is_abandoned(endpoint, path.c_str())) {
        static_cast<void>(::unlink(path.c_str()));
        error = acceptor.bind(endpoint, error);
    }
    if (error) {
        fail(error, path);
    }
    acceptor.listen();
    return acceptor;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path))
{
    struct stat status{};
    if (::lstat(path_.c_str(), &status) != 0) {
        fail(last_error(), path_);
    }
    device_ = status.st_dev;
    inode_ = status.st_ino;
}

SocketFile::~SocketFile()
{
    struct stat status{};
    if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_) {
        static_cast<void>(::unlink(path_.c_str()));
    }
}

} // namespace sojourn::admin
