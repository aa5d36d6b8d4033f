#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "attack_rows.h"
#include "cam/model/attack.h"

namespace cam::store {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};
template <typename Value>
using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

/// Volumes by one property. In bounded space: values beyond the first kMostKept are only counted.
class Tally {
public:
    void add(std::string_view key, std::string_view name, const AttackRow& row);
    /// Those with the most packets, and how many more there are. Sorts.
    [[nodiscard]] Breakdown breakdown(std::size_t most) const;
    [[nodiscard]] std::uint64_t count() const { return volumes_.size() + beyond_.size(); }

private:
    static constexpr std::size_t kMostKept = 20'000;
    struct Entry {
        std::string name;
        DroppedVolume volume;
    };
    ByText<Entry> volumes_;
    std::unordered_map<std::uint64_t, bool> beyond_;  ///< hashes of the keys that are not kept
};

/// One attack while its events come, newest first by datetime or by id.
class AttackGroup {
public:
    explicit AttackGroup(std::string id) : id_(std::move(id)) {}
    void add(const AttackRow& row);
    [[nodiscard]] Attack attack() const;
    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& last() const { return last_; }  ///< newest datetime, as stored
    [[nodiscard]] std::int64_t newest_event() const { return newest_event_; }

private:
    std::string id_;
    std::vector<std::string> vectors_;
    std::vector<std::string> rule_names_;
    std::string first_;
    std::string last_;
    std::int64_t newest_event_ = 0;
    DroppedVolume volume_;
    Tally targets_;
    std::vector<std::uint64_t> sources_;  ///< hashes, with repetitions
};

/// Appends unless it is there, empty, or there are Attack::kMostNames.
void add_name(std::vector<std::string>& names, std::string_view name);

/// Puts events together as the messages do.
class AttackGroups {
public:
    void add(const AttackRow& row);
    [[nodiscard]] std::vector<AttackGroup>& groups() { return groups_; }

private:
    std::vector<AttackGroup> groups_;
    ByText<std::size_t> places_;
    std::size_t latest_ = 0;  ///< events of one attack mostly come together
};

}  // namespace cam::store
