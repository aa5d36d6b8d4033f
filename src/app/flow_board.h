#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/flow_exchange.h"
#include "cam/base/guarded.h"
#include "cam/clickhouse/minute_reader.h"

namespace cam::app {

/// What the judge saw last of those whose flows lie in ClickHouse, by whichever collector they came.
struct HeardInClickHouse {
    std::vector<clickhouse::SenderProgress> senders;  ///< each once; none was heard after now
    std::vector<std::string> silent;                  ///< listed routers, in words
};

/// What others may see of the flow monitor while it runs. Safe from any thread.
class FlowBoard {
public:
    void attach(std::shared_ptr<const FlowExchange> exchange);  // second owner: the monitor's own thread
    void detach();
    /// Of the own workers. Empty while no flow monitor runs.
    [[nodiscard]] std::vector<decode::ExporterReport> exporters() const;

    /// By the judge on ClickHouse, after each look; and when it cannot look, or ends.
    void show(HeardInClickHouse heard);
    void forget_in_clickhouse();
    /// None: no such judge runs, or it has not looked yet, or cannot look now.
    [[nodiscard]] std::optional<HeardInClickHouse> in_clickhouse() const;

private:
    Guarded<std::shared_ptr<const FlowExchange>> exchange_;
    Guarded<std::optional<HeardInClickHouse>> in_clickhouse_;
};

}  // namespace cam::app
