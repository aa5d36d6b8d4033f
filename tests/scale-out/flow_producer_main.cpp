// cam-flow-producer: a collector that only decodes and produces: UDP in, Kafka out, by the daemon's own
// rooms. The tests hold what it writes against GoFlow2's.

#include <charconv>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "cam/kafka/record_producer.h"
#include "cam/net/udp_receiver.h"

namespace {

using namespace cam;
using std::chrono::milliseconds;

constexpr std::string_view kUsage =
    "usage: cam-flow-producer --brokers HOST:PORT --topic NAME [--records-per-message N]\n"
    "Prints `listening on PORT`. On SIGTERM it flushes and prints what became of the records as JSON.\n";

volatile std::sig_atomic_t stopping = 0;

/// From the decoder to Kafka.
class Producing final : public decode::FlowSink {
public:
    Producing(kafka::RecordProducer& producer, const Clock& clock) : producer_(producer), clock_(clock) {}
    void take(const ExporterKey& exporter, std::span<const FlowRecord> records) override {
        producer_.add(exporter, clock_.wall(), records);
    }

private:
    kafka::RecordProducer& producer_;
    const Clock& clock_;
};

template <typename T>
T needed(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    return std::move(result).value();
}

kafka::RecordProducer::Options options_of(const std::map<std::string, std::string>& arguments) {
    kafka::RecordProducer::Options options;
    options.brokers = arguments.at("--brokers");
    options.topic = arguments.at("--topic");
    if (const auto found = arguments.find("--records-per-message"); found != arguments.end()) {
        const std::string& text = found->second;
        std::from_chars(text.data(), text.data() + text.size(), options.records_per_message);
    }
    return options;
}

int run(const std::map<std::string, std::string>& arguments) {
    const auto producer = needed(kafka::RecordProducer::open(options_of(arguments)));
    const auto receivers = needed(net::UdpReceiver::open({.listen = {{"127.0.0.1", 0}}}, 1));
    net::UdpReceiver& receiver = *receivers.at(0);
    SystemClock clock;
    Producing sink(*producer, clock);
    decode::Decoder decoder({}, sink);
    std::cout << "listening on " << receiver.ports().at(0) << std::endl;
    while (stopping == 0) {
        needed(receiver.receive(milliseconds{100}, [&](std::span<const net::Datagram> batch) {
            const WallTime now = clock.wall();
            for (const net::Datagram& one : batch)
                decoder.decode(ExporterKey{one.source}, one.payload, now, clock.steady());
        }));
        producer->poll();
    }
    const Status flushed = producer->flush(milliseconds{10'000});
    const kafka::ProducerCounts counts = producer->counts();
    std::cout << "{\"added\": " << counts.records_added
              << ", \"acknowledged\": " << counts.records_acknowledged
              << ", \"dropped\": " << counts.records_dropped << ", \"failed\": " << counts.records_failed
              << ", \"kernel_drops\": " << receiver.kernel_drops() << "}" << std::endl;
    return flushed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> arguments;
    for (int i = 1; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
    if (!arguments.contains("--brokers") || !arguments.contains("--topic")) {
        std::cerr << kUsage;
        return 2;
    }
    struct sigaction action {};
    action.sa_handler = [](int) { stopping = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
    try {
        return run(arguments);
    } catch (const std::exception& why) {
        std::cerr << "cam-flow-producer: " << why.what() << "\n";
        return 1;
    }
}
