#include "decode/sampling_table.h"

#include <algorithm>
#include <limits>

namespace cam::decode {
namespace {

struct ById {
    bool operator()(const SamplingTable::Entry& entry, std::uint64_t id) const { return entry.key.id < id; }
};
struct ByKey {
    bool operator()(const SamplingTable::Entry& entry, const SamplingTable::Key& key) const {
        return entry.key < key;
    }
};

std::optional<SamplingRate> find(std::span<const SamplingTable::Entry> entries, std::uint64_t id) {
    const auto found = std::lower_bound(entries.begin(), entries.end(), id, ById{});
    if (found == entries.end() || found->key.id != id) return std::nullopt;
    return found->rate;
}

/// How often the rate changes from one to the next.
std::uint32_t changes_in(std::span<const SamplingTable::Entry> entries) {
    std::uint32_t changes = 0;
    for (std::size_t i = 1; i < entries.size(); ++i) {
        if (entries[i].rate != entries[i - 1].rate) ++changes;
    }
    return changes;
}

}  // namespace

bool SamplingTable::knows(const Key& key) const noexcept {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), key, ByKey{});
    return found != entries_.end() && found->key == key;
}

bool SamplingTable::tell(const Key& key, SamplingRate rate) {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), key, ByKey{});
    const bool is_known = found != entries_.end() && found->key == key;
    if (is_known ? found->rate == rate : entries_.size() >= kMostEntries) return false;
    const auto alike = range(key.protocol, key.scope, key.domain);
    const auto begin = static_cast<std::size_t>(alike.data() - entries_.data());
    const auto at = static_cast<std::size_t>(found - entries_.begin());
    // Only its neighbours are compared: a stranger may tell thousands of rates over and over.
    const auto around = [&](std::size_t reach, std::size_t end) {
        const std::size_t from = at > begin ? at - 1 : at;
        const std::size_t to = std::min(at + reach, end);
        return changes_in(std::span<const Entry>{entries_}.subspan(from, to - from));
    };
    const std::size_t end = begin + alike.size();
    std::uint32_t changes = alike.empty() ? 0 : alike.front().changes;
    if (is_known) {
        changes -= around(2, end);
        found->rate = rate;
        changes += around(2, end);
    } else {
        changes -= around(1, end);
        entries_.insert(found, Entry{.key = key, .rate = rate});
        changes += around(2, end + 1);
    }
    entries_[begin].changes = changes;
    return true;
}

std::span<const SamplingTable::Entry> SamplingTable::range(ExportProtocol protocol, SamplingScope scope,
                                                           std::uint32_t domain) const noexcept {
    const Key first{.protocol = protocol, .scope = scope, .domain = domain, .id = 0};
    const auto begin = std::lower_bound(entries_.begin(), entries_.end(), first, ByKey{});
    // A datagram has thousands of sets, and each looks here: the end is searched for as well.
    const auto end = std::partition_point(begin, entries_.end(), [&first](const Entry& entry) {
        return entry.key.protocol == first.protocol && entry.key.scope == first.scope &&
               entry.key.domain == first.domain;
    });
    return {begin, end};
}

SamplingTable::View SamplingTable::view(ExportProtocol protocol, std::uint32_t domain) const noexcept {
    View view;
    if (entries_.empty()) return view;
    for (const std::uint32_t of : {domain, std::uint32_t{0}}) {
        view.samplers = range(protocol, SamplingScope::kSampler, of);
        view.interfaces = range(protocol, SamplingScope::kInterface, of);
        if (const auto whole = range(protocol, SamplingScope::kDomain, of); !whole.empty()) {
            view.domain = whole.front().rate;
        }
        if (view.domain || !view.samplers.empty() || !view.interfaces.empty()) break;
    }
    return view;
}

std::optional<SamplingRate> SamplingTable::View::default_rate(bool record_names_sampler) const noexcept {
    if (domain) return domain;
    if (record_names_sampler || samplers.size() != 1) return std::nullopt;
    // The only sampler of an exporter whose records do not name theirs, unless interfaces say otherwise.
    const SamplingRate only = samplers.front().rate;
    const bool is_agreed =
        interfaces.empty() || (interfaces.front().changes == 0 && interfaces.front().rate == only);
    return is_agreed ? std::optional{only} : std::nullopt;
}

std::optional<SamplingRate> SamplingTable::View::rate_of(const FlowRecord& record) const noexcept {
    if (record.has(FlowField::kSampler)) {
        if (const auto rate = find(samplers, record.sampler)) return rate;
    }
    if (record.has(FlowField::kInputInterface)) {
        if (const auto rate = find(interfaces, record.input_interface)) return rate;
    }
    return std::nullopt;
}

}  // namespace cam::decode
