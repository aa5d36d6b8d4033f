#include "app/kafka_outlets.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cam/base/check.h"

#ifdef CAM_KAFKA
#include "cam/kafka/record_producer.h"
#endif

namespace cam::app {
namespace {

#ifdef CAM_KAFKA

constexpr std::chrono::milliseconds kFarewell{3'000};

kafka::RecordProducer::Options producer_options(const Settings::Traffic::Producer& settings,
                                                std::size_t workers) {
    using Producer = kafka::RecordProducer;
    constexpr std::size_t kLeastQueue = std::size_t{1} << 20U;
    constexpr std::size_t kQueuedRecord = 128;  // bytes, as librdkafka keeps a small one
    Producer::Options options;
    options.brokers = settings.brokers;
    options.topic = settings.topic;
    options.records_per_message = settings.records_per_message;
    options.queue_bytes = std::max<std::size_t>(settings.queue_bytes / workers, kLeastQueue);
    options.queue_records = std::clamp<std::size_t>(options.queue_bytes / kQueuedRecord,
                                                    settings.records_per_message, 10'000'000);
    options.encryption = settings.has_tls ? Producer::Encryption::kTls : Producer::Encryption::kNone;
    options.ca_file = settings.ca_file;
    options.user = settings.user;
    if (settings.password) options.password = *settings.password;
    return options;
}

/// From a worker to its producer. Owned by the worker's thread.
class KafkaOutlet final : public RecordOutlet {
public:
    KafkaOutlet(std::unique_ptr<kafka::RecordProducer> producer, std::size_t number, KafkaOutlets& outlets,
                Logger log)
        : producer_(std::move(producer)), number_(number), outlets_(outlets), log_(std::move(log)) {}
    void take(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records) override {
        producer_->add(exporter, received, records);
    }
    void tick(SteadyTime) override {
        producer_->poll();
        show();
    }
    void flush() override {
        const Status flushed = producer_->flush(kFarewell);
        if (!flushed) log_->error("flow records lost at the end reason={}", quote(flushed.error().detail));
        show();
    }

private:
    void show() {
        const kafka::ProducerCounts counts = producer_->counts();
        outlets_.show(number_, {.acknowledged = counts.records_acknowledged,
                                .dropped = counts.records_dropped,
                                .failed = counts.records_failed,
                                .waiting = counts.records_waiting,
                                .trouble = producer_->trouble()});
    }

    std::unique_ptr<kafka::RecordProducer> producer_;
    std::size_t number_;
    KafkaOutlets& outlets_;
    Logger log_;
};

Result<std::unique_ptr<RecordOutlet>> open_outlet(const Settings::Traffic::Producer& settings,
                                                  std::size_t workers, std::size_t number,
                                                  KafkaOutlets& outlets, const Logger& log) {
    auto producer = kafka::RecordProducer::open(producer_options(settings, workers));
    if (!producer) return producer.error();
    return std::unique_ptr<RecordOutlet>(
        std::make_unique<KafkaOutlet>(std::move(*producer), number, outlets, log));
}

#else

Result<std::unique_ptr<RecordOutlet>> open_outlet(const Settings::Traffic::Producer&, std::size_t,
                                                  std::size_t, KafkaOutlets&, const Logger&) {
    return Error{ErrorCode::kInvalid, "this program was built without Kafka (CAM_KAFKA)"};
}

#endif

}  // namespace

bool can_produce_to_kafka() {
#ifdef CAM_KAFKA
    return true;
#else
    return false;
#endif
}

KafkaOutlets::KafkaOutlets() = default;
KafkaOutlets::~KafkaOutlets() = default;

Result<std::unique_ptr<KafkaOutlets>> KafkaOutlets::open(const Settings::Traffic::Producer& settings,
                                                         std::size_t workers, Logger log) {
    auto outlets = std::unique_ptr<KafkaOutlets>(new KafkaOutlets);
    outlets->standings_.with([&](auto& standings) { standings.resize(workers); });
    for (std::size_t number = 0; number < workers; ++number) {
        auto outlet = open_outlet(settings, workers, number, *outlets, log);
        if (!outlet) return outlet.error();
        outlets->outlets_.push_back(std::move(*outlet));
    }
    return outlets;
}

std::unique_ptr<RecordOutlet> KafkaOutlets::take(std::size_t number) {
    check(number < outlets_.size() && outlets_[number] != nullptr, "an outlet is taken once");
    return std::move(outlets_[number]);
}

KafkaStanding KafkaOutlets::standing() const {
    KafkaStanding all;
    standings_.with([&](const auto& standings) {
        for (const KafkaStanding& one : standings) {
            all.acknowledged += one.acknowledged;
            all.dropped += one.dropped;
            all.failed += one.failed;
            all.waiting += one.waiting;
            if (one.trouble) all.trouble = one.trouble;
        }
    });
    return all;
}

void KafkaOutlets::show(std::size_t number, KafkaStanding standing) {
    standings_.with([&](auto& standings) { standings[number] = std::move(standing); });
}

}  // namespace cam::app
