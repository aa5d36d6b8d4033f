#include "api/csv_text.h"

#include <gtest/gtest.h>

namespace cam::api {
namespace {

std::string row(std::string_view field) {
    CsvText table;
    table.field(field);
    table.end_row();
    return std::move(table).text();
}

TEST(CsvTextTest, SeparatesFieldsByCommasAndRowsByCrLf) {
    CsvText table;
    table.field("a");
    table.number(-5);
    table.field("");
    table.end_row();
    table.field("b");
    table.end_row();
    EXPECT_EQ(std::move(table).text(), "a,-5,\r\nb\r\n");
}

TEST(CsvTextTest, QuotesWhatWouldEndAFieldOrARow) {
    EXPECT_EQ(row("a,b"), "\"a,b\"\r\n");
    EXPECT_EQ(row("a\"b"), "\"a\"\"b\"\r\n");
    EXPECT_EQ(row("a\r\nb"), "\"a\r\nb\"\r\n");
    EXPECT_EQ(row("plain text"), "plain text\r\n");
}

TEST(CsvTextTest, NoFieldIsAFormula) {
    for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"}) {
        EXPECT_EQ(row(formula), "\"'" + std::string{formula} + "\"\r\n") << formula;
    }
    EXPECT_EQ(row("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"\r\n");
    EXPECT_EQ(row("a=1"), "a=1\r\n");
}

}  // namespace
}  // namespace cam::api
