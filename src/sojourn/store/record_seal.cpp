#include "sojourn/store/record_seal.hpp"

#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <limits>
#include <memory>

namespace sojourn {

namespace {

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

void require(bool has_worked)
{
    if (!has_worked) {
        throw boost::system::system_error(
            make_error_code(boost::system::errc::io_error), "AES-256-GCM of a record"
        );
    }
}

// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what OpenSSL calls bytes

const unsigned char* bytes_of(std::string_view text) noexcept
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) noexcept
{
    return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* bytes_of(const SealingKey& key) noexcept
{
    return reinterpret_cast<const unsigned char*>(key.bytes.data());
}

// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

int length_of(std::string_view text)
{
    require(text.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    return static_cast<int>(text.size());
}

Context make_context()
{
    Context context(EVP_CIPHER_CTX_new());
    require(context != nullptr);
    return context;
}

} // namespace

std::string seal(const SealingKey& key, std::string_view text, std::string_view beside)
{
    std::string sealed(nonce_bytes + text.size() + tag_bytes, '\0');
    auto* const nonce = bytes_of(sealed);
    auto* const body = nonce + nonce_bytes;
    require(RAND_bytes(nonce, nonce_bytes) == 1);
    const auto context = make_context();
    auto* const cipher = context.get();
    int written = 0;
    require(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, bytes_of(key), nonce) == 1);
    require(EVP_EncryptUpdate(cipher, nullptr, &written, bytes_of(beside), length_of(beside)) == 1);
    require(EVP_EncryptUpdate(cipher, body, &written, bytes_of(text), length_of(text)) == 1);
    require(EVP_EncryptFinal_ex(cipher, body + written, &written) == 1);
    auto* const tag = body + text.size();
    require(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, tag_bytes, tag) == 1);
    return sealed;
}

std::optional<std::string>
open(const SealingKey& key, std::string_view sealed, std::string_view beside)
{
    if (sealed.size() < nonce_bytes + tag_bytes) {
        return std::nullopt;
    }
    const auto nonce = sealed.substr(0, nonce_bytes);
    std::string tag(sealed.substr(sealed.size() - tag_bytes));
    const auto body = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
    std::string text(body.size(), '\0');
    const auto context = make_context();
    auto* const cipher = context.get();
    int written = 0;
    require(
        EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1
    );
    require(EVP_DecryptUpdate(cipher, nullptr, &written, bytes_of(beside), length_of(beside)) == 1);
    require(
        EVP_DecryptUpdate(cipher, bytes_of(text), &written, bytes_of(body), length_of(body)) == 1
    );
    require(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, tag_bytes, bytes_of(tag)) == 1);
    if (EVP_DecryptFinal_ex(cipher, bytes_of(text) + written, &written) != 1) {
        return std::nullopt;
    }
    return text;
}

} // namespace sojourn
