#include "faults/thrown.hpp"

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <new>
#include <stdexcept>
#include <string_view>

namespace sojourn::tests {

namespace {

struct Foreign {
    int value;
};

constexpr int thrown_number = 42;
constexpr auto thrown_text = "not ours";

} // namespace

void throw_one(Thrown kind)
{
    switch (kind) {
    case Thrown::runtime_error:
        throw std::runtime_error(thrown_text);
    case Thrown::bad_alloc:
        throw std::bad_alloc();
    case Thrown::system_error:
        throw boost::system::system_error(
            make_error_code(boost::system::errc::permission_denied), thrown_text
        );
    case Thrown::foreign:
        throw Foreign{.value = thrown_number};
    case Thrown::number:
        break;
    }
    throw thrown_number;
}

bool is_one(Thrown kind, const std::exception_ptr& failure)
{
    if (!failure) {
        return false;
    }
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return kind == Thrown::system_error &&
               error.code() == boost::system::errc::permission_denied;
    } catch (const std::bad_alloc&) {
        return kind == Thrown::bad_alloc;
    } catch (const std::runtime_error& error) {
        return kind == Thrown::runtime_error && std::string_view(error.what()) == thrown_text;
    } catch (const Foreign& foreign) {
        return kind == Thrown::foreign && foreign.value == thrown_number;
    } catch (int number) {
        return kind == Thrown::number && number == thrown_number;
    }
}

} // namespace sojourn::tests
