#include "decode/template_table.h"

#include <algorithm>

namespace cam::decode {

std::size_t Template::memory_bytes() const noexcept {
    std::size_t sum = sizeof *this + bytes.capacity();
    if (program) sum += program->memory_bytes();
    if (options) sum += options->memory_bytes();
    return sum;
}

TemplateTable::Place TemplateTable::place_of(const TemplateKey& key) noexcept {
    return std::lower_bound(
        templates_.begin(), templates_.end(), key,
        [](const std::unique_ptr<Template>& one, const TemplateKey& wanted) { return one->key < wanted; });
}

Template* TemplateTable::find(const TemplateKey& key) noexcept {
    const Place place = place_of(key);
    return place != templates_.end() && (*place)->key == key ? place->get() : nullptr;
}

void TemplateTable::erase(Place place) {
    memory_bytes_ -= (*place)->memory_bytes();
    templates_.erase(place);
}

bool TemplateTable::forget(const TemplateKey& key) {
    const Place place = place_of(key);
    if (place == templates_.end() || (*place)->key != key) return false;
    erase(place);
    return true;
}

bool TemplateTable::forget_all(ExportProtocol protocol, std::uint32_t domain, bool of_options) {
    const std::size_t before = templates_.size();
    std::erase_if(templates_, [&](const std::unique_ptr<Template>& one) {
        const bool goes = one->key.protocol == protocol && one->key.domain == domain &&
                          one->options.has_value() == of_options;
        if (goes) memory_bytes_ -= one->memory_bytes();
        return goes;
    });
    return templates_.size() != before;
}

std::size_t TemplateTable::count(bool of_options) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(templates_.begin(), templates_.end(),
                      [of_options](const auto& one) { return one->options.has_value() == of_options; }));
}

bool TemplateTable::make_room(std::size_t bytes, const Limits& limits, SteadyTime now) {
    if (bytes > limits.bytes || limits.templates == 0) return false;
    while (templates_.size() >= limits.templates || memory_bytes_ > limits.bytes - bytes) {
        const Place oldest = std::min_element(templates_.begin(), templates_.end(),
                                              [](const auto& a, const auto& b) { return a->used < b->used; });
        if (now - (*oldest)->used < limits.idle) return false;
        erase(oldest);
    }
    return true;
}

TemplateTable::Learned TemplateTable::learn(const TemplateKey& key, TemplateFormat format,
                                            const TemplateRecord& record, Limits limits, SteadyTime now) {
    if (Template* const known = find(key)) {
        if (known->format == format && std::ranges::equal(known->bytes, record.bytes)) {
            known->used = now;
            return Learned::kSame;
        }
        forget(key);
    }
    auto made = std::make_unique<Template>(Template{.key = key,
                                                    .format = format,
                                                    .bytes = {record.bytes.begin(), record.bytes.end()},
                                                    .program = std::nullopt,
                                                    .options = std::nullopt,
                                                    .used = now});
    if (is_options(format)) {
        made->options = OptionsLayout::compile(key.protocol, record.fields);
        if (!made->options) return Learned::kBad;
    } else {
        made->program = Program::compile(record.fields);
        if (!made->program) return Learned::kBad;
    }
    const std::size_t bytes = made->memory_bytes();
    if (!make_room(bytes, limits, now)) return Learned::kNoRoom;
    templates_.insert(place_of(key), std::move(made));
    memory_bytes_ += bytes;
    return Learned::kNew;
}

}  // namespace cam::decode
