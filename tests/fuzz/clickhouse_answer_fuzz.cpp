#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cam/base/check.h"
#include "clickhouse/minute_rows.h"
#include "clickhouse/row_reader.h"
#include "clickhouse/server_exception.h"

namespace {

using cam::check;
using namespace cam::clickhouse;

constexpr std::string_view kTag = "tagtagtagtagtag1";

void check_exception(const cam::net::HttpResponse& response) {
    const auto exception = find_exception(response);
    check(exception || response.status == 200, "another status is no success");
    if (!exception) return;
    check(exception->text.size() < 320, "a server's words are not shortened");
    const cam::Error error = explain(*exception, response.status, "soc", "flows");
    check(!error.detail.empty(), "an error that says nothing");
    for (const char c : error.detail) {
        check(static_cast<unsigned char>(c) >= 0x20, "an error of several lines");
    }
}

/// The same bytes as rows of minutes: whatever comes out is ordered by the bounds of its types.
void check_rows(std::string_view body) {
    std::uint64_t minutes = 0;
    MinuteAssembler assembler{
        [](std::uint64_t id) -> std::optional<cam::Prefix> {
            if (id % 2 == 0) return std::nullopt;
            return cam::Prefix::covering(cam::IpAddress::v4({10, 0, 0, 0}), static_cast<unsigned>(id % 33));
        },
        [&minutes](const ReadMinute& minute) {
            ++minutes;
            for (const cam::PrefixMinute& one : minute.prefixes) {
                check(one.minute == minute.version.minute, "a prefix in another minute");
                check(one.all().bytes >= one.classes[1].bytes, "a part larger than the whole");
            }
        }};
    std::uint64_t rows = 0;
    const cam::Status read = each_minute_row(body, [&](const MinuteRow& row) {
        ++rows;
        assembler.add(row);
    });
    assembler.finish();
    check(minutes <= rows, "more minutes than rows");
    check(!read || rows * 45 == body.size(), "rows of another length");
}

void check_texts(std::string_view body) {
    RowReader reader{body};
    std::size_t sum = 0;
    while (const auto text = reader.text()) sum += text->size() + 1;
    check(sum <= body.size(), "texts longer than their bytes");
}

}  // namespace

/// Feeds what reads ClickHouse's answers: exceptions in every form, rows of minutes, texts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body(data, data + size);
    for (const int status : {200, 400, 403, 500}) {
        check_exception({.status = status, .headers = {}, .body = body});
        check_exception({.status = status, .headers = {{"x-clickhouse-exception-code", "60"}}, .body = body});
        check_exception(
            {.status = status, .headers = {{"x-clickhouse-exception-tag", std::string{kTag}}}, .body = body});
    }
    check_rows(body);
    check_texts(body);
    return 0;
}
