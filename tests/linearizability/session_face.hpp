/// @file
/// A face of the session service, so that clients can take either, or one that lies.

#ifndef SOJOURN_TESTS_LINEARIZABILITY_SESSION_FACE_HPP
#define SOJOURN_TESTS_LINEARIZABILITY_SESSION_FACE_HPP

#include <sojourn/service/session_service.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace sojourn::tests {

template <class T>
using Answered = boost::asio::awaitable<Result<T>>;

/// The coroutine face.
class SessionFace {
public:
    explicit SessionFace(SessionService& service) : service_(service) {}

    SessionFace(const SessionFace&) = delete;
    SessionFace& operator=(const SessionFace&) = delete;
    SessionFace(SessionFace&&) = delete;
    SessionFace& operator=(SessionFace&&) = delete;
    virtual ~SessionFace() = default;

    virtual Answered<CreatedSession> create(CreateOptions options)
    {
        return service_.create(std::move(options));
    }

    virtual Answered<SessionLease> acquire(SessionId id) { return service_.acquire(std::move(id)); }

    virtual Answered<WeakLease> acquire_weak(SessionId id)
    {
        return service_.acquire_weak(std::move(id));
    }

    virtual Answered<SessionInfo> peek(SessionId id) { return service_.peek(std::move(id)); }

    virtual Answered<SessionInfo> touch(SessionId id) { return service_.touch(std::move(id)); }

    virtual Answered<AttributeSnapshot> snapshot(SessionId id)
    {
        return service_.snapshot(std::move(id));
    }

    virtual Answered<std::uint64_t>
    commit(SessionId id, std::uint64_t expected_version, Attributes data)
    {
        return service_.commit(std::move(id), expected_version, std::move(data));
    }

    virtual Answered<AttributeSnapshot>
    modify(SessionId id, std::function<void(Attributes&)> change)
    {
        return service_.modify(std::move(id), std::move(change));
    }

    virtual Answered<SessionId> rotate(SessionId id) { return service_.rotate(std::move(id)); }

    virtual Answered<void> remove(SessionId id) { return service_.remove(std::move(id)); }

    virtual Answered<std::size_t> remove_by_principal(std::string principal)
    {
        return service_.remove_by_principal(std::move(principal));
    }

    virtual Answered<SessionPage> list(ListOptions options)
    {
        return service_.list(std::move(options));
    }

protected:
    [[nodiscard]] SessionService& service() noexcept { return service_; }

private:
    SessionService& service_;
};

/// The face for completion tokens, with one that is awaited.
class HandlerFace final : public SessionFace {
public:
    using SessionFace::SessionFace;

    Answered<CreatedSession> create(CreateOptions options) override
    {
        return service().async_create(std::move(options), token);
    }

    Answered<SessionLease> acquire(SessionId id) override
    {
        return service().async_acquire(std::move(id), token);
    }

    Answered<WeakLease> acquire_weak(SessionId id) override
    {
        return service().async_acquire_weak(std::move(id), token);
    }

    Answered<SessionInfo> peek(SessionId id) override
    {
        return service().async_peek(std::move(id), token);
    }

    Answered<SessionInfo> touch(SessionId id) override
    {
        return service().async_touch(std::move(id), token);
    }

    Answered<AttributeSnapshot> snapshot(SessionId id) override
    {
        return service().async_snapshot(std::move(id), token);
    }

    Answered<std::uint64_t>
    commit(SessionId id, std::uint64_t expected_version, Attributes data) override
    {
        return service().async_commit(std::move(id), expected_version, std::move(data), token);
    }

    Answered<AttributeSnapshot>
    modify(SessionId id, std::function<void(Attributes&)> change) override
    {
        return service().async_modify(std::move(id), std::move(change), token);
    }

    Answered<SessionId> rotate(SessionId id) override
    {
        return service().async_rotate(std::move(id), RotateOptions(), token);
    }

    Answered<void> remove(SessionId id) override
    {
        return service().async_remove(std::move(id), token);
    }

    Answered<std::size_t> remove_by_principal(std::string principal) override
    {
        return service().async_remove_by_principal(std::move(principal), token);
    }

    Answered<SessionPage> list(ListOptions options) override
    {
        return service().async_list(std::move(options), token);
    }

private:
    static constexpr boost::asio::use_awaitable_t<> token{};
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_LINEARIZABILITY_SESSION_FACE_HPP
