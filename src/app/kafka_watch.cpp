#include "app/kafka_watch.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

constexpr std::chrono::seconds kPatience{60};
/// After so long without a loss it is over.
constexpr std::chrono::minutes kCalm{5};
constexpr const char* kHelp =
    "Flow records of the own collector on their way to Kafka, by what became of them";

Counter& records(MetricRegistry& metrics, const char* result) {
    return metrics.counter("cam_kafka_records_total", kHelp, {{"result", result}});
}

}  // namespace

KafkaWatch::KafkaWatch(Parts parts)
    : parts_(std::move(parts)),
      acknowledged_(records(parts_.metrics, "acknowledged")),
      dropped_(records(parts_.metrics, "dropped")),
      failed_(records(parts_.metrics, "failed")),
      waiting_(
          parts_.metrics.gauge("cam_kafka_waiting_records", "Flow records that wait for Kafka's answer")) {}

void KafkaWatch::look() {
    const KafkaStanding now = parts_.outlets.standing();
    note_counts(now);
    tell_losses(now.dropped + now.failed);
    tell_trouble(now);
}

void KafkaWatch::note_counts(const KafkaStanding& now) {
    acknowledged_.add(now.acknowledged - noted_.acknowledged);
    dropped_.add(now.dropped - noted_.dropped);
    failed_.add(now.failed - noted_.failed);
    waiting_.set(static_cast<double>(now.waiting));
    noted_ = now;
}

/// Once for as long as it goes on.
void KafkaWatch::tell_losses(std::uint64_t lost) {
    if (lost == lost_) return;
    if (!lost_at_) parts_.log->error("flow records lost on the way to Kafka records={}", lost);
    lost_ = lost;
    lost_at_ = parts_.clock.steady();
    parts_.conditions.raise(Condition::kKafkaProducer,
                            {.state = "losing",
                             .headline = "Flow records are lost on the way to Kafka",
                             .details = {fmt::format("{} so far; cam_kafka_records_total counts them", lost),
                                         "Traffic is more than what is judged until this ends."},
                             .tell = Tell::kLogAndSoc},
                            &parts_.remembered);
    parts_.queued();
}

void KafkaWatch::tell_trouble(const KafkaStanding& now) {
    const SteadyTime steady = parts_.clock.steady();
    if (!now.trouble || now.waiting == 0) {
        failing_since_.reset();
        if (lost_at_ && steady - *lost_at_ < kCalm) return;  // it may go on
        lost_at_.reset();
        parts_.conditions.clear(Condition::kKafkaProducer, "Kafka takes flow records again",
                                &parts_.remembered);
        return;
    }
    if (!failing_since_) {
        failing_since_ = steady;
        parts_.log->warn("kafka takes no flow records, they wait reason={}", quote(now.trouble->detail));
    }
    if (steady - *failing_since_ < kPatience || lost_at_) return;
    parts_.conditions.raise(
        Condition::kKafkaProducer,
        {.state = "unwritable",
         .headline = "Kafka takes no flow records",
         .details =
             {now.trouble->detail,
              "They wait in memory, as many as traffic.kafka.queue_bytes holds; the newest are lost then."},
         .tell = Tell::kLogAndSoc},
        &parts_.remembered);
    parts_.queued();
}

}  // namespace cam::app
