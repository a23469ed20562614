#include "sojourn/core/principal_index.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <iterator>
#include <set>
#include <string>

using sojourn::PrincipalIndex;
using sojourn::Session;

namespace {

void attach(PrincipalIndex& index, Session& session, const std::string& name)
{
    index.hold(name).attach(session);
}

} // namespace

TEST_CASE("principal_index: a principal exists while a session belongs to it", "[unit][core]")
{
    PrincipalIndex index({1, 2}, 4);
    std::array<Session, 2> sessions;
    CHECK(index.find("ada") == nullptr);
    attach(index, sessions[0], "ada");
    attach(index, sessions[1], "ada");
    auto* const entry = index.find("ada");
    REQUIRE(entry != nullptr);
    CHECK(*entry->name == "ada");
    CHECK(entry->sessions.size() == 2);
    CHECK(index.size() == 1);
    CHECK(index.find("Ada") == nullptr);
    CHECK(index.find("") == nullptr);

    index.detach(sessions[0]);
    CHECK(sessions[0].principal == nullptr);
    CHECK(index.find("ada") == entry);
    index.detach(sessions[1]);
    CHECK(index.find("ada") == nullptr);
    CHECK(index.size() == 0);
}

TEST_CASE("principal_index: an unlisted session keeps the name and is not found", "[unit][core]")
{
    PrincipalIndex index({1, 2}, 4);
    Session session;
    attach(index, session, "ada");
    session.owner_hook.unlink();
    auto* const entry = index.find("ada");
    REQUIRE(entry != nullptr);
    CHECK(entry->sessions.empty());
    CHECK(*session.principal->name == "ada");

    // A new session of the same principal joins the same entry.
    Session other;
    attach(index, other, "ada");
    CHECK(index.find("ada") == entry);
    CHECK(entry->sessions.size() == 1);
    CHECK(entry->references == 2);
    index.detach(session);
    CHECK(index.find("ada") == entry);
    index.detach(other);
    CHECK(index.size() == 0);
}

TEST_CASE("principal_index: a session without principal is none of its business", "[unit][core]")
{
    PrincipalIndex index({1, 2}, 4);
    Session session;
    session.owner_hook.unlink();
    index.detach(session);
    CHECK(index.size() == 0);
}

TEST_CASE("principal_index: a name outlives its entry where somebody holds it", "[unit][core]")
{
    PrincipalIndex index({1, 2}, 4);
    Session session;
    attach(index, session, "a name too long to be stored in place");
    const auto name = session.principal->name;
    index.detach(session);
    CHECK(*name == "a name too long to be stored in place");
}

TEST_CASE("principal_index: many principals are told apart, whatever their bytes", "[unit][core]")
{
    PrincipalIndex index({7, 9}, 100);
    std::array<Session, 600> sessions;
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        // Three sessions each; names hold every byte, and differ in length only at times.
        attach(index, sessions[i], std::string(1 + i / 3 / 256, static_cast<char>(i / 3)));
    }
    CHECK(index.size() == 200);
    std::set<std::string> names;
    index.for_each([&](const sojourn::PrincipalEntry& entry) {
        names.insert(*entry.name);
        CHECK(entry.sessions.size() == 3);
        CHECK(entry.references == 3);
    });
    CHECK(names.size() == 200);
    for (auto& session : sessions) {
        index.detach(session);
    }
    CHECK(index.size() == 0);
}

TEST_CASE(
    "principal_index: a held principal stays, whatever becomes of its sessions", "[unit][core]"
)
{
    PrincipalIndex index({1, 2}, 4);
    Session session;
    attach(index, session, "ada");
    {
        const auto held = index.hold("ada");
        CHECK(held);
        index.detach(session);
        CHECK(index.size() == 1);
        held.attach(session);
    }
    REQUIRE(index.find("ada") != nullptr);
    CHECK(index.find("ada")->references == 1);
    index.detach(session);
    CHECK(index.size() == 0);

    // Held for nothing, it goes again.
    CHECK(index.hold("bob"));
    CHECK(index.size() == 0);
}

TEST_CASE("principal_index: an empty name is nobody's", "[unit][core]")
{
    PrincipalIndex index({1, 2}, 4);
    Session session;
    const auto nobody = index.hold("");
    CHECK_FALSE(nobody);
    nobody.attach(session);
    CHECK(session.principal == nullptr);
    CHECK(index.size() == 0);
}
