/// @file
/// Fuzzes the example server with what a socket can bring: a `Connection` of its own, its API and a
/// service behind them, on one thread and with a clock that stands still. The input is what clients
/// send, but for four bytes, which UTF-8 does not have either:
///
///   FC   the client closes; what follows comes from the next one
///   FD   the same, and ten minutes pass
///   FE   is replaced by the session id that was given last
///   FF   what follows comes later
///
/// Every answer must be whole, one of those that the server knows, and without a secret; and the
/// answers must be the same if what each client sends comes at once.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"
#include "http_sessions/api.hpp"
#include "http_sessions/server_options.hpp"

#include <sojourn/http_server/connection.hpp>
#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>
#include <sojourn/testing/seeded_id_source.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr char client_closes = '\xFC';
constexpr char time_passes = '\xFD';
constexpr char last_id = '\xFE';
constexpr char comes_later = '\xFF';

/// So small that all of them are reached.
http_sessions::ServerOptions server_options()
{
    http_sessions::ServerOptions options;
    options.limits.header_bytes = 512;
    options.limits.body_bytes = 512;
    options.service.max_sessions(3)
        .max_half_open(2)
        .max_sessions_per_principal(2)
        .eviction_grace(Duration::zero())
        .creation_rate(RateLimit(1, 6))
        .creation_keys(4)
        .request_rate(RateLimit(1, 6))
        .max_attribute_bytes(256);
    return options;
}

ServiceEnvironment environment(const std::shared_ptr<Clock>& clock)
{
    return ServiceEnvironment().clock(clock).id_source(std::make_shared<testing::SeededIdSource>());
}

/// Checks answers one after the other, and notes the ids that are given in them.
class Reader {
public:
    void read(std::string_view answers)
    {
        while (!answers.empty()) {
            beast::http::response_parser<beast::http::empty_body> parser;
            boost::system::error_code error;
            const auto header_size = parser.put(asio::buffer(answers), error);
            const auto whole = answers;
            answers.remove_prefix(std::min(header_size, answers.size()));
            if (error || !parser.is_header_done()) {
                report_finding("no answer: '{}'", whole);
            }
            check_header(parser.get(), whole);
            check_body(take_body(parser, answers), whole);
        }
    }

    [[nodiscard]] const std::string& id() const noexcept { return id_; }

private:
    static std::string_view take_body(
        const beast::http::response_parser<beast::http::empty_body>& parser,
        std::string_view& answers
    )
    {
        const auto status = parser.get().result();
        const auto length = parser.content_length();
        if (status == beast::http::status::continue_ || status == beast::http::status::no_content) {
            return {};
        }
        if (!length) {
            report_finding("an answer has no end: '{}'", answers);
        }
        // All bodies are objects, and the answer to a HEAD has none.
        if (!answers.starts_with('{')) {
            return {};
        }
        if (answers.size() < *length) {
            report_finding("an answer is cut off: '{}'", answers);
        }
        const auto body = answers.substr(0, *length);
        answers.remove_prefix(body.size());
        return body;
    }

    void check_header(const beast::http::response_header<>& header, std::string_view answer)
    {
        using beast::http::field;
        constexpr std::array statuses = {
            100, 200, 201, 204, 400, 401, 404, 405, 413, 429, 431, 503
        };
        if (std::ranges::find(statuses, header.result_int()) == statuses.end()) {
            report_finding("an answer that nobody expects: '{}'", answer);
        }
        constexpr std::array fields = {
            field::cache_control,
            field::connection,
            field::content_length,
            field::content_type,
            field::retry_after,
            field::set_cookie,
            field::allow,
            field::www_authenticate
        };
        for (const auto& line : header) {
            if (std::ranges::find(fields, line.name()) == fields.end()) {
                report_finding("a field that nobody expects: '{}'", answer);
            }
        }
        if (const std::string given = header[field::set_cookie]; !given.empty()) {
            note_cookie(given);
        }
    }

    void note_cookie(const std::string& given)
    {
        const http::SessionCookie cookie;
        if (given == cookie.take_away()) {
            return;
        }
        const auto text = given.substr(std::min(cookie.name().size() + 1, given.size()));
        const auto id = SessionId::parse_issued(text.substr(0, text.find(';')));
        if (!id || cookie.give(*id) != given) {
            report_finding("a cookie that is none: '{}'", given);
        }
        id_ = std::string(id->text());
        all_ids_.push_back(id_);
    }

    void check_body(std::string_view body, std::string_view answer) const
    {
        if (body.empty()) {
            return;
        }
        boost::system::error_code error;
        const auto value = boost::json::parse(body, error);
        if (error) {
            report_finding("a body that is no JSON: '{}'", answer);
        }
        const auto* const ledger = value.as_object().if_contains("ledger_holds");
        if (ledger != nullptr && *ledger != true) {
            report_finding("the ledger does not hold: '{}'", body);
        }
        for (const auto& id : all_ids_) {
            // The client may have sent it as an attribute; then it is his own doing.
            if (body.find(id) != std::string_view::npos && value.as_object().contains("error")) {
                report_finding("an error tells a secret: '{}'", answer);
            }
        }
    }

    std::string id_;
    std::vector<std::string> all_ids_;
};

/// What the clients sent, one after the other, each in pieces.
struct Client {
    std::vector<std::string> pieces = {""};
    std::chrono::minutes then_pass{0};
};

std::vector<Client> clients_of(std::string_view input)
{
    std::vector<Client> clients(1);
    for (const char byte : input) {
        if (byte == client_closes || byte == time_passes) {
            clients.back().then_pass = std::chrono::minutes(byte == time_passes ? 10 : 0);
            clients.emplace_back();
        } else if (byte == comes_later) {
            clients.back().pieces.emplace_back();
        } else {
            clients.back().pieces.back() += byte;
        }
    }
    return clients;
}

class Host {
public:
    Host() : service_(context_.get_executor(), options_.service, environment(clock_)) {}

    /// What the server answered, with the ids put into what the client sends.
    std::string serve(Client& client)
    {
        asio::local::stream_protocol::socket server_end(context_);
        asio::local::stream_protocol::socket client_end(context_);
        asio::local::connect_pair(server_end, client_end);
        client_end.non_blocking(true);
        bool has_ended = false;
        start(
            asio::ip::tcp::socket(context_, asio::ip::tcp::v4(), server_end.release()), has_ended
        );

        std::string answers;
        for (auto& piece : client.pieces) {
            put_ids(piece);
            boost::system::error_code ignored;
            asio::write(client_end, asio::buffer(piece), ignored);
            listen(client_end, answers);
        }
        boost::system::error_code ignored;
        ignored = client_end.shutdown(asio::socket_base::shutdown_send, ignored);
        listen(client_end, answers);
        if (!has_ended) {
            report_finding("a client is gone, and the server waits for it; answers: '{}'", answers);
        }
        check_service();
        clock_->advance(client.then_pass);
        return answers;
    }

private:
    void start(asio::ip::tcp::socket socket, bool& has_ended)
    {
        const auto connection =
            std::make_shared<http_server::Connection>(std::move(socket), api_, options_.limits);
        asio::co_spawn(
            connection->executor(),
            http_server::Connection::serve(connection),
            [&has_ended](const std::exception_ptr& failure) {
                if (failure) {
                    report_finding("a connection ended with an exception");
                }
                has_ended = true;
            }
        );
    }

    /// Reads as long as the server has something to say.
    void listen(asio::local::stream_protocol::socket& socket, std::string& answers)
    {
        std::array<char, 4096> bytes{};
        const auto heard = answers.size();
        for (std::size_t length = 1; length > 0;) {
            settle();
            boost::system::error_code ignored;
            length = socket.read_some(asio::buffer(bytes), ignored);
            answers.append(bytes.data(), length);
        }
        reader_.read(std::string_view(answers).substr(heard));
    }

    void settle()
    {
        context_.restart();
        context_.poll();
    }

    void put_ids(std::string& piece) const
    {
        for (auto place = piece.find(last_id); place != std::string::npos;
             place = piece.find(last_id, place)) {
            piece.replace(place, 1, reader_.id());
        }
    }

    void check_service()
    {
        std::optional<Metrics> found;
        service_.async_metrics([&found](const Result<Metrics>& metrics) { found = metrics.value(); }
        );
        settle();
        const auto& metrics = found.value();
        if (!metrics.ledger_holds() || metrics.live > options_.service.max_sessions() ||
            metrics.half_open > options_.service.max_half_open()) {
            report_finding("{} live, {} half-open", metrics.live, metrics.half_open);
        }
        if (metrics.leased != 0) {
            report_finding("{} sessions are leased, and nobody is there", metrics.leased);
        }
    }

    const http_sessions::ServerOptions options_ = server_options();
    std::shared_ptr<testing::ManualClock> clock_ = std::make_shared<testing::ManualClock>();
    asio::io_context context_{1};
    SessionService service_;
    http_sessions::Api api_{service_, options_};
    Reader reader_;
};

std::vector<std::string> served(std::vector<Client>& clients)
{
    Host host;
    std::vector<std::string> answers;
    for (auto& client : clients) {
        answers.push_back(host.serve(client));
    }
    return answers;
}

/// True if somebody sent something in more than one piece.
bool join(std::vector<Client>& clients)
{
    bool has_joined = false;
    for (auto& client : clients) {
        std::string all;
        for (const auto& piece : client.pieces) {
            all += piece;
        }
        has_joined = has_joined || client.pieces.size() > 1;
        client.pieces = {std::move(all)};
    }
    return has_joined;
}

/// A header that is both too large and malformed is refused for what is seen first, and Beast looks
/// at the size only when there is no more to read.
bool is_same_refusal(const std::string& left, const std::string& right)
{
    const auto last = left.rfind("HTTP/1.1 4");
    if (last == std::string::npos || left.compare(0, last, right, 0, last) != 0) {
        return false;
    }
    const auto one = left.substr(last, 12);
    const auto other = right.substr(last, 12);
    return (one == "HTTP/1.1 400" && other == "HTTP/1.1 431") ||
           (one == "HTTP/1.1 431" && other == "HTTP/1.1 400");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto clients = clients_of(text_of({data, size}));
    constexpr std::size_t clients_max = 16;
    if (clients.size() > clients_max) {
        return -1;
    }
    const auto in_pieces = served(clients);
    if (!join(clients)) {
        return 0;
    }
    const auto at_once = served(clients);
    for (std::size_t i = 0; i < clients.size(); ++i) {
        if (in_pieces[i] != at_once[i] && !is_same_refusal(in_pieces[i], at_once[i])) {
            report_finding(
                "'{}' is answered with '{}' in pieces, and '{}' at once",
                clients[i].pieces.front(),
                in_pieces[i],
                at_once[i]
            );
        }
    }
    return 0;
}
