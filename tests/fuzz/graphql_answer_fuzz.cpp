#include <cstddef>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "cam/base/check.h"
#include "cloudflare/event_answer.h"

/// Feeds the parser of Cloudflare's event answers, and holds what it takes against a strict parser.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using cam::cloudflare::EventAnswer;
    const std::string sent(data, data + size);
    const EventAnswer answer = cam::cloudflare::parse_event_answer(sent);
    cam::check(answer.errors.size() <= cam::cloudflare::kMostToldErrors, "too many errors were kept");
    if (answer.shape == EventAnswer::Shape::kBroken) {
        cam::check(answer.page.events.empty() && answer.error_count == 0, "a broken answer gave something");
        return 0;
    }
    const cam::cloudflare::EventPage& page = answer.page;
    cam::check(page.rows == page.events.size() + page.unreadable + page.not_dropped + page.not_ingress,
               "a row was neither kept nor counted");
    for (const cam::MitigationEvent& event : page.events) {
        cam::check(sent.find(event.raw) != std::string::npos, "raw is not what was sent");
        // Numbers beyond a double's range are JSON, but the strict parser does not take them.
        cam::check(event.raw.find_first_of("eE") != std::string::npos || nlohmann::json::accept(event.raw),
                   "raw is no JSON");
    }
    return 0;
}
