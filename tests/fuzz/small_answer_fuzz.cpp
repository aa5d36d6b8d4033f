#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cam/base/check.h"
#include "cloudflare/small_answer.h"

namespace {

using cam::check;
using namespace cam::cloudflare;

const cam::Secret& token() {
    static const cam::Secret secret{"PlantedToken0123456789"};
    return secret;
}

void check_failure(const QueryFailure& failure) {
    check(!failure.detail.empty(), "a failure that says nothing");
    check(failure.detail.find(token().reveal()) == std::string::npos, "the token in a failure");
    for (const char c : failure.detail)
        check(static_cast<unsigned char>(c) >= 0x20, "a failure of several lines");
    if (!failure.retry_after) return;
    check(failure.retry_after->count() >= 0 && *failure.retry_after <= std::chrono::hours{24},
          "an absurd wait");
}

void read_all(std::string_view body, const AnswerContext& context) {
    if (const auto limits = read_limits(body, context, token())) {
        check(limits->max_page_size >= 1, "a page of no rows");
        check(limits->max_duration.count() >= 1 && limits->not_older_than.count() >= 1, "an empty window");
        // A wall time in milliseconds must not overflow by them.
        check(limits->max_duration <= std::chrono::years{200}, "an absurd window");
        check(limits->not_older_than <= std::chrono::years{200}, "an absurd retention");
    } else {
        check_failure(limits.error());
    }
    if (const auto prefixes = read_prefixes(body, context, token()); !prefixes)
        check_failure(prefixes.error());
    if (const auto status = read_bgp_prefixes(body, context, token())) {
        check(status->advertised + status->unknown <= status->total, "more states than prefixes");
    } else {
        check_failure(status.error());
    }
}

}  // namespace

/// Feeds the readers of Cloudflare's small answers (settings node, prefixes), as a good status and as
/// refusals.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body(data, data + size);
    for (const int status : {200, 401, 403, 429, 503}) {
        read_all(body, {.status = status,
                        .ray = "8f0c0ffee-ZRH",
                        .content_type = "application/json",
                        .retry_after = {}});
    }
    read_all(body, {});
    return 0;
}
