/// @file
/// Fuzzes `SessionId`: two texts are parsed, compared, hashed, copied and moved, beside a naive
/// idea of what that should give. The first byte says where the one text ends.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <sojourn/core/session_id.hpp>
#include <sojourn/core/session_id_hash.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

using namespace sojourn;
using namespace sojourn::tests;

namespace {

bool can_be_id(std::string_view text)
{
    if (text.empty() || text.size() > 128) {
        return false;
    }
    for (const char character : text) {
        if (character <= 32 || character >= 127) {
            return false;
        }
    }
    return true;
}

/// The value of a digit of base64url; -1 if it is none.
int digit_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

bool can_be_issued(std::string_view text)
{
    if (text.size() != 43) {
        return false;
    }
    for (const char digit : text) {
        if (digit_value(digit) < 0) {
            return false;
        }
    }
    return true;
}

/// Byte `index` of what `text` encodes.
std::byte decoded(std::string_view text, std::size_t index)
{
    unsigned byte = 0;
    for (std::size_t bit = index * 8; bit < index * 8 + 8; ++bit) {
        const auto value = static_cast<unsigned>(digit_value(text[bit / 6]));
        byte = byte << 1U | (value >> (5 - bit % 6) & 1U);
    }
    return static_cast<std::byte>(byte);
}

void check_result(const Result<SessionId>& parsed, std::string_view text, bool is_expected)
{
    if (parsed.has_value() != is_expected) {
        report_finding(
            "'{}' is {}, against all expectation", text, is_expected ? "refused" : "taken"
        );
    }
    if (!parsed && parsed.error() != errc::invalid_id) {
        report_finding("'{}' is refused with '{}'", text, parsed.error().message());
    }
    if (parsed && (parsed->text() != text || parsed->empty())) {
        report_finding("'{}' reads back as '{}'", text, parsed->text());
    }
}

/// An id of this text, or none, that has been through all that happens to a value.
SessionId parsed(std::string_view text)
{
    auto id = SessionId::parse(text);
    check_result(id, text, can_be_id(text));
    check_result(SessionId::parse_issued(text), text, can_be_issued(text));
    if (!id) {
        return {};
    }
    SessionId copy = *id;
    const SessionId moved = std::move(*id);
    id->operator=(copy);
    SessionId assigned;
    assigned = std::move(*id);
    const auto& self = copy;
    copy = self;
    if (copy.text() != text || moved.text() != text || assigned.text() != text) {
        report_finding(
            "copies of '{}' are '{}', '{}' and '{}'",
            text,
            copy.text(),
            moved.text(),
            assigned.text()
        );
    }
    return assigned;
}

void check_pair(const SessionId& left, const SessionId& right)
{
    const SessionIdHash hash(HashKey{1, 2});
    const bool is_same_text = left.text() == right.text();
    if ((left == right) != is_same_text || (right == left) != is_same_text) {
        report_finding("'{}' and '{}' compare wrongly", left.text(), right.text());
    }
    // Of different ids equal hashes are not impossible, but nobody without the key finds them.
    if ((hash(left) == hash(right)) != is_same_text) {
        report_finding("'{}' and '{}' are hashed wrongly", left.text(), right.text());
    }
}

void check_issued(std::span<const std::byte, SessionId::entropy_bytes> entropy)
{
    const auto id = SessionId::from_entropy(entropy);
    const auto text = std::string(id.text());
    check_result(SessionId::parse_issued(text), text, true);
    for (std::size_t i = 0; i < entropy.size(); ++i) {
        if (decoded(text, i) != entropy[i]) {
            report_finding("'{}' encodes another byte {}", text, i);
        }
    }
    check_pair(id, SessionId::parse(text).value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Choices choices({data, size});
    const std::size_t length = choices.draw();
    const auto first = choices.take(length);
    const auto second = choices.rest();

    const auto left = parsed(text_of(first));
    const auto right = parsed(text_of(second));
    check_pair(left, left);
    check_pair(left, right);
    if (const auto entropy = std::as_bytes(second); entropy.size() >= SessionId::entropy_bytes) {
        check_issued(entropy.first<SessionId::entropy_bytes>());
    }
    return 0;
}
