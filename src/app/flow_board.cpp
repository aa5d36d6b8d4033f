#include "app/flow_board.h"

#include <utility>

namespace cam::app {

void FlowBoard::attach(std::shared_ptr<const FlowExchange> exchange) {
    exchange_.with([&](auto& held) { held = std::move(exchange); });
}

void FlowBoard::detach() {
    exchange_.with([](auto& held) { held.reset(); });
}

std::vector<decode::ExporterReport> FlowBoard::exporters() const {
    const auto exchange = exchange_.with([](const auto& held) { return held; });
    return exchange ? exchange->exporters() : std::vector<decode::ExporterReport>{};
}

void FlowBoard::show(HeardInClickHouse heard) {
    in_clickhouse_.with([&](auto& held) { held = std::move(heard); });
}

void FlowBoard::forget_in_clickhouse() {
    in_clickhouse_.with([](auto& held) { held.reset(); });
}

std::optional<HeardInClickHouse> FlowBoard::in_clickhouse() const {
    return in_clickhouse_.with([](const auto& held) { return held; });
}

}  // namespace cam::app
