#include "app/preferences.h"

#include <nlohmann/json.hpp>

#include "app/files.h"

namespace cam::app {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 64 * 1024;
constexpr const char* kKey = "my_prefixes_only";

/// The file's object; kInvalid if it is none. Depth is bounded because a stranger may have written the file.
Result<json> read_object(const std::string& path) {
    Result<std::string> text = read_file(path, kMaxBytes);
    if (!text) return text.error();
    try {
        json document = json::parse(*text, [](int depth, json::parse_event_t, json&) {
            if (depth > 32) throw std::length_error("too deep");
            return true;
        });
        if (!document.is_object()) return Error{ErrorCode::kInvalid, "is no JSON object"};
        return document;
    } catch (const std::exception&) {
        return Error{ErrorCode::kInvalid, "is not valid JSON"};
    }
}

}  // namespace

Result<bool> PreferenceFile::my_prefixes_only() const {
    Result<json> document = read_object(path_);
    if (!document) return document.error();
    const auto toggle = document->find(kKey);
    if (toggle == document->end()) return Error{ErrorCode::kInvalid, "has no key my_prefixes_only"};
    if (!toggle->is_boolean())
        return Error{ErrorCode::kInvalid, "my_prefixes_only is neither true nor false"};
    return toggle->get<bool>();
}

Status PreferenceFile::set_my_prefixes_only(bool on) const {
    Result<json> document = read_object(path_);
    json changed = document ? std::move(*document) : json::object();
    changed[kKey] = on;
    return write_file_atomically(path_, changed.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace cam::app
