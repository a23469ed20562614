/// @file
/// What can go wrong, as values. An outcome that normal traffic produces (an unknown id, a full
/// table, a client over its rate) is an `Error` inside a `Result`; exceptions are left for what is
/// exceptional, such as a failed allocation.

#ifndef SOJOURN_CORE_ERROR_HPP
#define SOJOURN_CORE_ERROR_HPP

#include "sojourn/core/time.hpp"

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <type_traits>

namespace sojourn {

/// Every error that sojourn itself reports. Starts at 1: zero is success for an `error_code`.
enum class errc : int {
    /// No session has this id: it is unknown, malformed, expired or removed. The four are one, so
    /// that nobody learns from the answer which ids exist.
    not_found = 1,
    /// The session used up its request rate, or the client its creation rate. `Error::retry_after`
    /// says exactly how long to wait.
    rate_limited = 2,
    /// At its limit. Of a service: every session is leased, or the policy forbids eviction; of a
    /// semaphore: no permit is free, and as many wait as may. Try again later.
    overloaded = 3,
    /// The service is stopping, or the semaphore is closed, and takes nobody any more.
    stopping = 4,
    /// The attributes changed since the expected version. Nothing was written.
    conflict = 5,
    /// The text cannot be a session id.
    invalid_id = 6,
    /// An option lies outside its bounds. Where this is thrown, the text names the option.
    invalid_options = 7,
    /// The operating system gave no random bytes. Nothing was created.
    id_source_failed = 8,
    /// The attributes are larger than `ServiceOptions::max_attribute_bytes`. Nothing was written.
    attributes_too_large = 9,
    /// The principal is longer than `max_principal_length`.
    principal_too_long = 10,
    /// The deadline passed before the operation was done.
    timed_out = 11,
    /// An id of this text exists already. Nothing was created.
    id_in_use = 12,
    /// The duration is an empty text.
    duration_empty = 13,
    /// A number of the duration has no unit.
    duration_unit_missing = 14,
    /// A unit of the duration is not one of d, h, m, s, ms.
    duration_unit_unknown = 15,
    /// The duration is not a sequence of numbers and units, from larger to smaller.
    duration_malformed = 16,
    /// The duration is zero.
    duration_zero = 17,
    /// The duration is negative.
    duration_negative = 18,
    /// The duration is longer than `max_duration`.
    duration_too_long = 19,
    /// The service records no frames, so there are none to read: see
    /// `ServiceOptions::max_frames_per_session`.
    not_recorded = 20,
    /// The store could not be asked, or did not answer as a store does. That says nothing about
    /// whether a session exists.
    store_unavailable = 21,
    /// The store has no room for the record. Nothing was written.
    store_full = 22,
    /// A record of the store is not one of ours, was damaged, or was sealed with a key that is not
    /// known here.
    record_unreadable = 23,
    /// A record of the store was written by a newer version of sojourn. It was left as it is.
    record_too_new = 24,
};

/// The category of `errc`, named "sojourn".
[[nodiscard]] const boost::system::error_category& error_category() noexcept;

[[nodiscard]] boost::system::error_code make_error_code(errc code) noexcept;

/// An `error_code` and, where waiting helps, for how long.
///
/// A value; equal when code and hint are equal. `message()` never contains an id or user data.
class Error {
public:
    Error() = default;

    // Implicit on purpose: `return errc::not_found;` is how an operation refuses.
    Error(errc code, Duration retry_after = Duration::zero()) // NOLINT(google-explicit-constructor)
        : code_(make_error_code(code)), retry_after_(retry_after)
    {
    }

    Error(boost::system::error_code code) noexcept // NOLINT(google-explicit-constructor)
        : code_(code)
    {
    }

    [[nodiscard]] const boost::system::error_code& code() const noexcept { return code_; }

    /// How long to wait before trying again can succeed; zero if waiting is not known to help.
    [[nodiscard]] Duration retry_after() const noexcept { return retry_after_; }

    [[nodiscard]] std::string message() const { return code_.message(); }

    friend bool operator==(const Error&, const Error&) = default;

    friend bool operator==(const Error& error, errc code) noexcept
    {
        return error.code_ == make_error_code(code);
    }

private:
    boost::system::error_code code_;
    Duration retry_after_ = Duration::zero();
};

/// A `T`, or why there is none. `value()` throws `boost::system::system_error`.
template <class T>
using Result = boost::system::result<T, Error>;

/// Found by `Result::value()`; throws `boost::system::system_error` with the error's code.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

} // namespace sojourn

template <>
struct boost::system::is_error_code_enum<sojourn::errc> : std::true_type {};

#endif // SOJOURN_CORE_ERROR_HPP
