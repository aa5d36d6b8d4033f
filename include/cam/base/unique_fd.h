#pragma once

#include <utility>

namespace cam {

/// Owns one file descriptor and closes it. One thread at a time.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, kNone)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = std::exchange(other.fd_, kNone);
        }
        return *this;
    }
    ~UniqueFd() { close(); }

    [[nodiscard]] bool valid() const noexcept { return fd_ != kNone; }
    [[nodiscard]] int get() const noexcept { return fd_; }
    void close() noexcept;

private:
    static constexpr int kNone = -1;
    int fd_ = kNone;
};

}  // namespace cam
