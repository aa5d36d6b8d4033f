#include "app/decode_command.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "app/capture_file.h"
#include "app/datagram_finder.h"
#include "app/decode_summary.h"
#include "app/flow_record_json.h"
#include "app/modes.h"
#include "cam/decode/decoder.h"

namespace cam::app {
namespace {

void complain(std::string_view what) {
    std::fprintf(stderr, "cloudflare-analytics-monitor: %.*s\n", static_cast<int>(what.size()), what.data());
}

/// Standard output in large pieces.
class Output {
public:
    std::string& buffer() { return buffer_; }
    /// Writes if the buffer is large, or at once for somebody who watches. False if there is no use in going
    /// on.
    bool keep_up() { return (buffer_.size() < kPiece && !is_watched_) || flush(); }
    bool flush() {
        std::string_view rest = buffer_;
        while (!rest.empty() && failure_ == 0) {
            const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
            if (written >= 0) {
                rest.remove_prefix(static_cast<std::size_t>(written));
            } else if (errno != EINTR) {
                failure_ = errno;
            }
        }
        buffer_.clear();
        return failure_ == 0;
    }
    /// Whoever read us has seen enough (`| head`): no failure, and nothing more to write.
    [[nodiscard]] bool is_closed() const { return failure_ == EPIPE; }
    /// 0, or why writing failed.
    [[nodiscard]] int failure() const { return failure_; }

private:
    static constexpr std::size_t kPiece = std::size_t{64} * 1024;
    std::string buffer_;
    int failure_ = 0;
    bool is_watched_ = ::isatty(STDOUT_FILENO) == 1;
};

/// Writes each record as a line.
class LineSink final : public decode::FlowSink {
public:
    explicit LineSink(std::string& out) : out_(out) {}
    void take(const ExporterKey& exporter, std::span<const FlowRecord> records) override {
        for (const FlowRecord& record : records) append_json_line(exporter, record, received, out_);
    }
    WallTime received{};

private:
    std::string& out_;
};

class SumSink final : public decode::FlowSink {
public:
    explicit SumSink(DecodeSummary& summary) : summary_(summary) {}
    void take(const ExporterKey&, std::span<const FlowRecord> records) override { summary_.add(records); }

private:
    DecodeSummary& summary_;
};

/// What is worth a line on standard error, since it explains figures that are too small.
void warn_of_gaps(const DatagramFinder& finder) {
    if (const std::uint64_t cut = finder.counts().cut; cut > 0) {
        complain(
            fmt::format("{} datagrams are cut and were left out; capture whole packets (tcpdump -s 0)", cut));
    }
    if (const std::uint64_t unfinished = finder.unfinished(); unfinished > 0) {
        complain(fmt::format("{} datagrams were left out because fragments of them are missing", unfinished));
    }
}

/// Feeds the decoder with the datagrams of a capture by the capture's own clock.
class Feed {
public:
    Feed(CaptureFile& file, decode::Decoder& decoder) : file_(file), decoder_(decoder) {}

    /// Calls `before` with the time of each datagram and `after` with its report, until `after` says false or
    /// the capture ends. An Error if it cannot be read to its end.
    template <typename Before, typename After>
    Status run(Before before, After after) {
        for (;;) {
            const Result<std::optional<CapturedFrame>> frame = file_.next();
            if (!frame) return frame.error();
            if (!frame.value()) return Done{};
            const auto datagram = finder_.find(*frame.value());
            if (!datagram) continue;
            const WallTime time = frame.value()->time;
            now_ = std::max(now_, SteadyTime{time.time_since_epoch()});
            before(time);
            if (!after(decoder_.decode(ExporterKey{datagram->source}, datagram->payload, time, now_)))
                return Done{};
        }
    }
    [[nodiscard]] const DatagramFinder& finder() const { return finder_; }

private:
    CaptureFile& file_;
    decode::Decoder& decoder_;
    DatagramFinder finder_;
    SteadyTime now_{};
};

int finish(const Status& read, const DatagramFinder& finder, Output& output) {
    output.flush();
    if (output.is_closed()) return kExitDone;
    if (output.failure() != 0) {
        complain(fmt::format("cannot write to standard output: {}",
                             std::generic_category().message(output.failure())));
        return kExitFailed;
    }
    warn_of_gaps(finder);
    if (read) return kExitDone;
    complain(read.error().detail);
    return kExitFailed;
}

int print_records(CaptureFile& file) {
    Output output;
    LineSink sink{output.buffer()};
    decode::Decoder decoder{{}, sink};
    Feed feed{file, decoder};
    const Status read = feed.run([&](WallTime time) { sink.received = time; },
                                 [&](const decode::DecodeReport&) { return output.keep_up(); });
    return finish(read, feed.finder(), output);
}

int print_summary(CaptureFile& file) {
    Output output;
    DecodeSummary summary;
    SumSink sink{summary};
    decode::Decoder decoder{{}, sink};
    Feed feed{file, decoder};
    const Status read = feed.run([](WallTime) {},
                                 [&](const decode::DecodeReport& report) {
                                     summary.add(report);
                                     return true;
                                 });
    output.buffer() = summary.json(feed.finder(), decoder);
    return finish(read, feed.finder(), output);
}

}  // namespace

int run_decode(const Invocation& asked) {
    Result<CaptureFile> file = CaptureFile::open(asked.capture);
    if (!file) {
        complain(file.error().detail);
        return kExitFailed;
    }
    return asked.summary ? print_summary(*file) : print_records(*file);
}

}  // namespace cam::app
