#include "cloudflare/event_answer.h"

#include <gtest/gtest.h>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cam/base/time_text.h"

namespace cam::cloudflare {
namespace {

using Shape = EventAnswer::Shape;

constexpr std::string_view kRow =
    R"({"dimensions":{"datetime":"2026-01-19T22:51:50Z","attackId":"k9z3t-xx1g6wwhgqngq523mp0nr",)"
    R"("attackVector":"UDP Flood","ruleName":"UDP-0001","ruleId":"3b64149bfa6e4220bbbc2bd6db589552",)"
    R"("mitigationReason":"BLOCKED","outcome":"drop","verdict":"drop","ipSourceAddress":"103.172.211.7",)"
    R"("sourcePort":46181,"sourceAsn":139009,"sourceAsnName":"Windstream \u00e4 \"Com\"","sourceCountry":"BD",)"
    R"("ipDestinationAddress":"185.54.81.20","destinationPort":53,"ipProtocolName":"UDP","tcpFlagsString":"",)"
    R"("coloCode":"SOF","coloCountry":"BG","coloCity":"Sofia","direction":"ingress"},)"
    R"("sum":{"packets":18446744073709551615,"bits":9000000}})";

std::string answer_with(std::string_view rows) {
    return fmt::format(
        R"({{"data":{{"viewer":{{"accounts":[{{"dosdNetworkAnalyticsAdaptiveGroups":[{}]}}]}}}},"errors":null}})",
        rows);
}

EventAnswer parse(std::string body) {
    return parse_event_answer(std::move(body));
}
EventAnswer parse_rows(std::string_view rows) {
    return parse(answer_with(rows));
}

/// The only event of one row with these dimensions.
MitigationEvent event_of(std::string_view dimensions, std::string_view sum = "{}") {
    EventAnswer answer = parse_rows(fmt::format(R"({{"dimensions":{},"sum":{}}})", dimensions, sum));
    EXPECT_EQ(answer.shape, Shape::kRows) << dimensions;
    EXPECT_EQ(answer.page.events.size(), 1U) << dimensions;
    if (answer.page.events.size() != 1) return {};
    return std::move(answer.page.events.front());
}

TEST(EventAnswerTest, ReadsEveryFieldOfARow) {
    const EventAnswer answer = parse_rows(kRow);
    ASSERT_EQ(answer.shape, Shape::kRows);
    EXPECT_EQ(answer.error_count, 0U);
    EXPECT_EQ(answer.page.rows, 1U);
    ASSERT_EQ(answer.page.events.size(), 1U);
    const MitigationEvent& event = answer.page.events.front();
    EXPECT_EQ(event.datetime, "2026-01-19T22:51:50Z");
    EXPECT_EQ(event.time, parse_time("2026-01-19T22:51:50Z"));
    EXPECT_EQ(event.attack_id, "k9z3t-xx1g6wwhgqngq523mp0nr");
    EXPECT_EQ(event.attack_vector, "UDP Flood");
    EXPECT_EQ(event.rule_name, "UDP-0001");
    EXPECT_EQ(event.rule_id, "3b64149bfa6e4220bbbc2bd6db589552");
    EXPECT_EQ(event.mitigation_reason, "BLOCKED");
    EXPECT_EQ(event.outcome, "drop");
    EXPECT_EQ(event.verdict, "drop");
    EXPECT_EQ(event.source_ip, "103.172.211.7");
    EXPECT_EQ(event.source, IpAddress::parse("103.172.211.7"));
    EXPECT_EQ(event.source_port, 46181U);
    EXPECT_EQ(event.source_asn, 139009U);
    EXPECT_EQ(event.source_asn_name, "Windstream ä \"Com\"");
    EXPECT_EQ(event.source_country, "BD");
    EXPECT_EQ(event.destination_ip, "185.54.81.20");
    EXPECT_EQ(event.destination, IpAddress::parse("185.54.81.20"));
    EXPECT_EQ(event.destination_port, 53U);
    EXPECT_EQ(event.protocol, "UDP");
    EXPECT_EQ(event.tcp_flags, "");
    EXPECT_EQ(event.colo_code, "SOF");
    EXPECT_EQ(event.colo_country, "BG");
    EXPECT_EQ(event.colo_city, "Sofia");
    EXPECT_EQ(event.direction, "ingress");
    EXPECT_EQ(event.packets, 18446744073709551615U);
    EXPECT_EQ(event.bits, 9000000U);
}

TEST(EventAnswerTest, KeepsTheRowByteForByteWithoutTheBlanksAroundIt) {
    const std::string spaced =
        "{ \"sum\" : {\"bits\":\t1} ,\r\n \"dimensions\": { \"attackId\":\"\\u0061\" }  }";
    const EventAnswer answer = parse_rows("\n  " + spaced + " \n ,\t" + std::string{kRow} + "  ");
    ASSERT_EQ(answer.page.events.size(), 2U);
    EXPECT_EQ(answer.page.events[0].raw, spaced);
    EXPECT_EQ(answer.page.events[0].attack_id, "a");
    EXPECT_EQ(answer.page.events[1].raw, kRow);
}

TEST(EventAnswerTest, EventsOutliveTheAnswerTheyCameIn) {
    MitigationEvent event =
        event_of(R"({"attackId":"a\u0062c","attackVector":"UDP Flood","ruleName":"\"\""})");
    const MitigationEvent copy = event;
    event = {};
    EXPECT_EQ(copy.attack_id, "abc");
    EXPECT_EQ(copy.attack_vector, "UDP Flood");
    EXPECT_EQ(copy.rule_name, "\"\"");
    EXPECT_TRUE(copy.raw.starts_with(R"({"dimensions":{"attackId":"a\u0062c",)"));
}

TEST(EventAnswerTest, ATextMayHoldBlanksAndEndInThem) {
    const MitigationEvent event = event_of(R"({"attackVector" : " UDP  " , "ruleName":"" })");
    EXPECT_EQ(event.attack_vector, " UDP  ");
    EXPECT_EQ(event.rule_name, "");
    EXPECT_FALSE(event.rule_id);
}

TEST(EventAnswerTest, IdentifiesAnEventByTheContractsFiveValues) {
    // Made with Python: hashlib.sha256(f"{datetime}|{attackId}|{src}|{dst}|{port}".encode()).hexdigest()
    EXPECT_EQ(
        event_of(R"({"datetime":"2026-01-19T22:51:50Z","attackId":"a\u0062c","ipSourceAddress":"1.2.3.4",)"
                 R"("ipDestinationAddress":"185.54.80.1","destinationPort":443})")
            .hash,
        event_hash("2026-01-19T22:51:50Z", "abc", "1.2.3.4", "185.54.80.1", "443"));
    EXPECT_EQ(
        event_of(R"({"datetime":null,"attackId":true,"ipSourceAddress":false,"destinationPort":[1]})").hash,
        event_hash("None", "True", "False", "None", "None"));
    EXPECT_EQ(event_of(R"({"attackId":"","destinationPort":53.0 , "ipSourceAddress":-7})").hash,
              event_hash("None", "", "-7", "None", "53.0"));
    EXPECT_EQ(event_of("{}").hash, event_hash("None", "None", "None", "None", "None"));
}

TEST(EventAnswerTest, TakesTheSameIdentityHoweverTheFieldsAreOrdered) {
    const auto one =
        event_of(R"({"datetime":"t","attackId":"a","ipSourceAddress":"s","ipDestinationAddress":"d",)"
                 R"("destinationPort":1})");
    const auto other = event_of(R"({"destinationPort":1,"ipDestinationAddress":"d","ipSourceAddress":"s",)"
                                R"("attackId":"a","datetime":"t"})");
    EXPECT_EQ(one.hash, other.hash);
}

// B8: the Python monitor died of a null in the sums and lost the whole batch.
TEST(EventAnswerTest, TakesNullMissingAndEmptyForWhatTheyAre) {
    const EventAnswer answer = parse_rows(
        R"({"dimensions":{"attackId":null,"coloCode":""},"sum":{"packets":null}},{"dimensions":{},"sum":null},)"
        R"({"dimensions":{"sourcePort":null}})");
    ASSERT_EQ(answer.page.events.size(), 3U);
    EXPECT_EQ(answer.page.unreadable, 0U);
    EXPECT_EQ(answer.page.events[0].attack_id, std::nullopt);
    EXPECT_EQ(answer.page.events[0].colo_code, "");
    EXPECT_EQ(answer.page.events[0].packets, std::nullopt);
    EXPECT_EQ(answer.page.events[0].bits, std::nullopt);
    EXPECT_EQ(answer.page.events[1].packets, std::nullopt);
    EXPECT_EQ(answer.page.events[2].source_port, std::nullopt);
}

TEST(EventAnswerTest, AFieldOfAnUnexpectedTypeIsMissingAndHurtsNoOther) {
    const MitigationEvent event = event_of(
        R"({"attackVector":7,"ruleName":{"deep":[1,{"er":null}]},"ruleId":["x"],"sourcePort":true,"sourceAsn":"AS1",)"
        R"("ipSourceAddress":16909060,"coloCode":"SOF","unknown":{"a":[[]]}})",
        R"({"packets":[1],"bits":{"value":1},"flows":"many"})");
    EXPECT_EQ(event.attack_vector, std::nullopt);
    EXPECT_EQ(event.rule_name, std::nullopt);
    EXPECT_EQ(event.rule_id, std::nullopt);
    EXPECT_EQ(event.source_port, std::nullopt);
    EXPECT_EQ(event.source_asn, std::nullopt);
    EXPECT_EQ(event.source_ip, std::nullopt);
    EXPECT_EQ(event.packets, std::nullopt);
    EXPECT_EQ(event.bits, std::nullopt);
    EXPECT_EQ(event.colo_code, "SOF");
}

TEST(EventAnswerTest, TakesNumbersAsIntegersWholeFractionsAndTextsOfDigits) {
    const MitigationEvent event =
        event_of(R"({"sourcePort":"46181","destinationPort":53.0,"sourceAsn":4294967295})",
                 R"({"packets":1.5e3,"bits":"9000"})");
    EXPECT_EQ(event.source_port, 46181U);
    EXPECT_EQ(event.destination_port, 53U);
    EXPECT_EQ(event.source_asn, 4294967295U);
    EXPECT_EQ(event.packets, 1500U);
    EXPECT_EQ(event.bits, 9000U);
    const MitigationEvent odd = event_of(R"({"sourcePort":-1,"destinationPort":"","sourceAsn":4294967296})",
                                         R"({"packets":123456789012345678901234567890,"bits":0.5})");
    EXPECT_EQ(odd.source_port, std::nullopt);
    EXPECT_EQ(odd.destination_port, std::nullopt);
    EXPECT_EQ(odd.source_asn, std::nullopt);
    EXPECT_EQ(odd.packets, std::nullopt);
    EXPECT_EQ(odd.bits, std::nullopt);
}

TEST(EventAnswerTest, KeepsTheTextOfAddressesAndTimesItCannotRead) {
    const MitigationEvent event = event_of(
        R"({"datetime":"yesterday","ipSourceAddress":"300.1.2.3","ipDestinationAddress":"2A02:4460::1"})");
    EXPECT_EQ(event.datetime, "yesterday");
    EXPECT_EQ(event.time, std::nullopt);
    EXPECT_EQ(event.source_ip, "300.1.2.3");
    EXPECT_EQ(event.source, std::nullopt);
    EXPECT_EQ(event.destination, IpAddress::parse("2a02:4460::1"));
}

TEST(EventAnswerTest, CountsRowsThatAreNoEventsAndKeepsTheirNeighbours) {
    const EventAnswer answer = parse_rows(
        std::string{kRow} +
        R"(,null,7,"row",[],[{"dimensions":{}}],{},{"sum":{}},{"dimensions":null},{"dimensions":[1]},)" +
        std::string{kRow});
    ASSERT_EQ(answer.shape, Shape::kRows);
    EXPECT_EQ(answer.page.rows, 11U);
    EXPECT_EQ(answer.page.unreadable, 9U);
    ASSERT_EQ(answer.page.events.size(), 2U);
    EXPECT_EQ(answer.page.events[1].raw, kRow);
}

// B9: without a filter on the direction our own traffic counted as an attack, and so did log-only rules.
TEST(EventAnswerTest, LeavesOutWhatWasPassedAndWhatLeftOurNetwork) {
    const EventAnswer answer =
        parse_rows(R"({"dimensions":{"attackId":"1","direction":"egress","outcome":"drop"}},)"
                   R"({"dimensions":{"attackId":"2","direction":"ingress","outcome":"pass"}},)"
                   R"({"dimensions":{"attackId":"3","direction":"egress","outcome":"pass"}},)"
                   R"({"dimensions":{"attackId":"4","direction":"lateral","outcome":"drop"}},)"
                   R"({"dimensions":{"attackId":"5","direction":"","outcome":""}},)"
                   R"({"dimensions":{"attackId":"6","direction":null,"outcome":null}},)"
                   R"({"dimensions":{"attackId":"7"}})");
    EXPECT_EQ(answer.page.rows, 7U);
    EXPECT_EQ(answer.page.not_ingress, 1U);
    EXPECT_EQ(answer.page.not_dropped, 2U);
    std::string kept;
    for (const MitigationEvent& event : answer.page.events) kept += event.attack_id.value_or("?");
    EXPECT_EQ(kept, "4567");
}

TEST(EventAnswerTest, GivesTheOldestFirstEvenIfTheAnswerDoesNot) {
    const EventAnswer answer =
        parse_rows(R"({"dimensions":{"attackId":"c","datetime":"2026-01-19T22:51:52Z"}},)"
                   R"({"dimensions":{"attackId":"a","datetime":"2026-01-19T22:51:50Z"}},)"
                   R"({"dimensions":{"attackId":"d","datetime":"2026-01-19T22:51:52Z"}},)"
                   R"({"dimensions":{"attackId":"b","datetime":"2026-01-19T22:51:51Z"}})");
    std::string order;
    for (const MitigationEvent& event : answer.page.events) order += event.attack_id.value_or("?");
    EXPECT_EQ(order, "abcd");
}

TEST(EventAnswerTest, OfARepeatedKeyTheLastOneCounts) {
    const MitigationEvent event = event_of(
        R"({"attackId":"first","coloCode":"SOF","coloCode":"AMS","attackId":"last","sourcePort":1,"sourcePort":null})");
    EXPECT_EQ(event.attack_id, "last");
    EXPECT_EQ(event.colo_code, "AMS");
    EXPECT_EQ(event.source_port, std::nullopt);
    EXPECT_EQ(event.hash, event_hash("None", "last", "None", "None", "None"));
}

TEST(EventAnswerTest, KnowsItsKeysEvenIfTheyAreWrittenWithEscapes) {
    EXPECT_EQ(event_of(R"({"attack\u0049d":"x"})").attack_id, "x");
}

TEST(EventAnswerTest, HalfASurrogatePairCostsOnlyItsField) {
    const MitigationEvent event = event_of(R"({"sourceAsnName":"bad \ud800","attackId":"x"})");
    EXPECT_EQ(event.source_asn_name, std::nullopt);
    EXPECT_EQ(event.attack_id, "x");
}

TEST(EventAnswerTest, TakesALongAnswerWithManyEvents) {
    std::string rows;
    for (int i = 0; i < 3'000; ++i) {
        if (i > 0) rows += ',';
        rows += kRow;
    }
    const EventAnswer answer = parse_rows(rows);
    EXPECT_EQ(answer.page.rows, 3'000U);
    EXPECT_EQ(answer.page.events.size(), 3'000U);
    EXPECT_EQ(answer.page.events.back().raw, kRow);
}

// Simplest of the promises, and the most important: what was cut is never taken for a shorter answer.
TEST(EventAnswerTest, NoBeginningOfAnAnswerPassesForAnAnswer) {
    const std::string whole = answer_with(kRow);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const EventAnswer answer = parse(whole.substr(0, size));
        ASSERT_EQ(answer.shape, Shape::kBroken) << size;
        ASSERT_TRUE(answer.page.events.empty()) << size;
    }
    EXPECT_EQ(parse(whole + " \r\n").shape, Shape::kRows);
}

// On-demand parsing looks only at what is asked of it; a strict parser is the judge of whether we asked
// enough.
TEST(EventAnswerTest, NoticesEveryDamageThatAStrictParserNotices) {
    const std::string whole =
        answer_with(std::string{kRow} + R"(,{"else":[true,{"x":-1.5e3},null],"dimensions":{}})");
    const auto agrees = [](const std::string& body) {
        const bool intact = parse(body).shape != Shape::kBroken;
        EXPECT_EQ(intact, nlohmann::json::accept(body)) << body;
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
        agrees(std::string{whole}.erase(at, 1));
        for (const char other :
             {whole[at], '{', '}', '[', ']', ',', ':', '"', ' ', '0', '-', '\\', '\x01', '\xff'}) {
            std::string changed = whole;
            agrees(changed.insert(at, 1, other));
            changed = whole;
            changed[at] = other;
            agrees(changed);
        }
    }
}

TEST(EventAnswerTest, RefusesWhatIsNotOneIntactJsonObject) {
    const std::string row{kRow};
    for (const std::string& body : {
             std::string{},
             std::string{" \n"},
             std::string{"null"},
             std::string{"[]"},
             std::string{"\"text\""},
             std::string{"<html><body>502 Bad Gateway</body></html>"},
             answer_with(row) + "x",
             answer_with(row) + "{}",
             answer_with(row) + answer_with(row),
             answer_with(row) + "}",
             answer_with(row + ","),
             answer_with("," + row),
             answer_with(row + row),
             answer_with(R"({"dimensions":{"a":tru}})"),
             answer_with(R"({"dimensions":{"a":nul}})"),
             answer_with(R"({"dimensions":{"a":01}})"),
             answer_with(R"({"dimensions":{"a":1.}})"),
             answer_with(R"({"dimensions":{"a":'x'}})"),
             answer_with(R"({"dimensions":{a:1}})"),
             answer_with(R"({"dimensions":{"a":1 2}})"),
             answer_with(R"({"dimensions":{"a"}})"),
             answer_with(R"({"other":{"a":[1 2]},"dimensions":{}})"),
             answer_with(R"({"dimensions":{},"x":{"y":[}]}})"),
             answer_with("{\"dimensions\":{\"a\":\"line\nbreak\"}}"),
             answer_with("{\"dimensions\":{\"a\":\"\xff\xfe\"}}"),
             answer_with(std::string("{\"dimensions\":{\"a\":\"\0\"}}", 24)),
             std::string{"{\"data\":NaN}"},
             std::string{"{\"data\":/*none*/null}"},
         }) {
        EXPECT_EQ(parse(body).shape, Shape::kBroken) << body;
    }
}

// B36: depth is limited.
TEST(EventAnswerTest, RefusesToFollowDeepNestingWhereverItStands) {
    const auto deep = [](int depth) {
        return std::string(static_cast<std::size_t>(depth), '[') +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    EXPECT_EQ(parse_rows(R"({"dimensions":{"x":)" + deep(40) + "}}").shape, Shape::kRows);
    for (const int depth : {100, 2'000, 500'000}) {
        EXPECT_EQ(parse(deep(depth)).shape, Shape::kBroken);
        EXPECT_EQ(parse("{\"x\":" + deep(depth) + "}").shape, Shape::kBroken);
        EXPECT_EQ(parse("{\"errors\":" + deep(depth) + "}").shape, Shape::kBroken);
        EXPECT_EQ(parse_rows(R"({"dimensions":{"attackId":)" + deep(depth) + "}}").shape, Shape::kBroken);
        EXPECT_EQ(parse_rows(std::string(static_cast<std::size_t>(depth), '{')).shape, Shape::kBroken);
    }
}

TEST(EventAnswerTest, TellsApartTheWaysToHoldNoRows) {
    const auto shape = [](std::string_view data) {
        return parse(fmt::format(R"({{"errors":null,"data":{}}})", data)).shape;
    };
    EXPECT_EQ(parse("{}").shape, Shape::kNoData);
    EXPECT_EQ(shape("null"), Shape::kNoData);
    EXPECT_EQ(shape("[]"), Shape::kNoData);
    EXPECT_EQ(shape("{}"), Shape::kNoData);
    EXPECT_EQ(shape(R"({"viewer":null})"), Shape::kNoData);
    EXPECT_EQ(shape(R"({"viewer":{}})"), Shape::kNoData);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":null}})"), Shape::kNoData);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":{}}})"), Shape::kNoData);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[]}})"), Shape::kNoAccount);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[null]}})"), Shape::kNoDataset);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[{}]}})"), Shape::kNoDataset);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":null}]}})"),
              Shape::kNoDataset);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":{}}]}})"),
              Shape::kNoDataset);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":[]}]}})"), Shape::kRows);
    EXPECT_EQ(shape(R"({"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":[]},{}]}})"),
              Shape::kNoDataset);
}

TEST(EventAnswerTest, FindsErrorsBeforeAndBehindTheData) {
    for (
        const char* body :
        {R"({"data":null,"errors":[{"message":"no","path":["viewer","accounts","0"],"extensions":{"code":"budget"}}]})",
         R"({"errors":[{"extensions":{"timestamp":"x","code":"budget"},"path":null,"message":"no"}],"data":null})"}) {
        const EventAnswer answer = parse(body);
        EXPECT_EQ(answer.shape, Shape::kNoData);
        EXPECT_EQ(answer.error_count, 1U);
        ASSERT_EQ(answer.errors.size(), 1U);
        EXPECT_EQ(answer.errors[0].message, "no");
        EXPECT_EQ(answer.errors[0].code, "budget");
    }
}

TEST(EventAnswerTest, TakesErrorsOfAnyForm) {
    EXPECT_EQ(parse(R"({"errors":null})").error_count, 0U);
    EXPECT_EQ(parse(R"({"errors":[]})").error_count, 0U);
    EXPECT_EQ(parse(R"({"errors":"all wrong"})").errors.at(0).message, "all wrong");
    EXPECT_EQ(parse(R"({"errors":{"message":"x"}})").error_count, 1U);
    EXPECT_EQ(parse(R"({"errors":[null,7,"x",{}]})").error_count, 4U);
    EXPECT_EQ(parse(R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}]})")
                  .errors.at(0)
                  .code,
              "10000");
}

TEST(EventAnswerTest, KeepsAFewOfManyErrorsAndCountsAll) {
    std::string errors = R"({"message":"0"})";
    for (int i = 1; i < 1'000; ++i) errors += fmt::format(R"(,{{"message":"{}"}})", i);
    const EventAnswer answer = parse("{\"errors\":[" + errors + "]}");
    EXPECT_EQ(answer.error_count, 1'000U);
    EXPECT_EQ(answer.errors.size(), kMostToldErrors);
}

}  // namespace
}  // namespace cam::cloudflare
