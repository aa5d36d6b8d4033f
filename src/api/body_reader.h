#pragma once

#include <cstddef>
#include <string>

#include <httplib.h>

#include "api/http_message.h"
#include "api/request_head.h"
#include "cam/base/result.h"

namespace cam::api {

/// Reads a request's body of at most `most` bytes, however it is framed; else the answer to give, after which
/// the connection is out of step and must be closed. As slow as the stream allows.
[[nodiscard]] Result<std::string, HttpAnswer> read_body(httplib::Stream& stream, const BodyFrame& frame,
                                                        std::size_t most);

/// The answer to a body over the limit.
[[nodiscard]] HttpAnswer too_large(std::size_t most);

}  // namespace cam::api
