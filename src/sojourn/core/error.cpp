#include "sojourn/core/error.hpp"

#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

namespace sojourn {

namespace {

class ErrorCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "sojourn"; }

    std::string message(int value) const override { return text(value); }

private:
    static const char* text(int value) noexcept
    {
        switch (static_cast<errc>(value)) {
        case errc::not_found:
            return "no such session";
        case errc::rate_limited:
            return "over the rate of requests, or of creations";
        case errc::overloaded:
            return "at the limit; try again later";
        case errc::stopping:
            return "stopping or closed";
        case errc::conflict:
            return "the attributes changed since the expected version";
        case errc::invalid_id:
            return "not a session id";
        case errc::invalid_options:
            return "an option is out of bounds";
        case errc::id_source_failed:
            return "the source of random bytes failed";
        case errc::attributes_too_large:
            return "the attributes are too large";
        case errc::principal_too_long:
            return "the principal is longer than 256 bytes";
        case errc::timed_out:
            return "the deadline passed";
        case errc::id_in_use:
            return "the session id is in use";
        case errc::duration_empty:
            return "a duration is empty; write one such as 90s, 15m or 1h30m";
        case errc::duration_unit_missing:
            return "a duration lacks a unit; use d, h, m, s or ms";
        case errc::duration_unit_unknown:
            return "a duration has an unknown unit; use d, h, m, s or ms";
        case errc::duration_malformed:
            return "not a duration; write whole numbers with units from larger to smaller, such as "
                   "1h30m";
        case errc::duration_zero:
            return "a duration is zero; it must be longer";
        case errc::duration_negative:
            return "a duration is negative; it must be longer than zero";
        case errc::duration_too_long:
            return "a duration is longer than 365 days";
        case errc::not_recorded:
            return "the service records no frames; see its option max_frames_per_session";
        case errc::store_unavailable:
            return "the store cannot be reached, or does not answer";
        case errc::store_full:
            return "the store has no room";
        case errc::record_unreadable:
            return "a record of the store cannot be read; it is damaged, foreign or sealed with "
                   "another key";
        case errc::record_too_new:
            return "a record of the store was written by a newer version of sojourn";
        }
        return "unknown sojourn error";
    }
};

} // namespace

const boost::system::error_category& error_category() noexcept
{
    static const ErrorCategory category;
    return category;
}

boost::system::error_code make_error_code(errc code) noexcept
{
    return {static_cast<int>(code), error_category()};
}

void throw_exception_from_error(const Error& error, const boost::source_location& at)
{
    boost::throw_exception(boost::system::system_error(error.code()), at);
}

} // namespace sojourn
