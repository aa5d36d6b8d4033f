#include "aggregate/ipv6_table.h"

#include <algorithm>
#include <bit>

namespace cam::aggregate {
namespace {

/// How many leading bits are equal.
unsigned common_bits(V6Bits a, V6Bits b) {
    if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
    return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

std::uint64_t leading_ones(unsigned count) {
    return count == 0 ? 0 : ~std::uint64_t{0} << (64U - std::min(count, 64U));
}

std::uint32_t nibble(V6Bits address, unsigned depth) {
    const std::uint64_t half = depth < 64 ? address.high : address.low;
    return static_cast<std::uint32_t>(half >> (60U - depth % 64U)) & 15U;
}

}  // namespace

Ipv6Table::Ipv6Table(std::span<const Prefix> prefixes, std::uint32_t first_value) {
    // ::/0 decides nothing: it is the value of all that no longer prefix covers.
    const bool whole = !prefixes.empty() && prefixes.front().length() == 0;
    root_ =
        whole ? build(prefixes.subspan(1), first_value + 1, first_value) : build(prefixes, first_value, 0);
    nodes_.shrink_to_fit();
}

std::uint32_t Ipv6Table::make_node(std::span<const Prefix> prefixes, std::uint32_t covering) {
    // The node decides the first four bits in which the prefixes differ or one of them ends. They are sorted,
    // so all agree in what the first and the last agree in.
    const V6Bits path = v6_bits(prefixes.front().address());
    const auto shortest =
        std::min_element(prefixes.begin(), prefixes.end(),
                         [](const auto& a, const auto& b) { return a.length() < b.length(); });
    const unsigned agreed =
        std::min(common_bits(path, v6_bits(prefixes.back().address())), shortest->length() - 1);
    Node node;
    node.depth = agreed / 4 * 4;
    node.mask = {.high = leading_ones(node.depth),
                 .low = leading_ones(node.depth - std::min(node.depth, 64U))};
    node.path = {.high = path.high & node.mask.high, .low = path.low & node.mask.low};
    node.outside = covering;
    node.entries.fill(covering);
    nodes_.push_back(node);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

std::uint32_t Ipv6Table::build(std::span<const Prefix> prefixes, std::uint32_t first_value,
                               std::uint32_t covering) {
    if (prefixes.empty()) return covering;
    const std::uint32_t made = make_node(prefixes, covering);
    const unsigned depth = nodes_[made].depth;
    for (std::size_t at = 0; at < prefixes.size();) {
        const std::uint32_t slot = nibble(v6_bits(prefixes[at].address()), depth);
        // Those that end within these four bits; they sort before the longer ones of the same slot.
        while (at < prefixes.size() && prefixes[at].length() <= depth + 4 &&
               nibble(v6_bits(prefixes[at].address()), depth) == slot) {
            std::fill_n(nodes_[made].entries.begin() + slot, 1U << (depth + 4 - prefixes[at].length()),
                        first_value + static_cast<std::uint32_t>(at));
            ++at;
        }
        std::size_t end = at;
        while (end < prefixes.size() && nibble(v6_bits(prefixes[end].address()), depth) == slot) ++end;
        const std::uint32_t entry =
            build(prefixes.subspan(at, end - at), first_value + static_cast<std::uint32_t>(at),
                  nodes_[made].entries[slot]);
        nodes_[made].entries[slot] = entry;
        at = end;
    }
    return kNode | made;
}

std::size_t Ipv6Table::bytes() const noexcept {
    return nodes_.capacity() * sizeof(Node);
}

}  // namespace cam::aggregate
