#include "cam/kafka/record_producer.h"

#include <array>
#include <string_view>
#include <utility>

#include <librdkafka/rdkafka.h>
#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"
#include "cam/kafka/flow_message.h"

namespace cam::kafka {
namespace {

constexpr std::size_t kErrorText = 512;
constexpr std::size_t kMostRecordsPerMessage = 2'000;
/// Below the million bytes that brokers accept by default, with room for one more record.
constexpr std::size_t kFullMessage = 900'000;

struct ClientDeleter {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
struct TopicDeleter {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
struct ConfDeleter {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using ClientHandle = std::unique_ptr<rd_kafka_t, ClientDeleter>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;
using ConfHandle = std::unique_ptr<rd_kafka_conf_t, ConfDeleter>;

const char* name_of(RecordProducer::Compression compression) {
    switch (compression) {
        case RecordProducer::Compression::kNone:
            return "none";
        case RecordProducer::Compression::kLz4:
            return "lz4";
        case RecordProducer::Compression::kZstd:
            return "zstd";
        case RecordProducer::Compression::kGzip:
            return "gzip";
        case RecordProducer::Compression::kSnappy:
            return "snappy";
    }
    return "none";
}

/// librdkafka's configuration in the making: keeps the first failure.
class Configuration {
public:
    Configuration() : conf_(rd_kafka_conf_new()) {}
    void set(const char* key, const std::string& value) {
        if (fault_) return;
        std::array<char, kErrorText> text{};
        if (rd_kafka_conf_set(conf_.get(), key, value.c_str(), text.data(), text.size()) == RD_KAFKA_CONF_OK)
            return;
        fault_ = Error{ErrorCode::kInvalid, fmt::format("kafka: {} cannot be used", key)};
    }
    [[nodiscard]] rd_kafka_conf_t* get() const { return conf_.get(); }
    [[nodiscard]] const std::optional<Error>& fault() const { return fault_; }
    /// The client owns it from here on.
    void release() { static_cast<void>(conf_.release()); }

private:
    ConfHandle conf_;
    std::optional<Error> fault_;
};

std::size_t in_kibibytes(std::size_t bytes) {
    return bytes / 1024 + (bytes % 1024 == 0 ? 0U : 1U);
}

void configure(const RecordProducer::Options& options, Configuration& conf) {
    conf.set("bootstrap.servers", options.brokers);
    conf.set("client.id", "cloudflare-analytics-monitor");
    conf.set("enable.idempotence", "true");  // sets acks=all, and as many retries as it takes
    conf.set("message.timeout.ms", "0");     // a record waits until Kafka is back or the queue is full
    conf.set("queue.buffering.max.messages", std::to_string(options.queue_records));
    conf.set("queue.buffering.max.kbytes", std::to_string(in_kibibytes(options.queue_bytes)));
    conf.set("linger.ms", std::to_string(options.linger.count()));
    conf.set("compression.type", name_of(options.compression));
    conf.set("batch.num.messages", "100000");
    conf.set("message.max.bytes", "1000000");
    conf.set("reconnect.backoff.max.ms", "2000");
    conf.set("log.connection.close", "false");
    conf.set("log_level", "0");  // what matters comes by error_cb
    const bool has_tls = options.encryption == RecordProducer::Encryption::kTls;
    const bool has_user = !options.user.empty();
    if (!has_tls && !has_user) return;
    conf.set("security.protocol", has_tls ? (has_user ? "sasl_ssl" : "ssl") : "sasl_plaintext");
    if (has_tls && !options.ca_file.empty()) conf.set("ssl.ca.location", options.ca_file);
    if (!has_user) return;
    conf.set("sasl.mechanisms", "SCRAM-SHA-512");
    conf.set("sasl.username", options.user);
    conf.set("sasl.password", options.password.reveal());
}

Status checked(const RecordProducer::Options& options) {
    const auto fault = [](std::string_view what) {
        return Error{ErrorCode::kInvalid, fmt::format("kafka: {}", what)};
    };
    if (options.brokers.empty()) return fault("brokers: expected host:port, separated by commas");
    if (options.topic.empty() || options.topic.size() > 249)
        return fault("topic: expected 1 to 249 characters");
    if (options.records_per_message < 1 || options.records_per_message > kMostRecordsPerMessage)
        return fault(fmt::format("records per message: expected 1 to {}", kMostRecordsPerMessage));
    if (options.queue_records < options.records_per_message || options.queue_records > 10'000'000)
        return fault("queue: expected at least one message's records, at most 10,000,000");
    if (options.queue_bytes < 1024 * 1024 || options.queue_bytes > std::size_t{2} * 1024 * 1024 * 1024 - 1024)
        return fault("queue: expected 1 MiB to 2 GiB");
    return Done{};
}

ErrorCode code_of(rd_kafka_resp_err_t why) {
    switch (static_cast<int>(why)) {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            return ErrorCode::kRefused;
        case RD_KAFKA_RESP_ERR__SSL:
            return ErrorCode::kTls;
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            return ErrorCode::kNotFound;
        default:
            return ErrorCode::kUnreachable;
    }
}

}  // namespace

/// The callbacks run inside rd_kafka_poll and rd_kafka_flush, on the caller's thread.
struct RecordProducer::State {
    Options options;
    ClientHandle client;
    TopicHandle topic;  // destroyed before the client
    ProducerCounts counts;
    std::optional<Error> trouble;
    std::string open_message;
    std::size_t open_records = 0;

    static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
        auto& state = *static_cast<State*>(self);
        const auto records = reinterpret_cast<std::uintptr_t>(message->_private);
        state.counts.records_waiting -= records;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            state.counts.records_acknowledged += records;
            state.trouble.reset();
            return;
        }
        state.counts.records_failed += records;
        state.note(message->err, rd_kafka_err2str(message->err));
    }
    static void failed(rd_kafka_t*, int why, const char* text, void* self) {
        static_cast<State*>(self)->note(static_cast<rd_kafka_resp_err_t>(why), text);
    }
    void note(rd_kafka_resp_err_t why, std::string_view text) {
        trouble = Error{code_of(why), fmt::format("kafka: {}", text)};
    }

    Status connect();
    void close_message();
    void replace_after_fatal_error();
};

Status RecordProducer::State::connect() {
    Configuration conf;
    configure(options, conf);
    if (conf.fault()) return *conf.fault();
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_dr_msg_cb(conf.get(), &State::delivered);
    rd_kafka_conf_set_error_cb(conf.get(), &State::failed);
    std::array<char, kErrorText> text{};
    ClientHandle made{rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size())};
    // librdkafka's text names the option, as of a CA file that cannot be read; the password is no part of it.
    if (!made) return Error{ErrorCode::kInvalid, fmt::format("kafka: {}", text.data())};
    conf.release();
    TopicHandle named{rd_kafka_topic_new(made.get(), options.topic.c_str(), nullptr)};
    if (!named)
        return Error{ErrorCode::kInvalid, fmt::format("kafka: topic {} cannot be used", options.topic)};
    topic = std::move(named);
    client = std::move(made);
    return Done{};
}

void RecordProducer::State::close_message() {
    if (open_records == 0) return;
    const std::size_t records = std::exchange(open_records, 0);
    // A message's opaque pointer is ours to use; it holds the number of its records and points nowhere.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    void* const opaque = reinterpret_cast<void*>(records);
    const int status = rd_kafka_produce(topic.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                        open_message.data(), open_message.size(), nullptr, 0, opaque);
    open_message.clear();
    if (status == 0) return;
    counts.records_waiting -= records;
    counts.records_dropped += records;
    const rd_kafka_resp_err_t why = rd_kafka_last_error();
    if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL) note(why, rd_kafka_err2str(why));
}

/// An idempotent producer that lost its place ends; a new one goes on. What waited in the old one is counted
/// as failed: whether the broker has it cannot be known any more.
void RecordProducer::State::replace_after_fatal_error() {
    std::array<char, kErrorText> text{};
    if (rd_kafka_fatal_error(client.get(), text.data(), text.size()) == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client.get(), 1'000);
    topic.reset();
    client.reset();
    const Status again = connect();
    check(again.has_value(), "the options made a producer before");
    trouble =
        Error{ErrorCode::kBroken, fmt::format("kafka: the producer had to begin anew: {}", text.data())};
}

Result<std::unique_ptr<RecordProducer>> RecordProducer::open(Options options) {
    if (Status fine = checked(options); !fine) return fine.error();
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    if (Status connected = state->connect(); !connected) return connected.error();
    return std::unique_ptr<RecordProducer>(new RecordProducer(std::move(state)));
}

RecordProducer::RecordProducer(std::unique_ptr<State> state) : state_(std::move(state)) {}

RecordProducer::~RecordProducer() {
    // Or librdkafka would wait for what is in its queue.
    rd_kafka_purge(state_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

void RecordProducer::add(const ExporterKey& exporter, WallTime received,
                         std::span<const FlowRecord> records) {
    State& state = *state_;
    for (const FlowRecord& record : records) {
        ++state.counts.records_added;
        if (state.counts.records_waiting >= state.options.queue_records) {
            ++state.counts.records_dropped;
            continue;
        }
        append_flow_message(exporter, received, record, state.open_message);
        ++state.open_records;
        ++state.counts.records_waiting;
        const bool is_full = state.open_records >= state.options.records_per_message ||
                             state.open_message.size() > kFullMessage;
        if (is_full) state.close_message();
    }
}

void RecordProducer::poll() {
    state_->close_message();
    rd_kafka_poll(state_->client.get(), 0);
    state_->replace_after_fatal_error();
}

Status RecordProducer::flush(std::chrono::milliseconds budget) {
    State& state = *state_;
    state.close_message();
    rd_kafka_flush(state.client.get(), static_cast<int>(budget.count()));
    if (state.counts.records_waiting == 0) return Done{};
    const std::uint64_t given_up = state.counts.records_waiting;
    rd_kafka_purge(state.client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(state.client.get(), 1'000);  // takes the reports of what was purged
    return Error{ErrorCode::kTimeout, fmt::format("kafka: {} records were not acknowledged within {} ms",
                                                  given_up, budget.count())};
}

ProducerCounts RecordProducer::counts() const {
    return state_->counts;
}

std::optional<Error> RecordProducer::trouble() const {
    return state_->trouble;
}

}  // namespace cam::kafka
