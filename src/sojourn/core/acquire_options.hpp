/// @file
/// What one request shall be like, where it differs from others.

#ifndef SOJOURN_CORE_ACQUIRE_OPTIONS_HPP
#define SOJOURN_CORE_ACQUIRE_OPTIONS_HPP

#include <string>
#include <utility>

namespace sojourn {

/// The options of one `SessionService::acquire`, with chained setters. All are optional.
class AcquireOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    AcquireOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Where the client comes from, as in `CreateOptions::peer`; default none. An unknown id then
    /// counts against the peer's `ServiceOptions::creation_rate`, as a guess: who tries ids uses up
    /// what he may create, and is told `rate_limited` instead of `not_found` after that. A request
    /// whose id is known is not concerned, so others behind the same address go on.
    AcquireOptions& peer(std::string key)
    {
        peer_ = std::move(key);
        return *this;
    }

    [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

private:
    std::string peer_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_ACQUIRE_OPTIONS_HPP
