#pragma once

#include <string>
#include <utility>

namespace cam {

/// A token. It has no formatter and no stream operator, so it cannot reach a log by accident; its memory is
/// wiped. One thread at a time.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
    /// The value itself. Only the code that puts it on the wire may ask.
    [[nodiscard]] const std::string& reveal() const noexcept { return value_; }
    friend bool operator==(const Secret& a, const Secret& b) noexcept { return a.value_ == b.value_; }

private:
    void wipe() noexcept;
    std::string value_;
};

}  // namespace cam
