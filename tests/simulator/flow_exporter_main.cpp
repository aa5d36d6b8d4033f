// cam-flow-exporter: a router that exports the traffic of one attack, for the demo and for trying things out.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "simulator/flow_exporter.h"

namespace {

using namespace cam::simulator;

constexpr std::string_view kUsage =
    "usage: cam-flow-exporter --to ADDRESS:PORT [--from ADDRESS] [--format v5|v9|ipfix|sflow5] [--sampling "
    "N]\n"
    "           [--destination ADDRESS] [--destination-port N] [--sources N] [--protocol NUMBER] "
    "[--tcp-flags N]\n"
    "           [--bits-per-second N] [--packet-bytes N] [--templates-every N] [--seconds N]\n"
    "Sends once a second what an exporter would tell of that traffic, sampled 1 in N. Templates and the rate "
    "come with\n"
    "every N-th datagram, 0: only with the first. Ends after --seconds.\n";

struct Arguments {
    std::map<std::string, std::string> texts{
        {"from", "127.0.0.21"}, {"format", "v9"}, {"destination", "185.54.82.4"}};
    std::map<std::string, std::uint64_t> numbers{
        {"sampling", 1'000},     {"destination-port", 443}, {"sources", 8},
        {"protocol", 17},        {"tcp-flags", 0},          {"bits-per-second", 2'000'000'000},
        {"packet-bytes", 1'000}, {"seconds", 60},           {"templates-every", 20}};
};

/// Throws std::runtime_error that says what is wrong.
Arguments parsed(int argc, char** argv) {
    Arguments out;
    for (int i = 1; i < argc; i += 2) {
        const std::string option = argv[i];
        if (!option.starts_with("--") || i + 1 == argc)
            throw std::runtime_error("cannot understand " + option);
        const std::string key = option.substr(2);
        const std::string value = argv[i + 1];
        const auto number = out.numbers.find(key);
        if (number == out.numbers.end()) {
            if (key != "to" && !out.texts.contains(key)) throw std::runtime_error("unknown option " + option);
            out.texts[key] = value;
            continue;
        }
        const char* end = value.data() + value.size();
        const auto [stop, fault] = std::from_chars(value.data(), end, number->second);
        if (fault != std::errc{} || stop != end)
            throw std::runtime_error(option + " " + value + ": expected a number");
    }
    if (!out.texts.contains("to")) throw std::runtime_error("--to is missing");
    return out;
}

FlowExporter::Options exporter_options(const Arguments& arguments) {
    const std::string& to = arguments.texts.at("to");
    const std::size_t colon = to.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("--to " + to + ": expected ADDRESS:PORT");
    const auto format = flow_format(arguments.texts.at("format"));
    if (!format) throw std::runtime_error("--format: expected v5, v9, ipfix or sflow5");
    FlowExporter::Options options;
    options.encoding.format = *format;
    options.encoding.sampling = static_cast<std::uint32_t>(arguments.numbers.at("sampling"));
    options.encoding.templates_every = static_cast<std::uint32_t>(arguments.numbers.at("templates-every"));
    options.source = arguments.texts.at("from");
    options.destination = to.substr(0, colon);
    options.port = static_cast<std::uint16_t>(std::stoul(to.substr(colon + 1)));
    return options;
}

/// What the exporter samples in one second: one flow from each source.
std::vector<Flow> one_second(const Arguments& arguments) {
    const auto number = [&](const char* key) { return arguments.numbers.at(key); };
    const std::uint64_t packets =
        number("bits-per-second") / 8 / number("packet-bytes") / number("sampling") / number("sources");
    std::vector<Flow> flows;
    for (std::uint64_t i = 0; i < number("sources"); ++i) {
        Flow flow;
        flow.destination = FlowAddress::of(arguments.texts.at("destination"));
        const std::string net = flow.destination.is_v6() ? "2a0b:f4c2:" : "103.118.";
        const std::string separator = flow.destination.is_v6() ? "::" : ".";
        flow.source =
            FlowAddress::of(net + std::to_string(76 + i / 200) + separator + std::to_string(1 + i % 200));
        flow.source_port = 53;
        flow.destination_port = static_cast<std::uint16_t>(number("destination-port"));
        flow.protocol = static_cast<std::uint8_t>(number("protocol"));
        flow.tcp_flags = static_cast<std::uint8_t>(number("tcp-flags"));
        flow.packets = static_cast<std::uint32_t>(packets);
        flow.bytes = static_cast<std::uint32_t>(packets * number("packet-bytes"));
        if (packets > 0) flows.push_back(flow);
    }
    return flows;
}

void run(const Arguments& arguments) {
    FlowExporter exporter(exporter_options(arguments));
    const std::vector<Flow> flows = one_second(arguments);
    auto next = std::chrono::steady_clock::now();
    for (std::uint64_t second = 0; second < arguments.numbers.at("seconds"); ++second) {
        exporter.send(flows);
        next += std::chrono::seconds{1};
        std::this_thread::sleep_until(next);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == "--help") {
        std::cout << kUsage;
        return 0;
    }
    try {
        run(parsed(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "cam-flow-exporter: " << error.what() << "\n" << kUsage;
        return 2;
    }
}
