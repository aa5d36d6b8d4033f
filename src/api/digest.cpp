#include "api/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "cam/base/check.h"

namespace cam::api {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Digest digest(std::string_view text) {
    Digest made;
    ::SHA256(bytes_of(text), text.size(), made.data());
    return made;
}

Digest keyed_digest(std::string_view key, std::string_view text) {
    Digest made;
    unsigned int size = 0;
    const auto* done = ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text),
                              text.size(), made.data(), &size);
    check(done != nullptr && size == made.size(), "HMAC-SHA-256 failed");
    return made;
}

bool same(const Digest& a, const Digest& b) {
    return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hex(const Digest& bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

}  // namespace cam::api
