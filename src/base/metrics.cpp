#include "cam/base/metrics.h"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"

namespace cam {
namespace {

std::string escape_label(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

std::string label_text(const MetricRegistry::Labels& labels) {
    if (labels.empty()) return {};
    std::string out = "{";
    for (const auto& [key, value] : labels) {
        if (out.size() > 1) out += ',';
        out += fmt::format("{}=\"{}\"", key, escape_label(value));
    }
    return out + "}";
}

std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

}  // namespace

MetricRegistry::Series& MetricRegistry::series(std::string_view name, std::string_view help, Type type,
                                               const Labels& labels) {
    const auto at =
        std::lower_bound(families_.begin(), families_.end(), name,
                         [](const auto& family, std::string_view key) { return family->name < key; });
    Family* family = nullptr;
    if (at != families_.end() && (*at)->name == name) {
        family = at->get();
        check(family->type == type, "a metric name has two types");
    } else {
        family =
            families_
                .insert(at, std::make_unique<Family>(Family{std::string{name}, std::string{help}, type, {}}))
                ->get();
    }
    const std::string text = label_text(labels);
    for (const auto& one : family->series) {
        if (one->labels == text) return *one;
    }
    family->series.push_back(std::make_unique<Series>());
    family->series.back()->labels = text;
    return *family->series.back();
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(mutex_);
    Series& one = series(name, help, Type::kCounter, labels);
    if (!one.counter) one.counter = std::make_unique<Counter>();
    return *one.counter;
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(mutex_);
    Series& one = series(name, help, Type::kGauge, labels);
    if (!one.gauge) one.gauge = std::make_unique<Gauge>();
    return *one.gauge;
}

void MetricRegistry::gauge_from(std::string_view name, std::string_view help, std::function<double()> read,
                                Labels labels) {
    const std::lock_guard lock(mutex_);
    series(name, help, Type::kGauge, labels).read = std::move(read);
}

std::string MetricRegistry::text() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& family : families_) {
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family->name, family->help, family->name,
                           family->type == Type::kCounter ? "counter" : "gauge");
        for (const auto& one : family->series) {
            if (one->counter) {
                out += fmt::format("{}{} {}\n", family->name, one->labels, one->counter->value());
            } else {
                const double value = one->read ? one->read() : one->gauge->value();
                out += fmt::format("{}{} {}\n", family->name, one->labels, number_text(value));
            }
        }
    }
    return out;
}

}  // namespace cam
