#include <sojourn/http/singleton_field.hpp>

#include <catch2/catch_test_macros.hpp>

namespace sojourn::tests {

using http::SingletonField;

TEST_CASE("singleton_field: without a line it is absent", "[http]")
{
    const SingletonField field;
    CHECK(field.is_absent());
    CHECK_FALSE(field.is_repeated());
    CHECK_FALSE(field.value());
}

TEST_CASE("singleton_field: with one line it has a value, be it empty", "[http]")
{
    SingletonField field;
    field.add("");
    CHECK_FALSE(field.is_absent());
    CHECK_FALSE(field.is_repeated());
    CHECK(field.value() == "");
}

TEST_CASE("singleton_field: with more lines it has no value, even if they are equal", "[http]")
{
    SingletonField field;
    field.add("a");
    field.add("a");
    CHECK_FALSE(field.is_absent());
    CHECK(field.is_repeated());
    CHECK_FALSE(field.value());
    field.add("a");
    CHECK(field.is_repeated());
    CHECK_FALSE(field.value());
}

} // namespace sojourn::tests
