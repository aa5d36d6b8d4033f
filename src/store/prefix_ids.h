#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cam/base/result.h"
#include "cam/model/prefix.h"
#include "sqlite_database.h"

namespace cam::store {

/// The numbers that stand for prefixes in the tables of minutes: flow_prefixes, read once and then
/// remembered. Rows of it are never removed. One thread at a time.
class PrefixIds {
public:
    /// Reads what other connections have added. Not needed before `find` and `make`.
    Status load(Database& database);

    /// nullopt: the prefix has no number, so no traffic of it is stored.
    Result<std::optional<std::int64_t>> find(Database& database, const Prefix& prefix);
    /// Gives the prefix a number if it has none. Inside the caller's transaction, after which settle() or
    /// forget_new() must be called.
    Result<std::int64_t> make(Database& database, const Prefix& prefix);
    /// The transaction was committed.
    void settle() { fresh_ = {}; }
    /// The transaction was rolled back.
    void forget_new();

    /// The prefix of a number that was read; kCorrupt if there is none.
    Result<Prefix> prefix(Database& database, std::int64_t id);

private:
    struct Hash {
        std::size_t operator()(const Prefix& prefix) const noexcept {
            return std::hash<IpAddress>{}(prefix.address()) * 31 + prefix.length();
        }
    };
    void remember(const Prefix& prefix, std::int64_t id);

    std::unordered_map<Prefix, std::int64_t, Hash> ids_;
    std::unordered_map<std::int64_t, Prefix> prefixes_;
    std::vector<Prefix> fresh_;  ///< made in the transaction that is open
};

}  // namespace cam::store
