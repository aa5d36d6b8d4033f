#include "cam/model/mitigation_event.h"

#include <openssl/evp.h>

#include <cstring>
#include <functional>

#include "cam/base/check.h"

namespace cam {
namespace {

/// SHA-256 whose algorithm is looked up, and whose context is made, once: that costs more than a short digest
/// itself. One thread at a time.
class Sha256 {
public:
    Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA2-256", nullptr)), context_(EVP_MD_CTX_new()) {
        check(algorithm_ != nullptr && context_ != nullptr, "OpenSSL offers no SHA-256");
    }

    void begin() {
        check(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1, "SHA-256: init");
    }
    void add(std::string_view bytes) {
        check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256: update");
    }
    EventHash end() {
        EventHash hash{};
        check(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1, "SHA-256: final");
        return hash;
    }

private:
    struct Free {
        void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD, Free> algorithm_;
    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

constexpr std::array kTexts{
    &MitigationEvent::datetime,          &MitigationEvent::attack_id,       &MitigationEvent::attack_vector,
    &MitigationEvent::rule_name,         &MitigationEvent::rule_id,         &MitigationEvent::source_ip,
    &MitigationEvent::destination_ip,    &MitigationEvent::protocol,        &MitigationEvent::tcp_flags,
    &MitigationEvent::colo_code,         &MitigationEvent::colo_country,    &MitigationEvent::colo_city,
    &MitigationEvent::outcome,           &MitigationEvent::verdict,         &MitigationEvent::direction,
    &MitigationEvent::mitigation_reason, &MitigationEvent::source_asn_name, &MitigationEvent::source_country};

/// True if `part` is a piece of `whole`, not merely equal to one.
bool lies_in(std::string_view part, std::string_view whole) {
    constexpr std::less_equal<const char*>
        kNotAfter;  // defined for pointers that have nothing to do with each other
    return kNotAfter(whole.data(), part.data()) &&
           kNotAfter(part.data() + part.size(), whole.data() + whole.size());
}

/// What an event needs besides its JSON, of which most texts are a piece.
std::size_t bytes_beside_raw(const MitigationEvent& event) {
    std::size_t bytes = 0;
    for (const auto member : kTexts) {
        const MaybeText text = event.*member;
        if (text && !lies_in(*text, event.raw)) bytes += text->size();
    }
    return bytes;
}

}  // namespace

void store_apart(std::vector<MitigationEvent>& events) {
    std::size_t bytes = 0;
    for (const MitigationEvent& event : events) bytes += event.raw.size() + bytes_beside_raw(event);
    const auto memory = std::make_shared<std::string>();
    memory->reserve(bytes);  // never moved: the views stay valid
    const auto copied = [&memory](std::string_view text) {
        const std::size_t at = memory->size();
        memory->append(text);
        return std::string_view{memory->data() + at, text.size()};
    };
    for (MitigationEvent& event : events) {
        const std::string_view raw = copied(event.raw);
        for (const auto member : kTexts) {
            MaybeText& text = event.*member;
            if (!text) continue;
            text = lies_in(*text, event.raw)
                       ? raw.substr(static_cast<std::size_t>(text->data() - event.raw.data()), text->size())
                       : copied(*text);
        }
        event.raw = raw;
        event.memory = memory;
    }
}

EventHash event_hash(std::string_view datetime, std::string_view attack_id, std::string_view source,
                     std::string_view destination, std::string_view destination_port) {
    static thread_local Sha256 sha256;
    sha256.begin();
    sha256.add(datetime);
    for (const std::string_view part : {attack_id, source, destination, destination_port}) {
        sha256.add("|");
        sha256.add(part);
    }
    return sha256.end();
}

std::string hex(const EventHash& hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * hash.size());
    for (const std::uint8_t byte : hash) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 0x0fU];
    }
    return text;
}

}  // namespace cam
