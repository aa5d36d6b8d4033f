#include "app/settings_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cam/base/edit_distance.h"
#include "cam/base/log.h"

namespace cam::app {
namespace {

// Ordered: services are shown in the order in which somebody wrote them.
using json = nlohmann::ordered_json;

/// True for what may be a token that somebody wrote into the wrong place.
bool may_hold_token(std::string_view text) {
    constexpr std::size_t kShortestToken = 20;
    std::size_t run = 0;
    for (const char c : text) {
        const bool inside = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            c == '_' || c == '-';
        run = inside ? run + 1 : 0;
        if (run >= kShortestToken) return true;
    }
    return false;
}

/// A wrong value for a person, but never what may be a token.
std::string shown_text(std::string_view text) {
    return may_hold_token(text) ? std::string{"a text that is not shown, it may hold a token"}
                                : quote(text, 60);
}

std::string shown(const json& value) {
    return shown_text(value.is_string() ? value.get_ref<const std::string&>()
                                        : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string joined(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
}

}  // namespace

std::optional<ListenAddress> parse_listen(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port_text = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto read = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (port_text.empty() || read.ec != std::errc{} || read.ptr != port_text.data() + port_text.size()) {
        return std::nullopt;
    }
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    const auto address = IpAddress::parse(host);
    if (!address || bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
    return ListenAddress{std::string{host}, port};
}

const json* SettingsReader::find(std::string_view path) {
    asked_.emplace_back(path);
    const json* at = &document_;
    std::size_t begin = 0;
    while (true) {
        if (!at->is_object()) {
            const std::string group{path.substr(0, begin == 0 ? 0 : begin - 1)};
            if (std::find(refused_groups_.begin(), refused_groups_.end(), group) == refused_groups_.end()) {
                refused_groups_.push_back(group);
                // Not its value: somebody may have written a token there.
                error(group, fmt::format("is {}; expected an object {{…}}", at->type_name()));
            }
            return nullptr;
        }
        const std::size_t dot = path.find('.', begin);
        const std::string key{path.substr(begin, dot == std::string_view::npos ? dot : dot - begin)};
        const auto child = at->find(key);
        if (child == at->end()) return nullptr;
        at = &*child;
        if (dot == std::string_view::npos) return at;
        begin = dot + 1;
    }
}

void SettingsReader::error(std::string_view path, std::string what) {
    findings_.push_back({Finding::Severity::kError, std::string{path}, std::move(what)});
}

void SettingsReader::warning(std::string_view path, std::string what) {
    findings_.push_back({Finding::Severity::kWarning, std::string{path}, std::move(what)});
}

void SettingsReader::text(std::string_view path, std::string& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    if (!value->is_string()) return error(path, fmt::format("is {}; expected a string", value->type_name()));
    out = value->get<std::string>();
}

void SettingsReader::flag(std::string_view path, bool& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    if (!value->is_boolean()) return error(path, fmt::format("is {}; expected true or false", shown(*value)));
    out = value->get<bool>();
}

void SettingsReader::number(std::string_view path, std::uint64_t least, std::uint64_t most,
                            std::uint64_t& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    const bool fits = value->is_number_unsigned() && value->get<std::uint64_t>() >= least &&
                      value->get<std::uint64_t>() <= most;
    if (!fits) {
        const std::string range = most == std::numeric_limits<std::int64_t>::max()
                                      ? fmt::format("of at least {}", least)
                                      : fmt::format("from {} to {}", least, most);
        return error(path, fmt::format("is {}; expected a whole number {}", shown(*value), range));
    }
    out = value->get<std::uint64_t>();
}

void SettingsReader::optional_integer(std::string_view path, std::optional<std::int64_t>& out) {
    const json* value = find(path);
    if (value == nullptr || value->is_null()) return;
    if (!value->is_number_integer()) {
        return error(path, fmt::format("is {}; expected a whole number or null", shown(*value)));
    }
    out = value->get<std::int64_t>();
}

void SettingsReader::text_or_integer(std::string_view path, std::string& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    if (value->is_number_integer()) {
        out = value->dump();
    } else if (value->is_string()) {
        out = value->get<std::string>();
    } else {
        error(path, fmt::format("is {}; expected a string or a whole number", shown(*value)));
    }
}

void SettingsReader::texts(std::string_view path, std::vector<std::string>& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    if (!value->is_array())
        return error(path, fmt::format("is {}; expected a list of strings", shown(*value)));
    std::vector<std::string> read;
    for (std::size_t i = 0; i < value->size(); ++i) {
        if (!(*value)[i].is_string()) {
            error(fmt::format("{}[{}]", path, i),
                  fmt::format("is {}; expected a string", shown((*value)[i])));
        } else {
            read.push_back((*value)[i].get<std::string>());
        }
    }
    out = std::move(read);
}

void SettingsReader::prefixes(std::string_view path, std::vector<Prefix>& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    if (!value->is_array())
        return error(path, fmt::format("is {}; expected a list of prefixes", shown(*value)));
    std::vector<Prefix> read;
    for (std::size_t i = 0; i < value->size(); ++i) {
        const json& item = (*value)[i];
        const std::string where = fmt::format("{}[{}]", path, i);
        Prefix::Fault why = Prefix::Fault::kSyntax;
        const auto prefix =
            item.is_string() ? Prefix::parse(item.get_ref<const std::string&>(), &why) : std::nullopt;
        if (prefix) {
            read.push_back(*prefix);
        } else if (item.is_string() && why == Prefix::Fault::kHostBits) {
            const std::string& written = item.get_ref<const std::string&>();
            const auto address = IpAddress::parse(written.substr(0, written.find('/')));
            unsigned length = 0;
            const std::string digits = written.substr(written.find('/') + 1);
            std::from_chars(digits.data(), digits.data() + digits.size(), length);
            error(where, fmt::format("is {}, which has host bits set; expected {}", shown(item),
                                     address && length <= address->width()
                                         ? Prefix::covering(*address, length).text()
                                         : std::string{"the network address"}));
        } else {
            error(where, fmt::format("is {}; expected a prefix such as 185.54.80.0/22 or 2a02:4460::/32",
                                     shown(item)));
        }
    }
    out = std::move(read);
}

void SettingsReader::listen(std::string_view path, ListenAddress& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    const auto address =
        value->is_string() ? parse_listen(value->get_ref<const std::string&>()) : std::nullopt;
    if (!address) {
        return error(path, fmt::format("is {}; expected ADDRESS:PORT such as 127.0.0.1:8090 or [::1]:8090",
                                       shown(*value)));
    }
    out = *address;
}

void SettingsReader::listen_list(std::string_view path, std::vector<ListenAddress>& out) {
    const json* value = find(path);
    if (value == nullptr) return;
    if (!value->is_array())
        return error(path, fmt::format("is {}; expected a list of ADDRESS:PORT", shown(*value)));
    std::vector<ListenAddress> read;
    for (std::size_t i = 0; i < value->size(); ++i) {
        const json& item = (*value)[i];
        const auto address =
            item.is_string() ? parse_listen(item.get_ref<const std::string&>()) : std::nullopt;
        if (address) {
            read.push_back(*address);
        } else {
            error(fmt::format("{}[{}]", path, i),
                  fmt::format("is {}; expected ADDRESS:PORT such as 0.0.0.0:2055 or [::]:2055", shown(item)));
        }
    }
    out = std::move(read);
}

void SettingsReader::text_map(std::string_view path, std::vector<std::pair<std::string, std::string>>& out) {
    const json* value = find(path);
    open_maps_.emplace_back(path);
    if (value == nullptr) return;
    if (!value->is_object()) {
        return error(path, fmt::format("is {}; expected an object of strings", shown(*value)));
    }
    std::vector<std::pair<std::string, std::string>> read;
    for (const auto& [key, item] : value->items()) {
        if (item.is_string()) {
            read.emplace_back(key, item.get<std::string>());
        } else {
            error(fmt::format("{}.{}", path, key), fmt::format("is {}; expected a string", shown(item)));
        }
    }
    out = std::move(read);
}

void SettingsReader::url(std::string_view path, std::string& out) {
    std::string read = out;
    text(path, read);
    while (!read.empty() && read.back() == '/') read.pop_back();
    if (read.find('@') != std::string::npos) {
        return error(path,
                     "holds a user name or password; expected a plain URL (tokens have keys of their own)");
    }
    const bool plain = read.rfind("http://", 0) == 0;
    const bool odd =
        std::any_of(read.begin(), read.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7F; });
    if ((!plain && read.rfind("https://", 0) != 0) || odd || read.size() < 9) {
        return error(path, fmt::format("is {}; expected a URL that begins with https:// or http://",
                                       shown_text(read.substr(0, read.find('/')))));
    }
    const bool near = read.rfind("http://127.", 0) == 0 || read.rfind("http://localhost", 0) == 0 ||
                      read.rfind("http://[::1]", 0) == 0;
    if (plain && !near) warning(path, "is http, not https: the token crosses the network readable");
    out = std::move(read);
}

bool SettingsReader::is_group(const std::string& path) const {
    return std::any_of(asked_.begin(), asked_.end(),
                       [&](const std::string& known) { return known.rfind(path + ".", 0) == 0; });
}

void SettingsReader::note_unknown_keys() {
    if (document_.is_object()) note_unknown_keys(document_, "");
}

void SettingsReader::note_unknown_keys(const json& object, const std::string& path) {
    for (const auto& entry : object.items()) {
        // No structured binding: clang 14 cannot capture one in a lambda.
        const std::string& key = entry.key();
        const json& value = entry.value();
        const std::string full = joined(path, key);
        if (is_group(full)) {
            if (value.is_object()) note_unknown_keys(value, full);
            continue;
        }
        if (std::find(asked_.begin(), asked_.end(), full) != asked_.end()) continue;
        std::string nearest;
        std::size_t best = std::numeric_limits<std::size_t>::max();
        const auto consider = [&](const std::string& known) {
            // The key alone may have been put into the wrong group, so the better of both comparisons counts.
            const std::size_t distance = std::min(edit_distance(full, known),
                                                  edit_distance(key, known.substr(known.rfind('.') + 1)) + 1);
            if (distance >= best) return;
            best = distance;
            nearest = known;
        };
        for (const std::string& known : asked_) {
            for (std::size_t dot = known.find('.'); dot != std::string::npos;
                 dot = known.find('.', dot + 1)) {
                consider(known.substr(0, dot));  // its groups
            }
            consider(known);
        }
        warning(full,
                nearest.empty()
                    ? std::string{"is not a known key; ignored"}
                    : fmt::format("is not a known key; ignored (the nearest known key is {})", nearest));
    }
}

}  // namespace cam::app
