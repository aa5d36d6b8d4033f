#include "api/csv_text.h"

namespace cam::api {

void CsvText::separate() {
    if (!begins_row_) text_ += ',';
    begins_row_ = false;
}

void CsvText::field(std::string_view value) {
    separate();
    // A tab or a line break before the sign is skipped by spreadsheets.
    constexpr std::string_view kFormulaBegins = "=+-@\t\r\n";
    const bool is_formula = !value.empty() && kFormulaBegins.find(value.front()) != std::string_view::npos;
    constexpr std::string_view kNeedsQuotes = "\",\r\n";
    if (!is_formula && value.find_first_of(kNeedsQuotes) == std::string_view::npos) {
        text_ += value;
        return;
    }
    text_ += '"';
    if (is_formula) text_ += '\'';
    for (const char c : value) {
        if (c == '"') text_ += '"';
        text_ += c;
    }
    text_ += '"';
}

void CsvText::number(std::int64_t value) {
    separate();
    text_ += std::to_string(value);
}

void CsvText::end_row() {
    text_ += "\r\n";
    begins_row_ = true;
}

}  // namespace cam::api
