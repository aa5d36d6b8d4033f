#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cam/base/check.h"
#include "cam/decode/decoder.h"

namespace {

using cam::check;
using namespace cam::decode;

class NoSink final : public FlowSink {
public:
    void take(const cam::ExporterKey&, std::span<const cam::FlowRecord>) override {}
};

/// With the checksum that the bytes should have, so that what lies behind it is reached.
std::string sealed(std::string bytes) {
    std::uint64_t sum = 0xcbf29ce484222325ULL;
    for (const char byte : bytes) sum = (sum ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3ULL;
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(sum >> shift & 0xffU));
    return bytes;
}

void restore(const std::string& bytes) {
    const cam::ExporterKey key{cam::IpAddress::v4({192, 0, 2, 1})};
    const cam::SteadyTime now{std::chrono::hours{1}};
    NoSink sink;
    Decoder decoder({}, sink);
    if (!decoder.restore({.exporter = key, .bytes = bytes}, now)) {
        check(decoder.exporters().empty() && decoder.template_count() == 0, "a refused state left something");
        return;
    }
    check(decoder.exporters().size() == 1, "a restored exporter is not known");
    check(decoder.take_changed(1).empty(), "a restored state is no change");
    // What was taken over decodes, whatever the data are.
    for (const std::uint8_t version : {std::uint8_t{9}, std::uint8_t{10}}) {
        std::string datagram(version == 9 ? 20 : 16, '\0');
        datagram[1] = static_cast<char>(version);
        datagram += bytes;
        datagram[3] = static_cast<char>(datagram.size());
        datagram[2] = static_cast<char>(datagram.size() >> 8U);
        const std::vector<std::uint8_t> copy(datagram.begin(), datagram.end());
        decoder.decode(key, copy, cam::WallTime{}, now);
    }
}

}  // namespace

/// A saved state that anybody may have written, as it is and with a right checksum behind it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    restore(bytes);
    restore(sealed(bytes));
    return 0;
}
