#include "cam/decode/decoder.h"

namespace cam::decode {

const char* name(DropReason reason) {
    switch (reason) {
        case DropReason::kUnknownVersion:
            return "unknown_version";
        case DropReason::kMalformed:
            return "malformed";
        case DropReason::kNoTemplate:
            return "no_template";
        case DropReason::kBadTemplate:
            return "bad_template";
        case DropReason::kTemplateLimit:
            return "template_limit";
        case DropReason::kExporterLimit:
            return "exporter_limit";
        case DropReason::kBudget:
            return "budget";
        case DropReason::kUnsupported:
            return "unsupported";
    }
    return "malformed";
}

}  // namespace cam::decode
