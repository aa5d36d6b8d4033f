#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "app/flow_exchange.h"
#include "app/flow_worker.h"
#include "app/monitor_parts.h"
#include "cam/net/udp_receiver.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// Where flows are received, as the settings say.
[[nodiscard]] net::UdpReceiver::Options receiver_options(const Settings::Flow& flow);

using FlowReceivers = std::vector<std::unique_ptr<net::UdpReceiver>>;

/// Tries until it listens, and says once that it cannot; empty if stopped before.
[[nodiscard]] FlowReceivers listen_for_flows(const Surroundings& around, store::SqliteStore& remembered,
                                             Heartbeat& heartbeat, const std::function<void()>& queued,
                                             const std::stop_token& stop);

/// The threads that receive (`cam-flow-N`). They end, and hand over their last minute, when this does.
class FlowWorkers {
public:
    using MakeOutlet = std::function<std::unique_ptr<RecordOutlet>(std::size_t number)>;
    /// `make_outlet` may be empty: then the workers count. `around` and `exchange` outlive it.
    FlowWorkers(const Surroundings& around, FlowReceivers receivers, FlowExchange& exchange,
                const std::vector<store::DecoderState>& states, const MakeOutlet& make_outlet = {});
    void stop();

private:
    std::vector<std::unique_ptr<FlowWorker>> workers_;
    std::vector<std::jthread> threads_;
};

}  // namespace cam::app
