#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "cam/model/ip_address.h"

namespace cam::clickhouse {

/// Reads values of ClickHouse's format RowBinary from an answer. What is not there whole is nullopt, and then
/// nothing is read. A view: the answer outlives it. One thread at a time.
class RowReader {
public:
    explicit RowReader(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    template <std::integral Value>
    std::optional<Value> number() {
        static_assert(std::endian::native == std::endian::little, "RowBinary is little-endian");
        Value value{};
        if (rest_.size() < sizeof value) return std::nullopt;
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_.remove_prefix(sizeof value);
        return value;
    }

    /// A value of type IPv6.
    std::optional<IpAddress> address() {
        std::array<std::uint8_t, 16> bytes{};
        if (rest_.size() < bytes.size()) return std::nullopt;
        std::memcpy(bytes.data(), rest_.data(), bytes.size());
        rest_.remove_prefix(bytes.size());
        return IpAddress::v6(bytes);
    }

    std::optional<std::string> text() {
        const std::string_view before = rest_;
        std::uint64_t size = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::optional<std::uint8_t> byte = number<std::uint8_t>();
            if (!byte || shift > 56) {
                rest_ = before;
                return std::nullopt;
            }
            size |= std::uint64_t{*byte & 0x7fU} << shift;
            if ((*byte & 0x80U) == 0) break;
        }
        if (size > rest_.size()) {
            rest_ = before;
            return std::nullopt;
        }
        std::string out{rest_.substr(0, size)};
        rest_.remove_prefix(size);
        return out;
    }

private:
    std::string_view rest_;
};

}  // namespace cam::clickhouse
