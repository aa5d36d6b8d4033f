#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "cam/model/prefix.h"

namespace cam {

/// Values by prefix, found by the longest prefix that covers an address. A binary trie in one vector: a
/// look-up walks at most 32 or 128 nodes and allocates nothing. Reading is safe from any thread while nobody
/// inserts.
template <typename Value>
class PrefixMap {
public:
    /// Replaces the value of a prefix that is already there.
    void insert(const Prefix& prefix, Value value) {
        std::uint32_t at = root(prefix.address().family());
        for (unsigned depth = 0; depth < prefix.length(); ++depth) {
            const std::size_t side = prefix.address().bit(depth) ? 1 : 0;
            if (nodes_[at].child[side] == kNone) {
                const auto made = static_cast<std::uint32_t>(nodes_.size());
                nodes_.emplace_back();
                nodes_[at].child[side] = made;
            }
            at = nodes_[at].child[side];
        }
        nodes_[at].value = std::move(value);
    }

    /// The value of the longest covering prefix, or nullptr. Valid until the next insert.
    [[nodiscard]] const Value* find(const IpAddress& address) const {
        const Value* best = nullptr;
        std::uint32_t at = root(address.family());
        for (unsigned depth = 0;; ++depth) {
            const Node& node = nodes_[at];
            if (node.value) best = &*node.value;
            if (depth == address.width()) return best;
            at = node.child[address.bit(depth) ? 1 : 0];
            if (at == kNone) return best;
        }
    }

private:
    static constexpr std::uint32_t kNone = 0;  // a root is nobody's child
    struct Node {
        std::array<std::uint32_t, 2> child{kNone, kNone};
        std::optional<Value> value;
    };
    static constexpr std::uint32_t root(IpAddress::Family family) {
        return family == IpAddress::Family::kV4 ? 0 : 1;
    }
    std::vector<Node> nodes_ = std::vector<Node>(2);
};

/// Which prefixes are watched, without a value.
class PrefixSet {
public:
    PrefixSet() = default;
    explicit PrefixSet(const std::vector<Prefix>& prefixes) {
        for (const Prefix& prefix : prefixes) map_.insert(prefix, Empty{});
    }
    [[nodiscard]] bool contains(const IpAddress& address) const { return map_.find(address) != nullptr; }

private:
    struct Empty {};
    PrefixMap<Empty> map_;
};

}  // namespace cam
