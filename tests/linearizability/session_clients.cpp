#include "linearizability/session_clients.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <charconv>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace asio = boost::asio;
using boost::asio::awaitable;

namespace sojourn::tests {

namespace {

Attributes attributes_of(std::uint64_t value)
{
    return {{"value", std::to_string(value)}};
}

std::uint64_t value_of(const Attributes& data)
{
    const auto text = data.get("value").value_or("0");
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

SessionAnswer answer_of(const SessionInfo& info)
{
    SessionAnswer answer;
    answer.reference = info.reference;
    answer.requests = info.requests;
    answer.leases = info.leases;
    answer.version = info.attributes.version;
    answer.value = value_of(info.attributes.data);
    return answer;
}

SessionAnswer answer_of(const SessionLease& lease)
{
    return answer_of(lease.info());
}

SessionAnswer answer_of(const WeakLease& lease)
{
    return answer_of(lease.info());
}

SessionAnswer answer_of(const AttributeSnapshot& attributes)
{
    SessionAnswer answer;
    answer.version = attributes.version;
    answer.value = value_of(attributes.data);
    return answer;
}

SessionAnswer answer_of(const SessionPage& page)
{
    SessionAnswer answer;
    if (!page.sessions.empty()) {
        answer = answer_of(page.sessions.front());
    }
    answer.count = page.sessions.size();
    return answer;
}

SessionAnswer refusal_of(const Error& error)
{
    if (error.code().category() != error_category()) {
        throw boost::system::system_error(error.code());
    }
    SessionAnswer answer;
    answer.error = static_cast<errc>(error.code().value());
    return answer;
}

SessionCall call_of(Verb verb, unsigned id)
{
    SessionCall call;
    call.verb = verb;
    call.id = id;
    return call;
}

SessionCall call_of(Verb verb, SessionReference reference)
{
    SessionCall call;
    call.verb = verb;
    call.reference = reference;
    return call;
}

} // namespace

unsigned SessionFamily::add(const SessionId& id)
{
    const std::lock_guard guard(mutex_);
    ids_.push_back(id);
    ids_count_.store(ids_.size(), std::memory_order_relaxed);
    return static_cast<unsigned>(ids_.size());
}

void SessionFamily::learn(std::vector<SessionId>& known) const
{
    if (ids_count_.load(std::memory_order_relaxed) == known.size()) {
        return;
    }
    const std::lock_guard guard(mutex_);
    known = ids_;
}

SessionClient::SessionClient(
    SessionFamily& family,
    std::span<const std::unique_ptr<SessionFace>> faces,
    unsigned number,
    std::uint64_t seed
)
    : family_(family), faces_(faces), number_(number), random_(seed)
{
}

awaitable<void> SessionClient::run(std::span<const Habit> habits, int count)
{
    for (int i = 0; i < count; ++i) {
        const auto verb = pick(habits);
        family_.learn(ids_);
        co_await step(verb, pick_id());
        if (random_() % 4 == 0) {
            // Goes on in another thread.
            co_await asio::post(asio::use_awaitable);
        }
    }
    while (!leases_.empty()) {
        release();
    }
    while (!weak_leases_.empty()) {
        release_weak();
    }
}

awaitable<void> SessionClient::run(Verb verb)
{
    family_.learn(ids_);
    co_await step(verb, static_cast<unsigned>(ids_.size()));
}

awaitable<void> SessionClient::clear()
{
    family_.learn(ids_);
    for (unsigned id = 1; id <= ids_.size(); ++id) {
        co_await step(Verb::remove, id);
    }
}

Verb SessionClient::pick(std::span<const Habit> habits)
{
    std::uint64_t sum = 0;
    for (const auto& habit : habits) {
        sum += habit.weight;
    }
    auto chance = random_() % sum;
    for (const auto& habit : habits) {
        if (chance < habit.weight) {
            return habit.verb;
        }
        chance -= habit.weight;
    }
    return habits.back().verb;
}

unsigned SessionClient::pick_id()
{
    const auto count = static_cast<unsigned>(ids_.size());
    const bool is_any = count > 0 && random_() % 4 == 0;
    return is_any ? static_cast<unsigned>(random_() % count) + 1 : count;
}

awaitable<void> SessionClient::step(Verb verb, unsigned id)
{
    switch (verb) {
    case Verb::create:
        co_await create();
        co_return;
    case Verb::release_lease:
        release();
        co_return;
    case Verb::release_weak_lease:
        release_weak();
        co_return;
    case Verb::touch_weak_lease:
        co_await touch_weak_lease();
        co_return;
    case Verb::remove_of_principal:
    case Verb::list_of_principal:
        co_await ask_for_principal(verb);
        co_return;
    default:
        break;
    }
    if (id == 0) {
        co_return;
    }
    switch (verb) {
    case Verb::acquire:
        co_await acquire(id);
        break;
    case Verb::acquire_weak:
        co_await acquire_weak(id);
        break;
    default:
        co_await use(verb, id);
        break;
    }
}

awaitable<void> SessionClient::create()
{
    auto call = call_of(Verb::create, family_.adopted());
    call.principal = family_.new_principal();
    call.value = random_() % 1000;
    auto options = CreateOptions()
                       .principal(family_.principal(call.principal))
                       .attributes(attributes_of(call.value));
    if (call.id != 0) {
        options.adopt(ids_.at(call.id - 1));
    }
    auto created = co_await record(call, face().create(std::move(options)));
    if (created) {
        const auto reference = created->lease.info().reference;
        leases_.push_back({reference, std::move(created->lease)});
    }
}

awaitable<void> SessionClient::acquire(unsigned id)
{
    const auto call = call_of(Verb::acquire, id);
    auto lease = co_await record(call, face().acquire(ids_[id - 1]));
    if (lease) {
        const auto reference = lease->info().reference;
        leases_.push_back({reference, *std::move(lease)});
    }
}

awaitable<void> SessionClient::acquire_weak(unsigned id)
{
    const auto call = call_of(Verb::acquire_weak, id);
    auto lease = co_await record(call, face().acquire_weak(ids_[id - 1]));
    if (lease) {
        const auto reference = lease->info().reference;
        weak_leases_.push_back({reference, *std::move(lease)});
    }
}

awaitable<void> SessionClient::touch_weak_lease()
{
    if (!weak_leases_.empty()) {
        auto& held = weak_leases_.front();
        const auto call = call_of(Verb::touch_weak_lease, held.reference);
        co_await record(call, held.lease.touch());
    }
}

/// What needs nothing but an id and gives nothing to be kept.
awaitable<void> SessionClient::use(Verb verb, unsigned id)
{
    auto call = call_of(verb, id);
    const auto& text = ids_[id - 1];
    switch (verb) {
    case Verb::peek:
        co_await record(call, face().peek(text));
        break;
    case Verb::touch:
        co_await record(call, face().touch(text));
        break;
    case Verb::snapshot:
        co_await record(call, face().snapshot(text));
        break;
    case Verb::commit: {
        call.expected_version = seen_version_;
        call.value = random_() % 1000;
        co_await record(call, face().commit(text, seen_version_, attributes_of(call.value)));
        break;
    }
    case Verb::modify: {
        call.value = random_() % 1000;
        const std::function<void(Attributes&)> change = [by = call.value](Attributes& data) {
            data = attributes_of(modified(value_of(data), by));
        };
        co_await record(call, face().modify(text, change));
        break;
    }
    case Verb::rotate:
        co_await record(call, face().rotate(text));
        break;
    case Verb::remove:
        co_await record(call, face().remove(text));
        break;
    default:
        throw std::logic_error("this needs more than an id");
    }
}

awaitable<void> SessionClient::ask_for_principal(Verb verb)
{
    const auto count = family_.principals();
    if (count == 0) {
        co_return;
    }
    SessionCall call;
    call.verb = verb;
    call.principal = static_cast<unsigned>(random_() % count) + 1;
    const auto name = family_.principal(call.principal);
    if (verb == Verb::list_of_principal) {
        co_await record(call, face().list(ListOptions().filter(SessionFilter().principal(name))));
    } else {
        co_await record(call, face().remove_by_principal(name));
    }
}

void SessionClient::release()
{
    if (!leases_.empty()) {
        auto held = std::move(leases_.front());
        leases_.pop_front();
        const auto begun = family_.now();
        held.lease.release();
        const auto ended = family_.now();
        const auto call = call_of(Verb::release_lease, held.reference);
        history_.push_back({number_, call, SessionAnswer(), begun, ended});
    }
}

void SessionClient::release_weak()
{
    if (!weak_leases_.empty()) {
        auto held = std::move(weak_leases_.front());
        weak_leases_.pop_front();
        const auto begun = family_.now();
        held.lease.release();
        const auto ended = family_.now();
        const auto call = call_of(Verb::release_weak_lease, held.reference);
        history_.push_back({number_, call, SessionAnswer(), begun, ended});
    }
}

template <class T>
awaitable<Result<T>> SessionClient::record(SessionCall call, awaitable<Result<T>> operation)
{
    const auto begun = family_.now();
    auto result = co_await std::move(operation);
    const auto ended = family_.now();
    history_.push_back({number_, call, told(call, result), begun, ended});
    co_return result;
}

template <class T>
SessionAnswer SessionClient::told(const SessionCall& call, const Result<T>& result)
{
    if (!result) {
        return refusal_of(result.error());
    }
    SessionAnswer answer;
    if constexpr (std::is_same_v<T, CreatedSession>) {
        answer = answer_of(result->lease);
        answer.id = call.id == 0 ? family_.add(result->id) : call.id;
    } else if constexpr (std::is_same_v<T, SessionId>) {
        answer.id = family_.add(*result);
    } else if constexpr (std::is_integral_v<T>) {
        (call.verb == Verb::commit ? answer.version : answer.count) = *result;
    } else if constexpr (!std::is_void_v<T>) {
        answer = answer_of(*result);
    }
    if (answer.version != 0) {
        seen_version_ = answer.version;
    }
    return answer;
}

} // namespace sojourn::tests
