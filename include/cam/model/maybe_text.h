#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace cam {

/// A text, or none: a `std::optional<std::string_view>` of two words. The characters belong to somebody else
/// and must outlive it. Immutable but for assignment.
class MaybeText {
public:
    constexpr MaybeText() noexcept = default;
    constexpr MaybeText(std::nullopt_t) noexcept {}
    constexpr MaybeText(std::string_view text) noexcept
        : text_(text.data() == nullptr ? std::string_view{""} : text) {}
    constexpr MaybeText(const char* text) noexcept : text_(text) {}
    MaybeText(const std::string& text) noexcept : text_(text) {}
    MaybeText(const std::optional<std::string>& text) noexcept {
        if (text) text_ = *text;
    }
    // Their characters would be gone at once.
    MaybeText(std::string&&) = delete;
    MaybeText(std::optional<std::string>&&) = delete;

    [[nodiscard]] constexpr bool has_value() const noexcept { return text_.data() != nullptr; }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    /// The text; an empty one if there is none.
    [[nodiscard]] constexpr std::string_view operator*() const noexcept { return text_; }
    [[nodiscard]] constexpr const std::string_view* operator->() const noexcept { return &text_; }
    [[nodiscard]] constexpr std::string_view value_or(std::string_view other) const noexcept {
        return has_value() ? text_ : other;
    }
    constexpr void reset() noexcept { text_ = {}; }

    friend constexpr bool operator==(MaybeText a, MaybeText b) noexcept {
        return a.has_value() == b.has_value() && a.text_ == b.text_;
    }
    friend std::ostream& operator<<(std::ostream& out, MaybeText text) {
        return text ? out << '"' << *text << '"' : out << "(none)";
    }

private:
    std::string_view text_{};  // no data: no text
};

}  // namespace cam
