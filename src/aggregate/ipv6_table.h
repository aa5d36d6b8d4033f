#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aggregate/address_bits.h"
#include "cam/model/prefix.h"

namespace cam::aggregate {

/// Longest match among IPv6 prefixes: a trie of four bits a step that skips the steps at which all prefixes
/// agree; so a look-up takes as many steps as there are decisions, not bits. At most two nodes of 112 bytes
/// per prefix. Immutable.
class Ipv6Table {
public:
    /// `prefixes` are of IPv6, sorted and without doubles; the first has the value `first_value`.
    Ipv6Table(std::span<const Prefix> prefixes, std::uint32_t first_value);

    /// The value of the longest prefix that covers the address, or 0.
    [[nodiscard]] std::uint32_t find(V6Bits address) const noexcept {
        std::uint32_t entry = root_;
        while ((entry & kNode) != 0) {
            const Node& node = nodes_[entry ^ kNode];
            const std::uint64_t high = (address.high ^ node.path.high) & node.mask.high;
            const std::uint64_t low = (address.low ^ node.path.low) & node.mask.low;
            if ((high | low) != 0) return node.outside;
            const std::uint64_t half = node.depth < 64 ? address.high : address.low;
            entry = node.entries[(half >> (60U - node.depth % 64U)) & 15U];
        }
        return entry;
    }
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    static constexpr std::uint32_t kNode = std::uint32_t{1} << 31U;  // the rest is a node's index
    struct Node {
        V6Bits path;  // what the first `depth` bits must be
        V6Bits mask;
        std::uint32_t outside = 0;  // the value of addresses that leave the path
        std::uint32_t depth = 0;
        std::array<std::uint32_t, 16> entries{};
    };
    /// The entry for the prefixes, of which the first has `first_value`; `covering` is the value of the
    /// longest prefix that covers them all.
    std::uint32_t build(std::span<const Prefix> prefixes, std::uint32_t first_value, std::uint32_t covering);
    std::uint32_t make_node(std::span<const Prefix> prefixes, std::uint32_t covering);

    std::uint32_t root_ = 0;
    std::vector<Node> nodes_;
};

}  // namespace cam::aggregate
