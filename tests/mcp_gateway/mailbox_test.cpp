#include "mcp_gateway/mailbox.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace sojourn::tests {

namespace {

using mcp_gateway::Mailbox;

class MailboxTest {
protected:
    auto put(std::size_t bytes)
    {
        auto text = std::make_shared<const std::string>(bytes, 'x');
        auto result = spawn_coro(context_.get_executor(), mailbox_.put(std::move(text)));
        run_ready(context_);
        return result;
    }

    auto take()
    {
        auto result = spawn_coro(context_.get_executor(), mailbox_.take());
        run_ready(context_);
        return result;
    }

    boost::asio::io_context context_;
    Mailbox mailbox_{context_.get_executor()};
};

} // namespace

TEST_CASE_METHOD(MailboxTest, "mcp_gateway mailbox: it holds few events", "[mcp]")
{
    for (int i = 0; i < 16; ++i) {
        CHECK(put(1)->is_done());
    }
    const auto late = put(1);
    CHECK(!late->is_done());

    CHECK(take()->take()->size() == 1);
    REQUIRE(late->is_done());
    CHECK(late->take());
}

TEST_CASE_METHOD(MailboxTest, "mcp_gateway mailbox: of large events it holds fewer", "[mcp]")
{
    // One may be of any size, or it would never get through.
    CHECK(put(10 * Mailbox::max_bytes)->is_done());
    const auto late = put(1);
    CHECK(!late->is_done());

    CHECK(take()->take()->size() == 10 * Mailbox::max_bytes);
    CHECK(late->is_done());
    CHECK(take()->take()->size() == 1);
}

TEST_CASE_METHOD(
    MailboxTest, "mcp_gateway mailbox: who waits for room is told that there is none", "[mcp]"
)
{
    CHECK(put(Mailbox::max_bytes)->is_done());
    const auto late = put(1);

    SECTION("when it is closed: the rest may be taken")
    {
        mailbox_.close();
        run_ready(context_);
        REQUIRE(late->is_done());
        CHECK(!late->take());
        CHECK(take()->take()->size() == Mailbox::max_bytes);
    }
    SECTION("when nobody takes any more")
    {
        mailbox_.discard();
        run_ready(context_);
        REQUIRE(late->is_done());
        CHECK(!late->take());
    }
    CHECK(take()->take() == nullptr);
    CHECK(!put(1)->take());
}

TEST_CASE_METHOD(MailboxTest, "mcp_gateway mailbox: who takes is woken, and goes on", "[mcp]")
{
    const auto woken = take();
    CHECK(!woken->is_done());
    mailbox_.wake();
    run_ready(context_);
    REQUIRE(woken->is_done());
    CHECK(woken->take() == nullptr);
    CHECK(mailbox_.is_open());

    CHECK(put(1)->take());
    CHECK(take()->take()->size() == 1);
}

} // namespace sojourn::tests
