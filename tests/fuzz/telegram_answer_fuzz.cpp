#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cam/base/check.h"
#include "notify/telegram_answer.h"

namespace {

using cam::check;
using namespace cam::notify;

const cam::Secret& token() {
    static const cam::Secret secret{"100200300:AAPlantedBotToken0123456789abcdef"};
    return secret;
}

void check_outcome(const SendOutcome& outcome, const cam::net::HttpResponse& response, const Asked& asked) {
    check(outcome.result != SendResult::kSent || response.status / 100 == 2,
          "sent although the status says no");
    check(outcome.result != SendResult::kMigrated || outcome.migrate_to, "moved, but nobody knows where to");
    check(outcome.result != SendResult::kThreadMissing || asked.has_thread,
          "a thread that was not asked for");
    check(outcome.result != SendResult::kBadEntities || asked.markup == Markup::kMarkdown,
          "plain text with entities");
    check(!outcome.detail.empty(), "an outcome that says nothing");
    if (!outcome.retry_after) return;
    check(outcome.retry_after->count() >= 0 && *outcome.retry_after <= std::chrono::hours{24},
          "an absurd wait");
}

void check_scrubbed(const std::string& detail) {
    static const std::string kUrl = "https://telegram.example.net/path";
    const std::string line = scrub(detail, token(), kUrl);
    check(line.find(token().reveal()) == std::string::npos, "the token in a line for people");
    check(line.find(kUrl) == std::string::npos, "the URL in a line for people");
    check(line.size() <= 4096, "a long line for people");
    for (const char c : line) check(static_cast<unsigned char>(c) >= 0x20, "several lines for people");
}

}  // namespace

/// Feeds the reader of Telegram's answers with every status and question, and what is told people about them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    cam::net::HttpResponse response;
    response.body.assign(data, data + size);
    for (const int status : {200, 302, 400, 401, 403, 404, 413, 429, 502}) {
        response.status = status;
        // The first line stands for a header, too.
        response.headers = {{"retry-after", response.body.substr(0, response.body.find('\n'))}};
        for (const Asked asked : {Asked{Markup::kMarkdown, true}, Asked{Markup::kPlain, false}}) {
            const SendOutcome outcome = classify(response, asked);
            check_outcome(outcome, response, asked);
            check_scrubbed(outcome.detail);
        }
    }
    check_scrubbed(response.body);
    check_scrubbed(response.body + token().reveal() + response.body);
    check_scrubbed("GET /bot" + encode_segment(token().reveal()) + "/sendMessage " + response.body);
    return 0;
}
