#include "bench/generated_flows.h"

namespace cam::bench {
namespace {

using simulator::FlowAddress;

std::uint8_t byte_of(std::uint64_t number) {
    return static_cast<std::uint8_t>(number & 0xFFU);
}

FlowAddress address_in(Family family, std::uint64_t prefix, std::uint8_t host) {
    if (family == Family::kV4) return {{10, byte_of(prefix / 256), byte_of(prefix), host}};
    return {
        {0x20, 0x01, 0x0d, 0xb8, 0, byte_of(prefix / 256), 0, byte_of(prefix), 0, 0, 0, 0, 0, 0, 0, host}};
}

FlowAddress source(Family family, std::mt19937& random) {
    const auto byte = [&] { return byte_of(random()); };
    if (family == Family::kV4)
        return {{static_cast<std::uint8_t>(100 + random() % 50), byte(), byte(), byte()}};
    return {{0x2a, byte(), byte(), byte(), 0, 0, byte(), byte(), 0, 0, 0, 0, 0, 0, 0, byte()}};
}

}  // namespace

std::vector<simulator::Flow> generate_flows(std::mt19937& random, std::size_t count, std::uint64_t prefixes,
                                            Family family) {
    std::vector<simulator::Flow> flows;
    flows.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        simulator::Flow flow;
        flow.source = source(family, random);
        flow.destination = address_in(family, random() % prefixes, byte_of(random()));
        flow.source_port = static_cast<std::uint16_t>(random());
        flow.destination_port = static_cast<std::uint16_t>(random() % 1'024);
        flow.protocol = random() % 3 == 0 ? 17 : 6;
        flow.tcp_flags = flow.protocol == 6 ? random() & 0x1FU : 0;
        flow.packets = 1;
        flow.bytes = static_cast<std::uint32_t>(64 + random() % 1'400);
        flow.input_interface = 1 + static_cast<std::uint32_t>(random() % 8);
        flow.source_as = 64'512 + static_cast<std::uint32_t>(random() % 500);
        flows.push_back(flow);
    }
    return flows;
}

}  // namespace cam::bench
