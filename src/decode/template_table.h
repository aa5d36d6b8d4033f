#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "decode/options_layout.h"
#include "decode/program.h"
#include "decode/template_record.h"

namespace cam::decode {

/// Which template of an exporter: a template id means something only inside its protocol and domain.
struct TemplateKey {
    ExportProtocol protocol;
    std::uint32_t domain;
    std::uint16_t id;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the 0 in code that the compiler makes
    friend auto operator<=>(const TemplateKey&, const TemplateKey&) = default;
};

/// A template, ready to decode with. Exactly one of `program` and `options` is there.
struct Template {
    TemplateKey key;
    TemplateFormat format;
    std::vector<std::uint8_t> bytes;  ///< as it came: what a refresh is compared with, and what is saved
    std::optional<Program> program;
    std::optional<OptionsLayout> options;
    SteadyTime used{};  ///< told, or decoded with

    [[nodiscard]] std::size_t memory_bytes() const noexcept;
};

/// The templates of one exporter, bounded in number and bytes. One thread at a time.
class TemplateTable {
public:
    struct Limits {
        std::size_t templates;
        std::size_t bytes;
        std::chrono::seconds idle;  ///< a template that nobody used so long gives way to a new one
    };
    enum class Learned : std::uint8_t { kSame, kNew, kBad, kNoRoom };

    /// Takes a template record of kind kTemplate. One with the same key and other content is replaced, and
    /// forgotten even if the new one is refused: its records would be read by the wrong layout.
    Learned learn(const TemplateKey& key, TemplateFormat format, const TemplateRecord& record, Limits limits,
                  SteadyTime now);
    /// nullptr: not known. Valid until the next call of anything but `find`.
    [[nodiscard]] Template* find(const TemplateKey& key) noexcept;
    bool forget(const TemplateKey& key);
    /// Forgets all data or all options templates of a domain.
    bool forget_all(ExportProtocol protocol, std::uint32_t domain, bool of_options);

    [[nodiscard]] std::size_t count(bool of_options) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return templates_.size(); }
    /// What the templates take in memory, about.
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }
    [[nodiscard]] std::span<const std::unique_ptr<Template>> all() const noexcept { return templates_; }

private:
    using Place = std::vector<std::unique_ptr<Template>>::iterator;
    [[nodiscard]] Place place_of(const TemplateKey& key) noexcept;
    void erase(Place place);
    /// Lets idle templates go until one of `bytes` fits.
    bool make_room(std::size_t bytes, const Limits& limits, SteadyTime now);

    std::vector<std::unique_ptr<Template>> templates_;  ///< by key
    std::size_t memory_bytes_ = 0;
};

}  // namespace cam::decode
