#pragma once

#include <string>
#include <utility>
#include <variant>

#include "cam/base/check.h"

namespace cam {

/// What kind of failure it was. Code branches on this, never on the text.
enum class ErrorCode {
    kInvalid,      ///< the input is wrong and stays wrong
    kNotFound,     ///< a file, a row or a name does not exist
    kTimeout,      ///< the deadline passed; the other side may or may not have acted
    kUnreachable,  ///< no connection could be made (name, route, refused)
    kBroken,       ///< the connection or the answer broke off in the middle
    kTls,          ///< the peer's certificate or the handshake was refused
    kTooLarge,     ///< over a size limit of ours
    kCancelled,    ///< we were asked to stop
    kRefused,      ///< the other side answered, and the answer is no
    kBusy,         ///< locked by somebody else for longer than we wait
    kFull,         ///< no room: disk or quota
    kCorrupt,      ///< stored data are damaged
    kReadOnly,     ///< the place may not be written
    kExists,       ///< something else has this name or key already
    kNewer,        ///< made by a newer version than this one
    kInternal,     ///< a library failed in a way that has no better name
};

/// An expected failure: a code to branch on and one line for a person. The detail never holds a secret.
struct Error {
    ErrorCode code;
    std::string detail;
};

/// A value or the reason why there is none. Reading the wrong half is a bug and stops the process.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & {
        check(has_value(), "value() of a failed Result");
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] const T& value() const& {
        check(has_value(), "value() of a failed Result");
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] T&& value() && {
        check(has_value(), "value() of a failed Result");
        return std::move(*std::get_if<0>(&state_));
    }
    [[nodiscard]] const E& error() const& {
        check(!has_value(), "error() of a successful Result");
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] E&& error() && {
        check(!has_value(), "error() of a successful Result");
        return std::move(*std::get_if<1>(&state_));
    }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] const T* operator->() const { return &value(); }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] const T& operator*() const& { return value(); }
    [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }

private:
    std::variant<T, E> state_;
};

struct Done {};
/// Success without a value, or an Error. `return Done{};` says yes.
using Status = Result<Done>;

}  // namespace cam
