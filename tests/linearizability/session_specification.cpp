#include "linearizability/session_specification.hpp"

#include <algorithm>

namespace sojourn::tests {

namespace {

using Session = SessionSpecification::Session;

bool names_by_reference(Verb verb)
{
    return verb == Verb::release_lease || verb == Verb::touch_weak_lease ||
           verb == Verb::release_weak_lease;
}

bool names_by_principal(Verb verb)
{
    return verb == Verb::remove_of_principal || verb == Verb::list_of_principal;
}

/// Whether it is the one that the call is about. Only a lease knows one that is closing.
bool is_meant(const Session& session, const SessionCall& call)
{
    if (names_by_reference(call.verb)) {
        return session.reference == call.reference;
    }
    const bool is_named =
        names_by_principal(call.verb) ? session.principal == call.principal : session.id == call.id;
    return is_named && !session.is_closing;
}

/// What a call answers that finds no session.
SessionAnswer nobody(Verb verb)
{
    SessionAnswer answer;
    const bool is_fine = names_by_principal(verb) || verb == Verb::release_weak_lease;
    if (!is_fine) {
        answer.error = errc::not_found;
    }
    return answer;
}

SessionAnswer info(const Session& session)
{
    SessionAnswer answer;
    answer.reference = session.reference;
    answer.requests = session.requests;
    answer.leases = session.leases;
    answer.version = session.version;
    answer.value = session.value;
    return answer;
}

SessionAnswer write(Session& session, std::uint64_t value)
{
    session.value = value;
    SessionAnswer answer;
    answer.version = ++session.version;
    return answer;
}

/// At once, or with its last lease.
void end(SessionSpecification::State& state, SessionSpecification::State::iterator session)
{
    session->is_closing = true;
    if (session->leases == 0) {
        state.erase(session);
    }
}

std::string name(SessionReference reference)
{
    return "session " + to_string(reference).substr(0, 4);
}

std::string name_of(Verb verb)
{
    switch (verb) {
    case Verb::create:
        return "create";
    case Verb::acquire:
        return "acquire";
    case Verb::release_lease:
        return "release";
    case Verb::acquire_weak:
        return "acquire_weak";
    case Verb::touch_weak_lease:
        return "touch, weak lease";
    case Verb::release_weak_lease:
        return "release, weak lease";
    case Verb::peek:
        return "peek";
    case Verb::touch:
        return "touch";
    case Verb::snapshot:
        return "snapshot";
    case Verb::commit:
        return "commit";
    case Verb::modify:
        return "modify";
    case Verb::rotate:
        return "rotate";
    case Verb::remove:
        return "remove";
    case Verb::remove_of_principal:
        return "remove_by_principal";
    case Verb::list_of_principal:
        return "list";
    }
    return "?";
}

std::string text_of(const SessionCall& call)
{
    auto text = name_of(call.verb) + "(";
    if (names_by_reference(call.verb)) {
        text += name(call.reference);
    } else if (names_by_principal(call.verb)) {
        text += "principal " + std::to_string(call.principal);
    } else {
        text += call.id == 0 ? "any id" : "id " + std::to_string(call.id);
    }
    switch (call.verb) {
    case Verb::create:
        text += ", principal " + std::to_string(call.principal);
        break;
    case Verb::commit:
        text += ", version " + std::to_string(call.expected_version);
        break;
    default:
        break;
    }
    if (call.verb == Verb::create || call.verb == Verb::commit || call.verb == Verb::modify) {
        text += ", value " + std::to_string(call.value);
    }
    return text + ")";
}

std::string text_of(const SessionAnswer& answer)
{
    if (answer.error) {
        return make_error_code(*answer.error).message();
    }
    std::string text;
    const auto add = [&text](const std::string& what) {
        text += (text.empty() ? "" : ", ") + what;
    };
    if (answer.count > 0) {
        add(std::to_string(answer.count) + " of them");
    }
    if (answer.id != 0) {
        add("id " + std::to_string(answer.id));
    }
    if (answer.reference != SessionReference()) {
        add(name(answer.reference));
        add("requests " + std::to_string(answer.requests));
        add("leases " + std::to_string(answer.leases));
    }
    if (answer.version != 0) {
        add("version " + std::to_string(answer.version));
    }
    if (answer.value != 0) {
        add("value " + std::to_string(answer.value));
    }
    return text.empty() ? "done" : text;
}

} // namespace

std::optional<SessionSpecification::State> SessionSpecification::apply(
    const State& state, const Call& call, const std::optional<Answer>& answer
) const
{
    auto next = state;
    const auto own = carry_out(next, call, answer.value_or(Answer()));
    if (answer && !(*answer == own)) {
        return std::nullopt;
    }
    return next;
}

SessionAnswer
SessionSpecification::carry_out(State& state, const Call& call, const Answer& told) const
{
    if (call.verb == Verb::create) {
        return create(state, call, told);
    }
    const auto session =
        std::ranges::find_if(state, [&](const auto& each) { return is_meant(each, call); });
    return session == state.end() ? nobody(call.verb) : on_session(state, session, call, told);
}

SessionAnswer SessionSpecification::create(State& state, const Call& call, const Answer& told) const
{
    SessionAnswer refused;
    const bool is_in_use = call.id != 0 && std::ranges::any_of(state, [&](const auto& each) {
                               return each.id == call.id && !each.is_closing;
                           });
    if (is_in_use) {
        refused.error = errc::id_in_use;
        return refused;
    }
    if (state.size() >= capacity_) {
        refused.error = errc::overloaded;
        return refused;
    }
    Session fresh;
    fresh.reference = told.reference;
    fresh.id = call.id == 0 ? told.id : call.id;
    fresh.principal = call.principal;
    fresh.leases = 1;
    fresh.value = call.value;
    state.insert(std::ranges::upper_bound(state, fresh), fresh);
    auto answer = info(fresh);
    answer.id = fresh.id;
    return answer;
}

std::optional<errc> SessionSpecification::refusal(const Session& session, Verb verb) const
{
    if (verb == Verb::acquire && session.leases >= leases_per_session_) {
        return errc::overloaded;
    }
    if (session.requests >= burst_) {
        return errc::rate_limited;
    }
    return std::nullopt;
}

SessionAnswer SessionSpecification::on_session(
    State& state, State::iterator session, const Call& call, const Answer& told
) const
{
    SessionAnswer answer;
    switch (call.verb) {
    case Verb::acquire:
    case Verb::acquire_weak:
        if (answer.error = refusal(*session, call.verb); !answer.error) {
            ++session->requests;
            ++(call.verb == Verb::acquire ? session->leases : session->weak_leases);
            answer = info(*session);
        }
        break;
    case Verb::release_lease:
        --session->leases;
        if (session->is_closing) {
            end(state, session);
        }
        break;
    case Verb::touch_weak_lease:
        answer = session->is_closing ? nobody(call.verb) : answer;
        break;
    case Verb::release_weak_lease:
        --session->weak_leases;
        break;
    case Verb::peek:
    case Verb::touch:
        answer = info(*session);
        break;
    case Verb::snapshot:
        answer.version = session->version;
        answer.value = session->value;
        break;
    case Verb::commit:
        if (session->version == call.expected_version) {
            answer = write(*session, call.value);
        } else {
            answer.error = errc::conflict;
        }
        break;
    case Verb::modify:
        answer = write(*session, modified(session->value, call.value));
        answer.value = session->value;
        break;
    case Verb::rotate:
        session->id = told.id;
        answer.id = told.id;
        break;
    case Verb::remove:
        end(state, session);
        break;
    case Verb::remove_of_principal:
        end(state, session);
        answer.count = 1;
        break;
    case Verb::list_of_principal:
        answer = info(*session);
        answer.count = 1;
        break;
    case Verb::create:
        break;
    }
    return answer;
}

std::string SessionSpecification::text(const State& state)
{
    std::string text;
    for (const auto& session : state) {
        text += (text.empty() ? "" : "; ") + name(session.reference) +
                (session.is_closing ? ", closing" : "") + ", id " + std::to_string(session.id) +
                ", principal " + std::to_string(session.principal) + ", requests " +
                std::to_string(session.requests) + ", leases " + std::to_string(session.leases) +
                " and " + std::to_string(session.weak_leases) + " weak, version " +
                std::to_string(session.version) + ", value " + std::to_string(session.value);
    }
    return text.empty() ? "no session" : text;
}

std::string SessionSpecification::text(const Call& call, const std::optional<Answer>& answer)
{
    return text_of(call) + " -> " + (answer ? text_of(*answer) : "?");
}

} // namespace sojourn::tests
