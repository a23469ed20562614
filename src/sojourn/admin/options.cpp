#include "sojourn/admin/options.hpp"

#include "sojourn/http/token.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>

namespace sojourn::admin {

namespace {

/// RFC 6750: what a bearer token may consist of.
bool is_bearer_token(std::string_view text) noexcept
{
    return text.size() >= Options::min_token_length && text.size() <= Options::max_token_length &&
           std::ranges::all_of(text, [](char character) {
               constexpr std::string_view marks = "-._~+/=";
               return sojourn::http::is_alphanumeric(character) ||
                      marks.find(character) != std::string_view::npos;
           });
}

/// Takes the same time wherever two texts of one length differ.
bool is_same(std::string_view left, std::string_view right) noexcept
{
    unsigned difference = left.size() == right.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        const unsigned ours = static_cast<unsigned char>(left[i]);
        const unsigned theirs = static_cast<unsigned char>(right[i]);
        difference |= ours ^ theirs;
    }
    return difference == 0;
}

} // namespace

std::optional<std::string> Options::objection() const
{
    if (const auto* const path = std::get_if<std::string>(&listen_)) {
        // One byte of what the kernel has is for the end of the text.
        const auto longest = boost::asio::local::stream_protocol::endpoint().capacity() -
                             offsetof(sockaddr_un, sun_path) - 1;
        if (path->empty() || path->size() > longest || path->find('\0') != std::string::npos) {
            return "a Unix socket's path must be 1 to " + std::to_string(longest) +
                   " bytes, none of them zero";
        }
    } else if (!needs_token()) {
        return "an admin endpoint on TCP needs a token: everybody on the machine, or on its "
               "network, can connect";
    }
    for (const auto& token : {token_, read_token_}) {
        if (token && !is_bearer_token(*token)) {
            return "a token must be " + std::to_string(min_token_length) + " to " +
                   std::to_string(max_token_length) + " letters, digits and characters of -._~+/=";
        }
    }
    if (token_ && token_ == read_token_) {
        return "the token for reading must be another than the one for everything";
    }
    return std::nullopt;
}

Access Options::access_by(std::optional<std::string_view> token) const noexcept
{
    const auto most = may_change_ ? Access::change : Access::read;
    if (!needs_token()) {
        return most;
    }
    if (!token) {
        return Access::none;
    }
    if (token_ && is_same(*token, *token_)) {
        return most;
    }
    return read_token_ && is_same(*token, *read_token_) ? Access::read : Access::none;
}

} // namespace sojourn::admin
