#include "sojourn/admin/endpoint.hpp"

#include "sojourn/admin/api.hpp"
#include "sojourn/admin/unix_listener.hpp"
#include "sojourn/http_server/server.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace sojourn::admin {

namespace asio = boost::asio;
using http_server::Acceptor;

namespace {

Options checked(Options options)
{
    if (const auto objection = options.objection()) {
        throw std::invalid_argument(*objection);
    }
    return options;
}

Acceptor listen(const asio::any_io_executor& executor, const Options& options)
{
    if (const auto* const where = std::get_if<asio::ip::tcp::endpoint>(&options.listen())) {
        return {executor, http_server::Protocol::endpoint(*where)};
    }
    return listen_on_unix_socket(executor, std::get<std::string>(options.listen()));
}

} // namespace

class Endpoint::Implementation {
public:
    Implementation(
        const asio::any_io_executor& executor, SessionService& service, const Options& options
    )
        : api_(service, checked(options)),
          server_(
              executor,
              api_,
              listen(executor, options),
              options.limits(),
              http_server::Threads::many
          )
    {
        if (const auto* const path = std::get_if<std::string>(&options.listen())) {
            file_.emplace(*path);
        }
    }

    [[nodiscard]] http_server::Server& server() noexcept { return server_; }

private:
    Api api_;
    http_server::Server server_;
    std::optional<SocketFile> file_;
};

Endpoint::Endpoint(
    const asio::any_io_executor& executor, SessionService& service, const Options& options
)
    : implementation_(std::make_unique<Implementation>(executor, service, options))
{
}

Endpoint::~Endpoint() = default;

asio::ip::tcp::endpoint Endpoint::tcp_endpoint() const
{
    return implementation_->server().tcp_endpoint();
}

void Endpoint::start()
{
    implementation_->server().start();
}

asio::awaitable<void> Endpoint::stop()
{
    static_cast<void>(co_await implementation_->server().stop());
}

} // namespace sojourn::admin
