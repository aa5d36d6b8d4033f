#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cam/notify/render.h"
#include "notify/markdown.h"
#include "unit/notify/alert_samples.h"
#include "unit/notify/legacy_markdown.h"
#include "unit/notify/samples.h"

// Whatever stands in the fields of an event, the message keeps its shape and Telegram takes it.
namespace cam::notify {
namespace {

using test::parse_legacy_markdown;
using test::Parsed;

/// Writes field values: each begins with a visible letter and a number of its own, the rest is up to the
/// writer.
class FieldWriter {
public:
    virtual ~FieldWriter() = default;
    std::string field() { return "x" + std::to_string(number_++) + rest(); }

private:
    virtual std::string rest() = 0;
    int number_ = 1000;  // four digits: the order of fields does not depend on the rest
};

class HarmlessWriter final : public FieldWriter {
    std::string rest() override { return {}; }
};

class HostileWriter final : public FieldWriter {
public:
    explicit HostileWriter(unsigned seed) : random_(seed) {}

private:
    std::string rest() override {
        static const std::vector<std::string> kPieces{"_",
                                                      "*",
                                                      "`",
                                                      "[",
                                                      "]",
                                                      "(",
                                                      ")",
                                                      "\\",
                                                      "\\_",
                                                      "```",
                                                      "](tg://user?id=1)",
                                                      "**",
                                                      "__",
                                                      "\n",
                                                      "\r\n",
                                                      "\t",
                                                      std::string(1, '\0'),
                                                      "\x1b[31m",
                                                      "\x7f",
                                                      "\xC2\x85",
                                                      "\xE2\x80\xA8",
                                                      "\xE2\x80\xAE",
                                                      "\xE2\x81\xA6",
                                                      "\xE2\x80\x8B",
                                                      "\xFF",
                                                      "\xC3",
                                                      "\xE2\x80",
                                                      "\xED\xA0\x80",
                                                      "\xC0\xAF",
                                                      "\xF0\x9F\x92",
                                                      "💥",
                                                      "ā",
                                                      "…",
                                                      "a",
                                                      " ",
                                                      "http://evil.example/",
                                                      "@admin",
                                                      "Unknown",
                                                      std::string(300, '_'),
                                                      std::string(300, 'W'),
                                                      std::string(50'000, '*')};
        std::uniform_int_distribution<std::size_t> count(0, 12);
        std::uniform_int_distribution<std::size_t> piece(0, kPieces.size() - 1);
        std::string text;
        for (std::size_t i = count(random_); i > 0; --i) text += kPieces[piece(random_)];
        return text;
    }
    std::mt19937 random_;
};

class LongestWriter final : public FieldWriter {
public:
    explicit LongestWriter(std::string unit) : unit_(std::move(unit)) {}

private:
    std::string rest() override {
        std::string text;
        for (int i = 0; i < 1000; ++i) text += unit_;
        return text;
    }
    std::string unit_;
};

/// So few that no list is shortened, which is a change of shape that is meant.
void keep_one_of_each(AlertExplanation& explanation) {
    std::set<TrafficFacet> seen;
    std::erase_if(explanation.contributors,
                  [&](const AlertContributor& each) { return !seen.insert(each.facet).second; });
}

struct Written {
    std::vector<MitigationEvent> events;
    std::vector<EventNotice> notices;
    Place place;
    RenderOptions options;

    Written(FieldWriter& writer, unsigned seed) {
        std::mt19937 shape(seed);
        const auto coin = [&shape] { return (shape() & 1U) != 0; };
        const auto field = [&writer] { return lasting(writer.field()); };
        options.organization = writer.field();
        if (coin()) options.geoip = GeoEdition::Type::kCommercial;
        for (int i = 0; i < 4; ++i) {
            MitigationEvent event;
            event.datetime = field();
            if (coin()) event.time = parse_time("2026-01-19T22:51:50Z");
            event.attack_id = field();
            event.attack_vector = field();
            if (coin()) event.rule_name = field();
            event.rule_id = field();
            event.source_ip = field();
            if (coin()) event.source = IpAddress::parse("198.41.0.4");
            if (coin()) event.source_port = 1;
            event.destination_ip = field();
            event.protocol = field();
            event.tcp_flags = field();
            event.colo_code = field();
            event.colo_country = field();
            event.colo_city = field();
            event.mitigation_reason = field();
            event.source_asn_name = field();
            event.source_country = field();
            if (coin()) event.packets = ~std::uint64_t{0};
            if (coin()) event.bits = ~std::uint64_t{0};
            events.push_back(event);
        }
        place = {writer.field(), writer.field(), writer.field(), 4'294'967'295U, writer.field()};
        options.place_of = [this](const IpAddress&) { return place; };
        for (const MitigationEvent& event : events) {
            EventNotice notice{&event, {}};
            if (coin()) {
                notice.spoofed = "private range";
            }
            notices.push_back(notice);
        }
    }
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;

    std::vector<Message> render(FieldWriter& writer) const {
        StartupReport startup = test::sample_startup();
        startup.version = writer.field();
        startup.history->last->vector = writer.field();
        startup.history->last->target = writer.field();
        for (ServiceReport& service : startup.services) service.label = writer.field();
        startup.problems = {writer.field(), writer.field()};
        Alert alert = test::sample_zscore_alert();
        alert.rule_name = writer.field();
        alert.id = writer.field();
        alert.end_reason = writer.field();
        AlertExplanation explanation = test::sample_explanation();
        keep_one_of_each(explanation);
        for (AlertContributor& each : explanation.contributors) {
            each.key = writer.field();
            each.place = {writer.field(), writer.field(), writer.field(), 1, writer.field()};
        }
        const std::string headline = writer.field();
        return {render_event(notices.front(), options),
                render_attack(notices, options),
                render_startup(startup, options),
                render_shutdown({test::sample_history(), {}}, options),
                render_alert_started(alert, explanation, options),
                render_alert_ended(alert, options),
                render_status(StatusTone::kTrouble, headline, {writer.field(), writer.field()}, options)};
    }
};

/// The marks of a message's entities, and the texts of those that hold no field.
std::vector<std::string> shape(const Parsed& parsed) {
    std::vector<std::string> marks;
    for (const Parsed::Entity& entity : parsed.entities) {
        const bool holds_field = entity.mark == '`' || entity.text.starts_with("x");
        marks.push_back(std::string(1, entity.mark) + (holds_field ? "field" : entity.text));
    }
    marks.push_back(std::to_string(std::count(parsed.visible.begin(), parsed.visible.end(), '\n')) +
                    " line breaks");
    return marks;
}

void expect_same_shape(FieldWriter& writer, unsigned seed) {
    HarmlessWriter harmless_writer;
    const Written harmless(harmless_writer, seed);
    const Written hostile(writer, seed);
    const std::vector<Message> expected = harmless.render(harmless_writer);
    const std::vector<Message> messages = hostile.render(writer);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const std::string& text = messages[i].text;
        const auto parsed = parse_legacy_markdown(text);
        ASSERT_TRUE(parsed) << "seed " << seed << "\n" << text;
        EXPECT_LE(utf16_units(text), kMaxMessageUnits) << "seed " << seed;
        EXPECT_EQ(shape(*parsed), shape(*parse_legacy_markdown(expected[i].text))) << "seed " << seed << "\n"
                                                                                   << text;
        std::string lines = text;
        std::replace(lines.begin(), lines.end(), '\n', '.');
        EXPECT_EQ(sanitize(lines), lines)
            << "seed " << seed;  // valid UTF-8, no control and no hidden character
    }
}

TEST(HostileTextTest, ChangesNoMessagesShape) {
    for (unsigned seed = 0; seed < 1500; ++seed) {
        HostileWriter writer(seed);
        expect_same_shape(writer, seed);
        if (HasFailure()) return;
    }
}

TEST(HostileTextTest, OfAnyLengthStaysWithinTelegramsLimit) {
    for (const std::string unit : {"a", "_", "💥", "\xFF", "`", "\\", "*", "[", "a\xE2\x80\xAE"}) {
        for (unsigned seed = 0; seed < 16; ++seed) {
            LongestWriter writer(unit);
            expect_same_shape(writer, seed);
        }
    }
}

TEST(HostileTextTest, ShortensTheListsOfAnAlert) {
    for (const std::string unit : {"a", "_", "💥", "\xFF", "`", "["}) {
        LongestWriter writer(unit);
        Alert alert = test::sample_alert();
        alert.rule_name = writer.field();
        AlertExplanation explanation = test::sample_explanation();
        for (AlertContributor& each : explanation.contributors) {
            each.key = writer.field();
            each.place = {writer.field(), writer.field(), writer.field(), 1, writer.field()};
        }
        const std::string text = render_alert_started(alert, explanation, RenderOptions{}).text;
        EXPECT_LE(utf16_units(text), kMaxMessageUnits);
        EXPECT_GT(utf16_units(text), kMaxMessageUnits / 4);
        EXPECT_TRUE(parse_legacy_markdown(text)) << text;
        EXPECT_TRUE(text.ends_with("_Network Flow Monitor_")) << text;
    }
}

TEST(HostileTextTest, KeepsItsMarksVisible) {
    MitigationEvent event = test::sample_event();
    event.attack_vector = "UDP_[flood]*`\\_";
    const auto parsed = parse_legacy_markdown(render_event({&event, {}}, RenderOptions{}).text);
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(test::mentions(parsed->visible, "Vector: UDP_[flood]*`\\_\n"));
}

}  // namespace
}  // namespace cam::notify
