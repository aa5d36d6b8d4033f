#pragma once

#include <maxminddb.h>

#include <memory>
#include <string>

#include "cam/base/result.h"
#include "cam/model/ip_address.h"
#include "cam/model/place.h"
#include "enrich/private_copy.h"

namespace cam::enrich {

/// What a list of candidates is asked for.
enum class GeoKind { kCity, kAsn };

/// One open MaxMind database. Safe from any thread.
class GeoFile {
public:
    /// Opens the file behind `file`, which may be closed afterwards. kInvalid: it is no MaxMind database, a
    /// damaged or half-written one, or one of another kind (an ASN database where places are asked for).
    static Result<std::shared_ptr<const GeoFile>> open(const UniqueFd& file, GeoKind kind);
    ~GeoFile();
    GeoFile(const GeoFile&) = delete;
    GeoFile& operator=(const GeoFile&) = delete;

    /// Adds what the database knows of the address to `place`. False if what it holds there is damaged; the
    /// rest is added nevertheless. Allocates nothing but the texts.
    bool describe(const IpAddress& address, Place& place) const;
    [[nodiscard]] GeoEdition::Type type() const noexcept { return type_; }
    [[nodiscard]] WallTime built() const noexcept { return built_; }

private:
    explicit GeoFile(GeoKind kind) : kind_(kind) {}
    [[nodiscard]] Status check_layout() const;
    [[nodiscard]] Status read_metadata();
    [[nodiscard]] bool holds_kind() const;
    bool describe_place(MMDB_entry_s entry, Place& place) const;

    GeoKind kind_;
    bool open_ = false;
    MMDB_s database_{};
    GeoEdition::Type type_ = GeoEdition::Type::kCommercial;
    WallTime built_;
};

}  // namespace cam::enrich
