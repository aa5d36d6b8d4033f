#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "app/record_outlet.h"
#include "app/settings.h"
#include "cam/base/guarded.h"
#include "cam/base/log.h"
#include "cam/base/result.h"

namespace cam::app {

/// Whether this program was built with the room `kafka` (CAM_KAFKA).
[[nodiscard]] bool can_produce_to_kafka();

/// What the producers have done so far, and why Kafka takes nothing at present.
struct KafkaStanding {
    std::uint64_t acknowledged = 0;
    std::uint64_t dropped = 0;
    std::uint64_t failed = 0;
    std::uint64_t waiting = 0;
    std::optional<Error> trouble;
};

/// The workers' ways into a Kafka topic: a producer each, so that nothing is shared. standing() is safe from
/// any thread; the rest is one thread's.
class KafkaOutlets {
public:
    /// Does not wait for Kafka. kInvalid: a setting cannot be used, or the program was built without Kafka.
    static Result<std::unique_ptr<KafkaOutlets>> open(const Settings::Traffic::Producer& settings,
                                                      std::size_t workers, Logger log);
    ~KafkaOutlets();
    /// The outlet of a worker, once; this must outlive it.
    std::unique_ptr<RecordOutlet> take(std::size_t number);
    /// All workers together.
    [[nodiscard]] KafkaStanding standing() const;
    void show(std::size_t number, KafkaStanding standing);

private:
    KafkaOutlets();
    std::vector<std::unique_ptr<RecordOutlet>> outlets_;
    Guarded<std::vector<KafkaStanding>> standings_;
};

}  // namespace cam::app
