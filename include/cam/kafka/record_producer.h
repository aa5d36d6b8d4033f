#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::kafka {

/// What became of the records so far. records_added = records_acknowledged + records_dropped + records_failed
/// + records_waiting.
struct ProducerCounts {
    std::uint64_t records_added = 0;
    std::uint64_t records_acknowledged = 0;  ///< all replicas that must have them have them
    std::uint64_t records_dropped = 0;       ///< the queue was full: the newest went
    std::uint64_t records_failed = 0;        ///< Kafka refused them for good, or the producer ended before
    std::uint64_t records_waiting = 0;
};

/// Puts flow records into a Kafka topic as GoFlow2's messages, through librdkafka: idempotent (a retry after
/// a lost answer stores nothing twice), acknowledged by all in-sync replicas before they are forgotten, kept
/// in a bounded queue while Kafka is away. The input and output happen on threads of librdkafka; no call here
/// waits for Kafka but flush(). One thread at a time.
class RecordProducer {
public:
    enum class Compression : std::uint8_t { kNone, kLz4, kZstd, kGzip, kSnappy };
    enum class Encryption : std::uint8_t { kNone, kTls };
    struct Options {
        std::string brokers;  ///< `host:9092,host:9092`
        std::string topic = "flows";
        std::size_t queue_records = 1'000'000;
        std::size_t queue_bytes = std::size_t{256} * 1024 * 1024;
        /// FlowMessages in one Kafka message. 1: as GoFlow2. More: about ten times the speed; ClickHouse's
        /// format Protobuf reads them, other readers must expect several behind each other.
        std::size_t records_per_message = 1;
        std::chrono::milliseconds linger{100};  ///< a batch for a broker is not held back for longer
        Compression compression = Compression::kLz4;
        Encryption encryption = Encryption::kNone;
        std::string ca_file{};  ///< of kTls: PEM; empty: the system's certificates
        std::string user{};     ///< SASL (SCRAM-SHA-512); empty: none
        Secret password{};
    };
    /// Does not wait for Kafka: a broker that is away now may come later. kInvalid: an option cannot be used;
    /// the text names it and never the password.
    static Result<std::unique_ptr<RecordProducer>> open(Options options);
    /// What still waits is lost and counted by nobody: flush() first.
    ~RecordProducer();

    /// Encodes and queues. Records that the queue has no room for are dropped and counted.
    void add(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records);
    /// Queues what add() holds back for a fuller message, and takes Kafka's answers. To be called every
    /// 100 ms or so, and after a batch of add().
    void poll();
    /// Waits until nothing waits any more, at most for `budget`; what then waits still is given up, counted
    /// as failed.
    Status flush(std::chrono::milliseconds budget);
    [[nodiscard]] ProducerCounts counts() const;
    /// Why nothing is acknowledged at present; nullopt: nothing is wrong as far as known.
    [[nodiscard]] std::optional<Error> trouble() const;

private:
    struct State;
    explicit RecordProducer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::kafka
