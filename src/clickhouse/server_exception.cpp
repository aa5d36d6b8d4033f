#include "clickhouse/server_exception.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <spdlog/fmt/fmt.h>

namespace cam::clickhouse {
namespace {

constexpr std::size_t kShownBytes = 300;
/// How much of a body's end is looked at: an exception's text is at most 16 KiB (HTTPHandler cuts it there).
constexpr std::size_t kTailBytes = std::size_t{32} * 1024;

std::optional<int> number_at(std::string_view text) {
    int value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end == text.data()) return std::nullopt;
    return value;
}

/// One line, without control characters, shortened at a character's border.
std::string shown(std::string_view text) {
    std::string out{text.substr(0, kShownBytes)};
    const bool cut = out.size() < text.size();
    while (cut && !out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) out.pop_back();
    if (cut && !out.empty() && (static_cast<unsigned char>(out.back()) & 0x80U) != 0) out.pop_back();
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return cut ? out + "…" : out;
}

/// `Code: 60. DB::Exception: …` or, until 20.x, `Code: 60, e.displayText() = DB::Exception: …`.
struct CodedText {
    int code = 0;
    std::string_view text;
};
std::optional<CodedText> coded_text(std::string_view text) {
    constexpr std::string_view kBegin = "Code: ";
    if (!text.starts_with(kBegin)) return std::nullopt;
    const std::string_view rest = text.substr(kBegin.size());
    const std::optional<int> code = number_at(rest);
    const std::size_t end = rest.find_first_not_of("0123456789");
    if (!code || end == std::string_view::npos) return std::nullopt;
    for (const std::string_view marker : {". DB::", ", e.displayText() = DB::", ". Coordination::"}) {
        if (rest.substr(end).starts_with(marker)) return CodedText{*code, rest.substr(end + 2)};
    }
    return std::nullopt;
}

/// The newer block: CRLF, `__exception__`, CRLF, the answer's tag, CRLF, the text, its length and the tag
/// again.
std::optional<std::string_view> framed_text(std::string_view tail, std::string_view tag) {
    const std::string open = fmt::format("__exception__\r\n{}\r\n", tag);
    const std::size_t begin = tail.rfind(open);
    if (begin == std::string_view::npos) return std::nullopt;
    std::string_view text = tail.substr(begin + open.size());
    const std::size_t end = text.rfind("\r\n__exception__");
    if (end != std::string_view::npos) {
        text = text.substr(0, end);
        text = text.substr(0, text.find_last_of('\n'));  // the line of length and tag
    }
    return text;
}

std::optional<ServerException> in_good_answer(const net::HttpResponse& response) {
    const std::string_view body = response.body;
    const std::string_view tail = body.substr(body.size() - std::min(body.size(), kTailBytes));
    if (const auto tag = response.header("x-clickhouse-exception-tag"); tag && !tag->empty()) {
        const std::optional<std::string_view> framed = framed_text(tail, *tag);
        if (framed) {
            const std::optional<CodedText> coded = coded_text(*framed);
            return ServerException{coded ? std::optional{coded->code} : std::nullopt,
                                   shown(coded ? coded->text : *framed), true};
        }
    }
    // Older servers end a broken answer with the text alone. Only an end that looks like one counts: rows may
    // hold such words too, but they go on after them.
    std::string_view trimmed = tail;
    while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == '\r')) trimmed.remove_suffix(1);
    if (!trimmed.ends_with(')') && !trimmed.ends_with("DB::Exception")) return std::nullopt;
    for (std::size_t at = trimmed.rfind("Code: "); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : trimmed.rfind("Code: ", at - 1)) {
        if (const std::optional<CodedText> coded = coded_text(trimmed.substr(at))) {
            return ServerException{coded->code, shown(coded->text), true};
        }
    }
    return std::nullopt;
}

Error refused(int code, const ServerException& exception, const std::string& user) {
    if (code == 497 || code == 291) {
        return {ErrorCode::kRefused,
                fmt::format("ClickHouse gives user '{}' not enough rights: {}. Grant them (docs/database.md)",
                            user, exception.text)};
    }
    return {
        ErrorCode::kRefused,
        fmt::format("ClickHouse refuses user '{}': check traffic.clickhouse.user and password_file", user)};
}

Error missing(int code, const ServerException& exception, const std::string& database) {
    if (code == 81) {
        return {ErrorCode::kNotFound,
                fmt::format("ClickHouse has no database '{}': the daemon makes it where its user may, else "
                            "create it or correct traffic.clickhouse.database",
                            database)};
    }
    return {ErrorCode::kNotFound, fmt::format("ClickHouse lacks what is asked for: {}", exception.text)};
}

/// The codes are those of ClickHouse's src/Common/ErrorCodes.cpp; they never change their meaning.
ErrorCode kind(int code) {
    switch (code) {
        case 192:  // UNKNOWN_USER
        case 193:  // WRONG_PASSWORD
        case 194:  // REQUIRED_PASSWORD
        case 195:  // IP_ADDRESS_NOT_ALLOWED
        case 291:  // DATABASE_ACCESS_DENIED
        case 497:  // ACCESS_DENIED
        case 516:  // AUTHENTICATION_FAILED
            return ErrorCode::kRefused;
        case 16:   // NO_SUCH_COLUMN_IN_TABLE
        case 46:   // UNKNOWN_FUNCTION
        case 47:   // UNKNOWN_IDENTIFIER
        case 50:   // UNKNOWN_TYPE
        case 56:   // UNKNOWN_STORAGE
        case 60:   // UNKNOWN_TABLE
        case 73:   // UNKNOWN_FORMAT
        case 81:   // UNKNOWN_DATABASE
        case 115:  // UNKNOWN_SETTING
            return ErrorCode::kNotFound;
        case 159:  // TIMEOUT_EXCEEDED
        case 160:  // TOO_SLOW
        case 173:  // CANNOT_ALLOCATE_MEMORY
        case 202:  // TOO_MANY_SIMULTANEOUS_QUERIES
        case 209:  // SOCKET_TIMEOUT
        case 210:  // NETWORK_ERROR, between servers
        case 225:  // NO_ZOOKEEPER
        case 236:  // ABORTED, at a shutdown
        case 241:  // MEMORY_LIMIT_EXCEEDED
        case 242:  // TABLE_IS_READ_ONLY, a replica without its keeper
        case 252:  // TOO_MANY_PARTS
        case 279:  // ALL_CONNECTION_TRIES_FAILED
        case 285:  // TOO_FEW_LIVE_REPLICAS
        case 319:  // UNKNOWN_STATUS_OF_INSERT
        case 394:  // QUERY_WAS_CANCELLED
        case 999:  // KEEPER_EXCEPTION
            return ErrorCode::kBusy;
        case 243:  // NOT_ENOUGH_SPACE
        case 708:  // over a disk's quota
            return ErrorCode::kFull;
        case 164:  // READONLY
            return ErrorCode::kReadOnly;
        case 6:    // CANNOT_PARSE_TEXT
        case 27:   // CANNOT_PARSE_INPUT_ASSERTION_FAILED
        case 33:   // CANNOT_READ_ALL_DATA
        case 43:   // ILLEGAL_TYPE_OF_ARGUMENT
        case 53:   // TYPE_MISMATCH
        case 62:   // SYNTAX_ERROR
        case 69:   // ARGUMENT_OUT_OF_BOUND
        case 70:   // CANNOT_CONVERT_TYPE
        case 72:   // CANNOT_PARSE_NUMBER
        case 117:  // INCORRECT_DATA
        case 131:  // TOO_LARGE_STRING_SIZE
        case 456:  // UNKNOWN_QUERY_PARAMETER
        case 457:  // BAD_QUERY_PARAMETER
            return ErrorCode::kInvalid;
        default:
            return ErrorCode::kInternal;
    }
}

}  // namespace

std::optional<ServerException> find_exception(const net::HttpResponse& response) {
    std::optional<int> code;
    if (const auto told = response.header("x-clickhouse-exception-code")) code = number_at(*told);
    if (response.status == 200 && !code) return in_good_answer(response);
    const std::optional<CodedText> coded = coded_text(response.body);
    if (coded) return ServerException{code ? *code : coded->code, shown(coded->text), false};
    if (code) return ServerException{code, shown(response.body), false};
    return ServerException{std::nullopt, {}, false};
}

Error explain(const ServerException& exception, int status, const std::string& user,
              const std::string& database) {
    if (!exception.code) {
        if (exception.after_rows) {
            return {ErrorCode::kBroken, fmt::format("ClickHouse broke off its answer: {}", exception.text)};
        }
        if (status == 401 || status == 403) return refused(516, exception, user);
        if (status == 408 || status == 429 || (status >= 500 && status != 501)) {
            return {
                ErrorCode::kBusy,
                fmt::format("the server answered with status {}, before or instead of ClickHouse", status)};
        }
        return {ErrorCode::kInvalid,
                fmt::format("the server answered with status {} and not as ClickHouse's HTTP interface does: "
                            "check host and port of traffic.clickhouse.url (8123, or 8443 with https)",
                            status)};
    }
    const int code = *exception.code;
    const ErrorCode which = kind(code);
    if (which == ErrorCode::kRefused) return refused(code, exception, user);
    if (which == ErrorCode::kNotFound) return missing(code, exception, database);
    return {which, fmt::format("ClickHouse says (code {}{}): {}", code,
                               exception.after_rows ? ", after the answer had begun" : "", exception.text)};
}

}  // namespace cam::clickhouse
