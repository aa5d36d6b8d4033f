#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace cam::decode::test {

/// Writes numbers as the network has them. `a.u16(1).u32(2)` goes on where it is.
class WireBytes {
public:
    WireBytes() = default;
    WireBytes(std::initializer_list<std::uint8_t> bytes) : bytes_(bytes) {}

    WireBytes& u8(std::uint64_t value) { return number(value, 1); }
    WireBytes& u16(std::uint64_t value) { return number(value, 2); }
    WireBytes& u24(std::uint64_t value) { return number(value, 3); }
    WireBytes& u32(std::uint64_t value) { return number(value, 4); }
    WireBytes& u64(std::uint64_t value) { return number(value, 8); }
    WireBytes& add(const WireBytes& more) {
        bytes_.insert(bytes_.end(), more.bytes_.begin(), more.bytes_.end());
        return *this;
    }
    WireBytes& fill(std::size_t count, std::uint8_t value = 0) {
        bytes_.insert(bytes_.end(), count, value);
        return *this;
    }
    /// XDR pads to a multiple of four.
    WireBytes& pad() { return fill((4 - bytes_.size() % 4) % 4); }
    /// Without the bytes behind the first `size`.
    [[nodiscard]] WireBytes cut(std::size_t size) const {
        WireBytes out = *this;
        out.bytes_.resize(size);
        return out;
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::span<const std::uint8_t> span() const { return bytes_; }
    [[nodiscard]] std::vector<std::uint8_t>& vector() { return bytes_; }

private:
    WireBytes& number(std::uint64_t value, unsigned size) {
        for (unsigned i = size; i > 0; --i) {
            bytes_.push_back(static_cast<std::uint8_t>(value >> ((i - 1) * 8)));
        }
        return *this;
    }
    std::vector<std::uint8_t> bytes_;
};

}  // namespace cam::decode::test
