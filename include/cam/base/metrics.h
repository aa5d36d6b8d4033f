#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cam {

/// A number that only grows. Safe from any thread.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down. Safe from any thread.
class Gauge {
public:
    void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// The process's metrics in Prometheus' text format 0.0.4. Names are `cam_<room>_<thing>_<unit>[_total]`;
/// label values come from closed sets, never from the wire. Registering the same name and labels again gives
/// the same object, which lives as long as the registry. Safe from any thread.
class MetricRegistry {
public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    /// A gauge whose value is asked for at each scrape. `read` must be safe from any thread and must not
    /// block.
    void gauge_from(std::string_view name, std::string_view help, std::function<double()> read,
                    Labels labels = {});

    /// The whole exposition, families sorted by name, ending in a newline.
    [[nodiscard]] std::string text() const;

private:
    enum class Type { kCounter, kGauge };
    struct Series {
        std::string labels;
        std::unique_ptr<Counter> counter;
        std::unique_ptr<Gauge> gauge;
        std::function<double()> read;
    };
    struct Family {
        std::string name;
        std::string help;
        Type type;
        std::vector<std::unique_ptr<Series>> series;
    };
    Series& series(std::string_view name, std::string_view help, Type type, const Labels& labels);

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Family>> families_;
};

}  // namespace cam
