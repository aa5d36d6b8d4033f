#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "app/files.h"
#include "cam/base/guarded.h"
#include "cam/base/result.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Connections to the database for callers on several threads, which use one each at a time; opened when
/// needed, some kept for the next. Only of the file that lay there when the pool was made: the `-wal` of a
/// lost one would destroy the next (see DatabaseWatch). Safe from any thread.
template <typename Store>
class StorePool {
public:
    explicit StorePool(store::SqliteStore::Options options)
        : options_(std::move(options)), file_(file_at(options_.path)) {}

    /// What `use` makes of a connection, or why there is none. `use` takes `Store&` and returns a Result.
    template <typename Use>
    auto with(Use&& use) -> decltype(use(std::declval<Store&>())) {
        auto taken = take();
        if (!taken) return taken.error();
        auto result = std::forward<Use>(use)(**taken);
        // After a failure the next caller gets a fresh connection; that there is no such row is none.
        if (result || is_answer(result.error().code)) give_back(std::move(*taken));
        return result;
    }

private:
    static constexpr std::size_t kKept = 4;

    static bool is_answer(ErrorCode code) {
        return code == ErrorCode::kNotFound || code == ErrorCode::kExists || code == ErrorCode::kInvalid;
    }

    Result<std::unique_ptr<Store>> take() {
        std::unique_ptr<Store> kept = idle_.with([](auto& idle) {
            std::unique_ptr<Store> one;
            if (!idle.empty()) {
                one = std::move(idle.back());
                idle.pop_back();
            }
            return one;
        });
        if (kept) return kept;
        const auto there = file_at(options_.path);
        if (file_ && *file_ && there && *there != *file_)
            return Error{ErrorCode::kBusy, "the database file was removed or replaced"};
        return Store::open(options_);
    }
    void give_back(std::unique_ptr<Store> store) {
        idle_.with([&](auto& idle) {
            if (idle.size() < kKept) idle.push_back(std::move(store));
        });
    }

    store::SqliteStore::Options options_;
    Result<std::optional<FileIdentity>> file_;
    Guarded<std::vector<std::unique_ptr<Store>>> idle_;
};

}  // namespace cam::app
