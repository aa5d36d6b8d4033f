#include <algorithm>
#include <utility>

#include "cam/aggregate/minute_counter.h"
#include "cam/base/check.h"

namespace cam::aggregate {

void CountedMinute::add(CountedMinute&& other) {
    check(minute == other.minute, "only counts of one minute can be added up");
    std::vector<PrefixMinute> both;
    both.reserve(std::max(prefixes.size(), other.prefixes.size()));
    auto mine = prefixes.begin();
    for (const PrefixMinute& theirs : other.prefixes) {
        for (; mine != prefixes.end() && mine->prefix < theirs.prefix; ++mine) both.push_back(*mine);
        PrefixMinute& sum = both.emplace_back(theirs);
        if (mine == prefixes.end() || mine->prefix != theirs.prefix) continue;
        for (std::size_t i = 0; i < sum.classes.size(); ++i) sum.classes[i] += mine->classes[i];
        ++mine;
    }
    both.insert(both.end(), mine, prefixes.end());
    prefixes = std::move(both);
    sampled.add(std::move(other.sampled));
    records_without_prefix += other.records_without_prefix;
}

}  // namespace cam::aggregate
