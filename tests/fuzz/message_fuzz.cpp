#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cam/base/check.h"
#include "cam/notify/render.h"
#include "notify/markdown.h"
#include "unit/notify/legacy_markdown.h"

namespace {

using cam::check;
using namespace cam::notify;
using test::parse_legacy_markdown;

/// Takes the lines of a text one after the other; nullopt behind the last one.
class Fields {
public:
    explicit Fields(std::string_view rest) : rest_(rest) {}
    cam::MaybeText text() {
        if (at_end_) return std::nullopt;
        const std::size_t end = rest_.find('\n');
        const std::string_view line = rest_.substr(0, end);
        at_end_ = end == std::string_view::npos;
        if (!at_end_) rest_.remove_prefix(end + 1);
        return line;
    }
    template <typename Number>
    std::optional<Number> number() {
        const auto line = text();
        if (!line) return std::nullopt;
        Number value = 0;
        const auto read = std::from_chars(line->data(), line->data() + line->size(), value);
        return read.ec == std::errc{} ? std::optional{value} : std::nullopt;
    }

private:
    std::string_view rest_;
    bool at_end_ = false;
};

std::optional<std::string> owned(cam::MaybeText text) {
    return text ? std::optional{std::string(*text)} : std::nullopt;
}

/// What is told of `text`; the text lives longer.
struct Told {
    cam::MitigationEvent event;
    cam::Place place;
    std::string organization;
};

Told told_from(std::string_view input) {
    Fields fields(input);
    Told told;
    cam::MitigationEvent& event = told.event;
    event.attack_id = fields.text();
    event.attack_vector = fields.text();
    event.rule_name = fields.text();
    event.rule_id = fields.text();
    event.mitigation_reason = fields.text();
    event.source_ip = fields.text();
    event.source_port = fields.number<std::uint32_t>();
    event.destination_ip = fields.text();
    event.destination_port = fields.number<std::uint32_t>();
    event.protocol = fields.text();
    event.tcp_flags = fields.text();
    event.colo_code = fields.text();
    event.colo_country = fields.text();
    event.colo_city = fields.text();
    event.packets = fields.number<std::uint64_t>();
    event.bits = fields.number<std::uint64_t>();
    told.place.city = owned(fields.text());
    told.place.country = owned(fields.text());
    told.place.country_code = owned(fields.text());
    told.place.asn = fields.number<std::uint32_t>();
    told.place.organization = owned(fields.text());
    told.organization = std::string(fields.text().value_or("Example SOC"));
    event.source_asn_name = fields.text();
    event.source_country = fields.text();
    event.datetime = fields.text();
    if (event.source_ip) event.source = cam::IpAddress::parse(*event.source_ip);
    // Only of an address a place is told: take one now and then, so that both it and odd texts are.
    if (!event.source && event.source_ip.value_or("").size() % 2 == 0)
        event.source = cam::IpAddress::parse("198.41.0.4");
    if (event.destination_ip) event.destination = cam::IpAddress::parse(*event.destination_ip);
    return told;
}

void check_escapes(std::string_view text) {
    const std::string clean_text = sanitize(text);
    check(sanitize(clean_text) == clean_text, "cleaning twice differs from cleaning once");
    const auto plain = parse_legacy_markdown("<" + escape_text(text) + " >");
    check(plain && plain->entities.empty(), "text from outside made an entity");
    check(plain->visible == "<" + clean_text + " >", "text from outside looks different");
    for (const std::string& wrapped : {code(text), bold(text)}) {
        const auto entity = parse_legacy_markdown("<" + wrapped + ">");
        check(entity && entity->entities.size() <= 1, "text from outside broke out of an entity");
    }
    check(utf16_units(clean_text) <= clean_text.size(), "more units than bytes");
}

std::size_t entities_of(const cam::Message& message) {
    check(utf16_units(message.text) <= kMaxMessageUnits, "longer than Telegram takes");
    check(sanitize(message.text).size() <= message.text.size() + 2, "not valid UTF-8");
    const auto parsed = parse_legacy_markdown(message.text);
    check(parsed.has_value(), "Telegram would refuse the message");
    for (const auto& entity : parsed->entities) {
        check(entity.mark != '[', "a link in a message");
        check(entity.text.find('\n') == std::string::npos, "an entity over several lines");
    }
    return parsed->entities.size();
}

std::pair<std::size_t, std::size_t> entities_told(const Told& told) {
    const EventNotice notice{.event = &told.event, .spoofed = std::nullopt};
    const RenderOptions options{.organization = told.organization,
                                .geoip = cam::GeoEdition::Type::kFree,
                                .place_of = [&told](const cam::IpAddress&) { return told.place; }};
    return {entities_of(render_event(notice, options)),
            entities_of(render_attack({notice, notice}, options))};
}

}  // namespace

/// Feeds the texts that come from outside into messages: whatever they hold, Telegram takes the message and
/// no value adds, ends or swallows an entity.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text(data, data + size);
    check_escapes(text);
    const auto hostile = entities_told(told_from(text));
    for (char& c : text) {
        if (std::string_view{"_*[]`\\()"}.find(c) != std::string_view::npos) c = '#';
    }
    check(hostile == entities_told(told_from(text)), "a value changed the entities of the message");
    entities_of(render_status(StatusTone::kTrouble, text, {text, text}, {}));
    return 0;
}
