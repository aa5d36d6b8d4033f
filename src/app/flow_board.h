#pragma once

#include <memory>
#include <vector>

#include "app/flow_exchange.h"
#include "cam/base/guarded.h"

namespace cam::app {

/// What others may see of the flow monitor while it runs. Safe from any thread.
class FlowBoard {
public:
    void attach(std::shared_ptr<const FlowExchange> exchange);  // second owner: the monitor's own thread
    void detach();
    /// Empty while no flow monitor runs.
    [[nodiscard]] std::vector<decode::ExporterReport> exporters() const;

private:
    Guarded<std::shared_ptr<const FlowExchange>> exchange_;
};

}  // namespace cam::app
