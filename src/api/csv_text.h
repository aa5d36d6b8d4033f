#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cam::api {

/// A table as RFC 4180 has it, for spreadsheets. A text that a spreadsheet would take for a formula gets an
/// apostrophe before it. One thread at a time.
class CsvText {
public:
    void field(std::string_view value);
    void number(std::int64_t value);
    void end_row();
    [[nodiscard]] std::string text() && { return std::move(text_); }

private:
    void separate();
    std::string text_;
    bool begins_row_ = true;
};

}  // namespace cam::api
