#include "sojourn/admin/command.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>

using namespace sojourn;
using namespace sojourn::admin;
using namespace std::chrono_literals;
using boost::beast::http::status;
using boost::beast::http::verb;

namespace {

template <class Wanted>
Wanted read(verb method, std::string_view target)
{
    INFO(target);
    const auto read = read_command(method, target);
    if (const auto* const wrong = std::get_if<Misunderstanding>(&read)) {
        FAIL(wrong->field << ' ' << wrong->message);
    }
    return std::get<Wanted>(std::get<Command>(read));
}

Misunderstanding refused(verb method, std::string_view target)
{
    INFO(target);
    const auto read = read_command(method, target);
    REQUIRE(std::holds_alternative<Misunderstanding>(read));
    return std::get<Misunderstanding>(read);
}

/// The field that is wrong, of a request that is answered 400.
std::string wrong_field(verb method, std::string_view target)
{
    const auto wrong = refused(method, target);
    CHECK(wrong.status == status::bad_request);
    CHECK_FALSE(wrong.message.empty());
    return wrong.field;
}

std::string_view allowed(verb method, std::string_view target)
{
    const auto wrong = refused(method, target);
    CHECK(wrong.status == status::method_not_allowed);
    return wrong.allowed;
}

} // namespace

TEST_CASE("admin command: a listing is of all, in pages of a hundred", "[unit][admin]")
{
    const auto list = read<ListSessions>(verb::get, "/sessions");
    CHECK_FALSE(list.filter.principal().has_value());
    CHECK_FALSE(list.filter.use().has_value());
    CHECK_FALSE(list.filter.idle_for().has_value());
    CHECK(list.limit == 100);
    CHECK(list.after == SessionCursor{});
    CHECK_FALSE(list.order.has_value());
}

TEST_CASE("admin command: a listing takes each filter, and a cursor or an order", "[unit][admin]")
{
    const auto list = read<ListSessions>(
        verb::get, "/sessions?principal=a%20b&use=half_open&idle_for=1h30m&limit=7&after=3-99"
    );
    CHECK(list.filter.principal() == "a b");
    CHECK(list.filter.use() == SessionUse::half_open);
    CHECK(list.filter.idle_for() == 90min);
    CHECK(list.limit == 7);
    CHECK(list.after == SessionCursor{.shard = 3, .slot = 99});
    CHECK(read<ListSessions>(verb::head, "/sessions?principal=").filter.principal() == "");
    CHECK(read<ListSessions>(verb::get, "/sessions?use=in_use").filter.use() == SessionUse::in_use);
    CHECK(read<ListSessions>(verb::get, "/sessions?use=idle").filter.use() == SessionUse::idle);
    CHECK(read<ListSessions>(verb::get, "/sessions?sort=idle").order == SessionOrder::idle);
    CHECK(read<ListSessions>(verb::get, "/sessions?sort=age").order == SessionOrder::age);
    CHECK(read<ListSessions>(verb::get, "/sessions?sort=requests").order == SessionOrder::requests);
    CHECK(to_string(SessionCursor{.shard = 3, .slot = 99}) == "3-99");
}

TEST_CASE("admin command: what is wrong in a query is named", "[unit][admin]")
{
    for (const std::string_view query :
         {"limit=0",
          "limit=1001",
          "limit=-1",
          "limit=",
          "limit=1x",
          "limit=99999999999999999999",
          "after=",
          "after=1",
          "after=-1",
          "after=1-",
          "after=1-2-3",
          "after=1-99999999999",
          "after=0-0&sort=age",
          "sort=name",
          "sort=",
          "use=busy",
          "use=",
          "idle_for=",
          "idle_for=5",
          "idle_for=0",
          "idle_for=-5m",
          "idle_for=1y",
          "idle_for=99999999999999d",
          "limit=1&limit=1",
          "principal=a&principal=b",
          "id=x",
          "Limit=1"}) {
        const auto target = "/sessions?" + std::string(query);
        CHECK(wrong_field(verb::get, target) == query.substr(0, query.find('=')));
    }
    CHECK(
        refused(verb::get, "/sessions?use=busy").message ==
        "must be one of: in_use, idle, half_open"
    );
    CHECK(
        refused(verb::get, "/sessions?idle_for=1y").message ==
        "a duration has an unknown unit; use d, h, m, s or ms"
    );
    CHECK(wrong_field(verb::get, "/stats?x=1") == "x");
    CHECK(
        refused(verb::get, "/stats?x=1").message ==
        "is no parameter of this resource, which has none"
    );
}

TEST_CASE("admin command: a session is named by its reference and nothing else", "[unit][admin]")
{
    const SessionReference reference(0x0123456789abcdef);
    CHECK(read<ShowSession>(verb::get, "/sessions/0123456789abcdef").reference == reference);
    CHECK(read<DeleteSession>(verb::delete_, "/sessions/0123456789abcdef").reference == reference);
    for (const std::string_view text :
         {"0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg", "", "%00"
         }) {
        CHECK(wrong_field(verb::get, "/sessions/" + std::string(text)) == "reference");
    }
}

TEST_CASE("admin command: frames are those of a session, from any number on", "[unit][admin]")
{
    const auto all = read<ShowFrames>(verb::get, "/sessions/0123456789abcdef/frames");
    CHECK(all.reference == SessionReference(0x0123456789abcdef));
    CHECK(all.query.after() == 0);
    CHECK(all.query.limit() == 100);
    CHECK_FALSE(all.query.stream().has_value());
    const auto some = read<ShowFrames>(
        verb::get,
        "/sessions/0123456789abcdef/frames?after=18446744073709551615&limit=7&stream=4294967295"
    );
    CHECK(some.query.after() == 18446744073709551615U);
    CHECK(some.query.limit() == 7);
    CHECK(some.query.stream() == 4294967295U);
    for (const std::string_view query :
         {"after=-1", "after=", "after=18446744073709551616", "limit=0", "stream=4294967296", "x=1"
         }) {
        const auto target = "/sessions/0123456789abcdef/frames?" + std::string(query);
        CHECK(wrong_field(verb::get, target) == query.substr(0, query.find('=')));
    }
    CHECK(wrong_field(verb::get, "/sessions/x/frames") == "reference");
}

TEST_CASE("admin command: a principal may have any name but none", "[unit][admin]")
{
    CHECK(read<DeletePrincipal>(verb::delete_, "/principals/bob/sessions").principal == "bob");
    CHECK(
        read<DeletePrincipal>(verb::delete_, "/principals/a%2Fb%3Fc%20%C3%A9/sessions").principal ==
        "a/b?c \xC3\xA9"
    );
    CHECK(wrong_field(verb::delete_, "/principals//sessions") == "principal");
}

TEST_CASE("admin command: a principal that no path can name is deleted by a query", "[unit][admin]")
{
    const auto deleted = [](std::string_view query) {
        return read<DeletePrincipal>(verb::delete_, "/sessions?" + std::string(query)).principal;
    };
    CHECK(deleted("principal=..") == "..");
    CHECK(deleted("principal=%2E") == ".");
    CHECK(deleted("principal=bob+") == "bob ");
    CHECK(deleted("principal=a%2Fb%26c%0A") == "a/b&c\n");
}

TEST_CASE("admin command: sessions are deleted only of a principal that is named", "[unit][admin]")
{
    for (const std::string_view target :
         {"/sessions",
          "/sessions?",
          "/sessions?principal",
          "/sessions?principal=",
          "/sessions?principal=a&principal=b"}) {
        INFO(target);
        CHECK(wrong_field(verb::delete_, target) == "principal");
    }
    CHECK(
        refused(verb::delete_, "/sessions").message ==
        "is needed: it says whose sessions are deleted"
    );
    // Which sessions of them is no question that it takes.
    CHECK(wrong_field(verb::delete_, "/sessions?principal=a&use=idle") == "use");
}

TEST_CASE("admin command: a cleanup says whom it means", "[unit][admin]")
{
    CHECK_FALSE(read<CleanUp>(verb::post, "/cleanup").filter.has_value());
    CHECK_FALSE(read<CleanUp>(verb::post, "/cleanup?scope=expired").filter.has_value());
    CHECK_FALSE(read<CleanUp>(verb::post, "/cleanup").is_dry_run);
    CHECK(read<CleanUp>(verb::post, "/cleanup?dry_run=true").is_dry_run);
    CHECK_FALSE(read<CleanUp>(verb::post, "/cleanup?dry_run=false").is_dry_run);
    const auto idle = read<CleanUp>(verb::post, "/cleanup?scope=idle&idle_for=30m");
    CHECK(idle.filter.value().idle_for() == 30min);
    const auto all = read<CleanUp>(verb::post, "/cleanup?scope=all");
    CHECK_FALSE(all.filter.value().idle_for().has_value());
    CHECK(wrong_field(verb::post, "/cleanup?scope=idle") == "idle_for");
    CHECK(wrong_field(verb::post, "/cleanup?idle_for=30m") == "idle_for");
    CHECK(wrong_field(verb::post, "/cleanup?scope=all&idle_for=30m") == "idle_for");
    CHECK(wrong_field(verb::post, "/cleanup?scope=everything") == "scope");
    CHECK(wrong_field(verb::post, "/cleanup?dry_run=yes") == "dry_run");
}

TEST_CASE("admin command: a drain has a deadline", "[unit][admin]")
{
    CHECK(read<Drain>(verb::post, "/drain").deadline == 30s);
    CHECK(read<Drain>(verb::post, "/drain?deadline=5s").deadline == 5s);
    CHECK(wrong_field(verb::post, "/drain?deadline=0") == "deadline");
}

TEST_CASE("admin command: each resource says which methods it has", "[unit][admin]")
{
    CHECK(allowed(verb::post, "/sessions") == "DELETE, GET, HEAD");
    CHECK(allowed(verb::put, "/sessions/0123456789abcdef") == "DELETE, GET, HEAD");
    CHECK(allowed(verb::delete_, "/sessions/0123456789abcdef/frames") == "GET, HEAD");
    CHECK(allowed(verb::get, "/principals/bob/sessions") == "DELETE");
    CHECK(allowed(verb::get, "/cleanup") == "POST");
    CHECK(allowed(verb::get, "/drain") == "POST");
    CHECK(allowed(verb::delete_, "/stats") == "GET, HEAD");
    CHECK(allowed(verb::post, "/health") == "GET, HEAD");
    CHECK(allowed(verb::post, "/metrics") == "GET, HEAD");
}

TEST_CASE("admin command: what is no resource is not found", "[unit][admin]")
{
    for (const std::string_view target :
         {"/",
          "/session",
          "/sessions/0123456789abcdef/x",
          "/Sessions",
          "/principals/bob",
          "/stats/",
          "/cleanup/now"}) {
        INFO(target);
        CHECK(refused(verb::get, target).status == status::not_found);
    }
    for (const std::string_view target :
         {"//sessions",
          "/cleanup?#a",
          "/stats#a",
          "sessions?%",
          "/sessions?principal=%zz",
          "/ses sions",
          ""}) {
        INFO(target);
        CHECK(refused(verb::get, target).status != status::ok);
    }
    static_cast<void>(read<ShowStatistics>(verb::get, "/stats?"));
    // RFC 9112 3.2.2: a server takes the absolute form too.
    static_cast<void>(read<ShowStatistics>(verb::get, "http://localhost/stats"));
}

TEST_CASE("admin command: only who may change things may change them", "[unit][admin]")
{
    const auto needs = [](verb method, std::string_view target) {
        return needed_for(std::get<Command>(read_command(method, target)));
    };
    CHECK(needs(verb::get, "/sessions") == Access::read);
    CHECK(needs(verb::get, "/sessions/0123456789abcdef") == Access::read);
    CHECK(needs(verb::get, "/sessions/0123456789abcdef/frames") == Access::change);
    CHECK(needs(verb::get, "/stats") == Access::read);
    CHECK(needs(verb::get, "/health") == Access::read);
    CHECK(needs(verb::get, "/metrics") == Access::read);
    CHECK(needs(verb::delete_, "/sessions/0123456789abcdef") == Access::change);
    CHECK(needs(verb::delete_, "/principals/bob/sessions") == Access::change);
    CHECK(needs(verb::delete_, "/sessions?principal=bob") == Access::change);
    CHECK(needs(verb::post, "/cleanup?dry_run=true") == Access::read);
    CHECK(needs(verb::post, "/cleanup") == Access::change);
    CHECK(needs(verb::post, "/drain") == Access::change);
}
