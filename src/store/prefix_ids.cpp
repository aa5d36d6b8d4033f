#include "prefix_ids.h"

#include <string>

#include <spdlog/fmt/fmt.h>

namespace cam::store {
namespace {

Result<std::optional<std::int64_t>> stored_id(Database& database, const std::string& text) {
    Result<Query> query = database.query("SELECT id FROM flow_prefixes WHERE prefix = ?1");
    if (!query) return query.error();
    const Result<bool> row = query->view(1, text).step();
    if (!row) return row.error();
    if (!*row) return std::optional<std::int64_t>{};
    return std::optional<std::int64_t>{query->integer(0)};
}

}  // namespace

void PrefixIds::remember(const Prefix& prefix, std::int64_t id) {
    ids_.emplace(prefix, id);
    prefixes_.emplace(id, prefix);
}

Status PrefixIds::load(Database& database) {
    Result<Query> query = database.query("SELECT id, prefix FROM flow_prefixes");
    if (!query) return query.error();
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return Done{};
        const std::optional<Prefix> prefix = Prefix::parse(query->peek(1));
        if (prefix) remember(*prefix, query->integer(0));
    }
}

Result<std::optional<std::int64_t>> PrefixIds::find(Database& database, const Prefix& prefix) {
    if (const auto found = ids_.find(prefix); found != ids_.end())
        return std::optional<std::int64_t>{found->second};
    Result<std::optional<std::int64_t>> id = stored_id(database, prefix.text());
    if (id && *id) remember(prefix, **id);
    return id;
}

Result<std::int64_t> PrefixIds::make(Database& database, const Prefix& prefix) {
    if (ids_.empty()) {
        if (Status loaded = load(database); !loaded) return loaded.error();
    }
    const Result<std::optional<std::int64_t>> known = find(database, prefix);
    if (!known) return known.error();
    if (*known) return **known;
    Result<Query> insert = database.query("INSERT INTO flow_prefixes (prefix) VALUES (?1)");
    if (!insert) return insert.error();
    if (Status inserted = insert->text(1, prefix.text()).run(); !inserted) return inserted.error();
    fresh_.push_back(prefix);
    remember(prefix, database.last_id());
    return database.last_id();
}

void PrefixIds::forget_new() {
    for (const Prefix& prefix : fresh_) {
        const auto found = ids_.find(prefix);
        if (found == ids_.end()) continue;
        prefixes_.erase(found->second);
        ids_.erase(found);
    }
    fresh_.clear();
}

Result<Prefix> PrefixIds::prefix(Database& database, std::int64_t id) {
    auto found = prefixes_.find(id);
    if (found == prefixes_.end()) {
        if (Status loaded = load(database); !loaded) return loaded.error();
        found = prefixes_.find(id);
    }
    if (found != prefixes_.end()) return found->second;
    return database.error(ErrorCode::kCorrupt, fmt::format("flow_prefixes has no prefix of number {}", id));
}

}  // namespace cam::store
