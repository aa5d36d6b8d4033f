#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/request_head.h"
#include "cam/base/check.h"

/// Feeds the reader of request heads and body framing of our own HTTP server. The lines before the blank one
/// are the head; those behind it are taken as values of Content-Length and, if they are no digits, of
/// Transfer-Encoding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cam::api;
    const std::string text(data, data + size);
    const std::size_t blank = text.find("\r\n\r\n");
    const std::string head = blank == std::string::npos ? text : text.substr(0, blank + 4);
    if (const auto cleaned = clean_head(head)) {
        cam::check(cleaned->size() <= head.size(), "a head grew");
        cam::check(cleaned->empty() || cleaned->ends_with("\r\n"), "a head without an end");
        cam::check(cleaned->find('\0') == std::string::npos, "a zero byte in a head");
        cam::check(clean_head(*cleaned) == cleaned, "a clean head is not clean");
    }
    std::vector<std::string> lengths;
    std::vector<std::string> encodings;
    std::string_view rest{text};
    rest.remove_prefix(blank == std::string::npos ? 0 : blank + 4);
    while (!rest.empty() && lengths.size() + encodings.size() < 16) {
        const std::size_t end = rest.find('\n');
        const std::string line{rest.substr(0, end)};
        const bool digits = line.find_first_not_of("0123456789") == std::string::npos;
        (digits ? lengths : encodings).push_back(line);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (const auto frame = body_frame(lengths, encodings)) {
        cam::check(!frame->is_chunked || lengths.empty(), "two ways to end a body");
        cam::check(!frame->is_chunked || encodings.size() == 1, "several encodings of a body");
        cam::check(frame->is_chunked || lengths.size() == 1 || frame->length == 0, "a length from nowhere");
    } else {
        cam::check(frame.error().status >= 400, "a refusal that refuses nothing");
    }
    return 0;
}
