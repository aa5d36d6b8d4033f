#include "aggregate/ipv4_table.h"

#include <algorithm>
#include <numeric>

#include "aggregate/address_bits.h"

namespace cam::aggregate {

Ipv4Table::Ipv4Table(std::span<const Prefix> prefixes) : top_(std::size_t{1} << 16U) {
    // Shortest first, so that a prefix only ever overwrites entries of those that cover it.
    std::vector<std::uint32_t> order(prefixes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [prefixes](std::uint32_t a, std::uint32_t b) {
        return prefixes[a].length() < prefixes[b].length();
    });
    for (const std::uint32_t index : order) insert(prefixes[index], index + 1);
    nodes_.shrink_to_fit();
}

void Ipv4Table::insert(const Prefix& prefix, std::uint32_t value) {
    const std::uint32_t address = v4_bits(prefix.address());
    if (prefix.length() <= 16) {
        const std::uint32_t first = address >> 16U;
        std::fill_n(top_.begin() + first, std::size_t{1} << (16U - prefix.length()), value);
        return;
    }
    std::uint32_t node = split(top_[address >> 16U]);
    top_[address >> 16U] = kNode | node;
    for (unsigned shift = 12;; shift -= 4) {
        const std::uint32_t slot = (address >> shift) & 15U;
        const unsigned end_of_node = 32 - shift;
        if (prefix.length() <= end_of_node) {
            std::fill_n(nodes_[node].entries.begin() + slot,
                        std::size_t{1} << (end_of_node - prefix.length()), value);
            return;
        }
        const std::uint32_t next = split(nodes_[node].entries[slot]);
        nodes_[node].entries[slot] = kNode | next;
        node = next;
    }
}

std::uint32_t Ipv4Table::split(std::uint32_t entry) {
    if ((entry & kNode) != 0) return entry ^ kNode;
    nodes_.emplace_back().entries.fill(entry);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

std::size_t Ipv4Table::bytes() const noexcept {
    return top_.capacity() * sizeof(std::uint32_t) + nodes_.capacity() * sizeof(Node);
}

}  // namespace cam::aggregate
