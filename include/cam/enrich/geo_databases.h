#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cam/model/ip_address.h"
#include "cam/model/place.h"

namespace cam::enrich {

/// What refresh() found.
struct GeoState {
    std::optional<GeoEdition> city;
    std::optional<GeoEdition> asn;
    /// One line per thing that is wrong now: no database found, a file that is none. Empty: all well. A
    /// trouble that lasts is told by every refresh in the same words, so that a caller can log it once.
    std::vector<std::string> problems;
    /// True if this refresh() opened another file or closed one.
    bool changed = false;

    /// The edition the SOC is told of: the city database's, else the ASN database's.
    [[nodiscard]] const std::optional<GeoEdition>& edition() const { return city ? city : asn; }
};

/// Looks addresses up in MaxMind databases (City or Country, and ASN). The first good file of each list is
/// used, and a better one that appears is taken. A file that is replaced, or overwritten in place, is noticed
/// by refresh(); look-ups go on in the old one until the new one is open, and for good where the file
/// vanished or became no database: worse candidates are asked only while there is no database at all. Safe
/// from any thread.
class GeoDatabases {
public:
    struct Options {
        std::vector<std::string> city;  ///< candidates, best first
        std::vector<std::string> asn;
        /// Folder for private unnamed copies (a database overwritten in place must not change under a
        /// look-up); where it is empty or cannot hold such files, anonymous memory is used. Without room for
        /// a copy the copy in use stays; while there is none the file itself is read, which `problems` tells.
        std::string scratch_folder;
    };
    explicit GeoDatabases(Options options);
    ~GeoDatabases();

    /// Looks at the files and opens what changed. Cheap (a stat per candidate) when nothing did; a change
    /// costs copying the file. Two at a time wait for each other; look-ups never wait.
    GeoState refresh();
    /// What is in use since the last refresh(): the editions alone. Looks at no file, waits for none.
    [[nodiscard]] GeoState in_use() const;
    /// What is known of the address; fields that no database knows stay empty. Texts are well-formed UTF-8
    /// without control characters. Never fails: a damaged record counts in failed_lookups(). Takes about a
    /// microsecond.
    [[nodiscard]] Place find(const IpAddress& address) const;
    [[nodiscard]] std::uint64_t failed_lookups() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::enrich
