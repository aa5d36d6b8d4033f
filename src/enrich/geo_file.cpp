#include "enrich/geo_file.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/fmt/fmt.h>

namespace cam::enrich {
namespace {

using Path = const char* const*;  // as MMDB_aget_value takes it: keys, then nullptr
constexpr std::array kCityName{"city", "names", "en", static_cast<const char*>(nullptr)};
constexpr std::array kCountryName{"country", "names", "en", static_cast<const char*>(nullptr)};
constexpr std::array kCountryCode{"country", "iso_code", static_cast<const char*>(nullptr)};
constexpr std::array kRegisteredName{"registered_country", "names", "en", static_cast<const char*>(nullptr)};
constexpr std::array kRegisteredCode{"registered_country", "iso_code", static_cast<const char*>(nullptr)};
constexpr std::array kNumber{"autonomous_system_number", static_cast<const char*>(nullptr)};
constexpr std::array kOrganization{"autonomous_system_organization", static_cast<const char*>(nullptr)};

constexpr std::size_t kSeparatorBytes = 16;
/// Longer names are damage: the longest that MaxMind writes have about a hundred bytes.
constexpr std::size_t kMostTextBytes = 1024;
/// The year 10000: a later build time is damage, and its milliseconds must fit WallTime.
constexpr std::uint64_t kLatestBuild = 253'402'300'800;

/// Well-formed UTF-8 without control characters (RFC 3629): a name from here goes into messages and JSON.
bool is_clean_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80   ? 1
                                   : lead < 0xc2 ? 0
                                   : lead < 0xe0 ? 2
                                   : lead < 0xf0 ? 3
                                   : lead < 0xf5 ? 4
                                                 : 0;
        if (length == 0 || length > text.size() - i || lead < 0x20 || lead == 0x7f) return false;
        for (std::size_t j = 1; j < length; ++j) {
            const auto next = static_cast<unsigned char>(text[i + j]);
            const unsigned least = j > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
            const unsigned most = j > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
            if (next < least || next > most) return false;
        }
        i += length;
    }
    return true;
}

/// Reads fields of one record and remembers whether one was damaged.
class Record {
public:
    explicit Record(MMDB_entry_s entry) : entry_(entry) {}

    std::optional<std::string> text(Path path) {
        const std::optional<MMDB_entry_data_s> data = value(path);
        if (!data || data->type != MMDB_DATA_TYPE_UTF8_STRING || data->data_size == 0) return std::nullopt;
        const std::string_view text{data->utf8_string, data->data_size};
        if (text.size() > kMostTextBytes || !is_clean_utf8(text)) {
            intact_ = false;
            return std::nullopt;
        }
        return std::string{text};
    }
    std::optional<std::uint32_t> number(Path path) {
        const std::optional<MMDB_entry_data_s> data = value(path);
        if (!data) return std::nullopt;
        if (data->type == MMDB_DATA_TYPE_UINT32) return data->uint32;
        if (data->type == MMDB_DATA_TYPE_UINT16) return data->uint16;
        if (data->type != MMDB_DATA_TYPE_UINT64) return std::nullopt;
        if (data->uint64 > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
        return static_cast<std::uint32_t>(data->uint64);
    }
    [[nodiscard]] bool has(Path path) { return value(path).has_value(); }
    [[nodiscard]] bool intact() const noexcept { return intact_; }

private:
    std::optional<MMDB_entry_data_s> value(Path path) {
        MMDB_entry_data_s data{};
        const int status = MMDB_aget_value(&entry_, &data, path);
        // A record that has not the path, or has something else on its way, is another layout and no damage.
        if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) return std::nullopt;
        if (status != MMDB_SUCCESS) {
            intact_ = false;
            return std::nullopt;
        }
        if (!data.has_data) return std::nullopt;
        return data;
    }

    MMDB_entry_s entry_;
    bool intact_ = true;
};

bool holds(MMDB_entry_s entry, GeoKind kind) {
    Record record(entry);
    switch (kind) {
        case GeoKind::kCity:
            return record.has(kCountryCode.data()) || record.has(kCountryName.data()) ||
                   record.has(kCityName.data()) || record.has(kRegisteredCode.data()) ||
                   record.has(kRegisteredName.data());
        case GeoKind::kAsn:
            return record.has(kNumber.data()) || record.has(kOrganization.data());
    }
    return false;
}

bool says(std::string_view type, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [type](std::string_view word) { return type.find(word) != std::string_view::npos; });
}

}  // namespace

Result<std::shared_ptr<const GeoFile>> GeoFile::open(const UniqueFd& file, GeoKind kind) {
    // Its second owner is every look-up that is under way while the database is replaced.
    const std::shared_ptr<GeoFile> made(new GeoFile(kind));
    const std::string name = fmt::format("/proc/self/fd/{}", file.get());
    const int status = MMDB_open(name.c_str(), MMDB_MODE_MMAP, &made->database_);
    if (status != MMDB_SUCCESS) {
        return Error{status == MMDB_OUT_OF_MEMORY_ERROR ? ErrorCode::kFull : ErrorCode::kInvalid,
                     fmt::format("is no MaxMind database, or not a whole one ({})", MMDB_strerror(status))};
    }
    made->open_ = true;
    if (const Status layout = made->check_layout(); !layout) return layout.error();
    if (const Status metadata = made->read_metadata(); !metadata) return metadata.error();
    return std::shared_ptr<const GeoFile>(made);
}

GeoFile::~GeoFile() {
    if (open_) MMDB_close(&database_);
}

/// What libmaxminddb 1.7 takes on trust: that the search tree fits into the file (in 64 bits), and that the
/// zeros which end it are there. A file overwritten in place from the front has the old metadata behind a new
/// tree, and no zeros where the metadata say.
Status GeoFile::check_layout() const {
    const std::uint64_t tree = std::uint64_t{database_.metadata.node_count} * database_.full_record_byte_size;
    const auto size = static_cast<std::uint64_t>(database_.file_size);
    if (database_.metadata.node_count == 0 || tree + kSeparatorBytes > size) {
        return Error{ErrorCode::kInvalid, "is damaged: its search tree does not fit into it"};
    }
    const std::uint8_t* separator = database_.file_content + tree;
    if (!std::all_of(separator, separator + kSeparatorBytes, [](std::uint8_t byte) { return byte == 0; })) {
        return Error{ErrorCode::kInvalid, "is damaged or half-written: its search tree has no end"};
    }
    return Done{};
}

Status GeoFile::read_metadata() {
    const MMDB_metadata_s& metadata = database_.metadata;
    const std::string_view type = metadata.database_type == nullptr ? "" : metadata.database_type;
    if (metadata.build_epoch >= kLatestBuild || type.size() > kMostTextBytes || !is_clean_utf8(type)) {
        return Error{ErrorCode::kInvalid, "is damaged: its metadata make no sense"};
    }
    if (!holds_kind()) {
        return Error{ErrorCode::kInvalid,
                     fmt::format("is a {} database and holds no {}", type.empty() ? "nameless" : type,
                                 kind_ == GeoKind::kCity ? "places" : "autonomous systems")};
    }
    type_ = !type.starts_with("GeoIP2") && says(type, {"Lite", "lite"}) ? GeoEdition::Type::kFree
                                                                        : GeoEdition::Type::kCommercial;
    built_ = WallTime{std::chrono::seconds{static_cast<std::int64_t>(metadata.build_epoch)}};
    return Done{};
}

/// By its name or, for databases of other makers, by the fields of its first records.
bool GeoFile::holds_kind() const {
    const std::string_view type =
        database_.metadata.database_type == nullptr ? "" : database_.metadata.database_type;
    if (kind_ == GeoKind::kCity ? says(type, {"City", "Country", "Enterprise"}) : says(type, {"ASN", "ISP"}))
        return true;
    constexpr int kMostNodes = 4096;
    constexpr int kMostRecords = 64;
    std::vector<std::uint32_t> open_nodes{0};
    int records = 0;
    for (int nodes = 0; nodes < kMostNodes && !open_nodes.empty() && records < kMostRecords; ++nodes) {
        const std::uint32_t at = open_nodes.back();
        open_nodes.pop_back();
        MMDB_search_node_s node{};
        if (MMDB_read_node(&database_, at, &node) != MMDB_SUCCESS) continue;
        if (node.right_record_type == MMDB_RECORD_TYPE_SEARCH_NODE) {
            open_nodes.push_back(static_cast<std::uint32_t>(node.right_record));
        }
        if (node.left_record_type == MMDB_RECORD_TYPE_SEARCH_NODE) {
            open_nodes.push_back(static_cast<std::uint32_t>(node.left_record));
        }
        for (const auto& [record_type, entry] :
             {std::pair{node.left_record_type, node.left_record_entry},
              std::pair{node.right_record_type, node.right_record_entry}}) {
            if (record_type != MMDB_RECORD_TYPE_DATA) continue;
            ++records;
            if (holds(entry, kind_)) return true;
        }
    }
    return false;
}

bool GeoFile::describe(const IpAddress& address, Place& place) const {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    const sockaddr* socket_address = nullptr;
    if (address.family() == IpAddress::Family::kV4) {
        v4.sin_family = AF_INET;
        std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof v4.sin_addr);
        socket_address = reinterpret_cast<const sockaddr*>(&v4);
    } else {
        v6.sin6_family = AF_INET6;
        std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof v6.sin6_addr);
        socket_address = reinterpret_cast<const sockaddr*>(&v6);
    }
    int status = MMDB_SUCCESS;
    const MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&database_, socket_address, &status);
    if (status == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) return true;
    if (status != MMDB_SUCCESS) return false;
    if (!found.found_entry) return true;
    if (kind_ == GeoKind::kCity) return describe_place(found.entry, place);
    Record record(found.entry);
    place.asn = record.number(kNumber.data());
    place.organization = record.text(kOrganization.data());
    return record.intact();
}

bool GeoFile::describe_place(MMDB_entry_s entry, Place& place) const {
    Record record(entry);
    place.city = record.text(kCityName.data());
    place.country = record.text(kCountryName.data());
    place.country_code = record.text(kCountryCode.data());
    // Never a name of one and a code of the other: they can differ.
    if (!place.country && !place.country_code) {
        place.country = record.text(kRegisteredName.data());
        place.country_code = record.text(kRegisteredCode.data());
    }
    return record.intact();
}

}  // namespace cam::enrich
