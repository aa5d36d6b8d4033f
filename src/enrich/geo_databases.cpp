#include "cam/enrich/geo_databases.h"

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <system_error>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/guarded.h"
#include "enrich/file_signature.h"
#include "enrich/geo_file.h"
#include "enrich/private_copy.h"

namespace cam::enrich {
namespace {

using Database = std::shared_ptr<const GeoFile>;

constexpr const char* kStaysInUse = "; the database that was there stays in use";

/// One list of candidates and the database that is in use. One thread at a time.
class Slot {
public:
    Slot(GeoKind kind, const std::vector<std::string>& paths, const std::string& scratch_folder)
        : kind_(kind), scratch_folder_(scratch_folder) {
        for (const std::string& path : paths) candidates_.push_back({.path = path, .refused = {}});
    }

    /// Looks at the candidates down to the one in use, best first, and opens the first that is good. Those
    /// below the one in use are never asked: a file that vanished or is half-written comes back as a rule,
    /// and an answer that flaps between two editions helps nobody. True if another file is open now.
    bool refresh(std::vector<std::string>& problems) {
        if (candidates_.empty()) return false;
        const std::size_t known_problems = problems.size();
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
            const bool in_use = is_in_use(candidates_[i]);
            switch (look_at(candidates_[i], problems)) {
                case Outcome::kOpened:
                    chosen_ = i;
                    return true;
                case Outcome::kUnchanged:
                    return false;
                case Outcome::kAbsent:
                    if (in_use) {
                        problems.push_back(candidates_[i].path + ": is gone" + kStaysInUse);
                        return false;
                    }
                    break;
                case Outcome::kBad:
                    if (in_use) return false;
                    break;
            }
        }
        if (problems.size() == known_problems) problems.push_back(nothing_found());
        return false;
    }

    [[nodiscard]] const Database& database() const { return database_; }
    [[nodiscard]] std::optional<GeoEdition> edition() const {
        if (database_ == nullptr) return std::nullopt;
        return GeoEdition{
            .type = database_->type(), .built = database_->built(), .path = candidates_[chosen_].path};
    }

private:
    enum class Outcome { kOpened, kUnchanged, kAbsent, kBad };
    struct Refusal {
        FileSignature signature;
        std::string problem;
    };
    struct Candidate {
        std::string path;
        std::optional<Refusal> refused;  ///< why this state of the file is not read again
    };

    [[nodiscard]] bool is_in_use(const Candidate& candidate) const {
        return database_ != nullptr && &candidate == &candidates_[chosen_];
    }

    Outcome look_at(Candidate& candidate, std::vector<std::string>& problems) {
        struct stat status {};
        if (::stat(candidate.path.c_str(), &status) != 0) {
            const int error = errno;
            candidate.refused.reset();
            if (error == ENOENT || error == ENOTDIR) return Outcome::kAbsent;
            problems.push_back(fmt::format("{}: cannot be examined: {}", candidate.path,
                                           std::generic_category().message(error)));
            return Outcome::kBad;
        }
        const FileSignature signature = FileSignature::of(status);
        if (is_in_use(candidate) && signature == signature_ && shared_because_.empty())
            return Outcome::kUnchanged;
        if (candidate.refused && candidate.refused->signature == signature) {
            problems.push_back(candidate.refused->problem);
            return Outcome::kBad;
        }
        return open(candidate, problems);
    }

    Outcome open(Candidate& candidate, std::vector<std::string>& problems) {
        candidate.refused.reset();
        const auto refuse = [&](const Error& why) {
            problems.push_back(
                fmt::format("{}: {}{}", candidate.path, why.detail, is_in_use(candidate) ? kStaysInUse : ""));
            return Outcome::kBad;
        };
        const Result<SourceFile> source = open_source(candidate.path);
        if (!source)
            return source.error().code == ErrorCode::kNotFound ? Outcome::kAbsent : refuse(source.error());
        const Result<UniqueFd> copy = copy_privately(*source, scratch_folder_);
        if (!copy && (copy.error().code == ErrorCode::kBusy || has_private_copy()))
            return refuse(copy.error());
        if (!copy && is_in_use(candidate) && source->signature == signature_) {
            problems.push_back(shared_because_);
            return Outcome::kUnchanged;
        }
        Result<Database> opened = GeoFile::open(copy ? *copy : source->fd, kind_);
        if (!opened) {
            const Outcome outcome = refuse(opened.error());
            if (opened.error().code == ErrorCode::kInvalid) {
                candidate.refused = Refusal{.signature = source->signature, .problem = problems.back()};
            }
            return outcome;
        }
        database_ = std::move(*opened);
        signature_ = source->signature;
        shared_because_.clear();
        if (!copy) {
            shared_because_ =
                fmt::format("{}: used without a private copy ({}); do not overwrite it in place",
                            candidate.path, copy.error().detail);
            problems.push_back(shared_because_);
        }
        return Outcome::kOpened;
    }

    /// Without room for a copy the file itself is better than no database, and than another one that is no
    /// copy either. A private copy stays in use instead: an older answer is better than a process killed by
    /// SIGBUS when somebody truncates the file.
    [[nodiscard]] bool has_private_copy() const { return database_ != nullptr && shared_because_.empty(); }

    [[nodiscard]] std::string nothing_found() const {
        std::string line =
            kind_ == GeoKind::kCity ? "no city database: none of " : "no ASN database: none of ";
        for (const Candidate& candidate : candidates_) {
            if (&candidate != &candidates_.front()) line += ", ";
            line += candidate.path;
        }
        return line + " exists";
    }

    GeoKind kind_;
    std::string scratch_folder_;
    std::vector<Candidate> candidates_;
    std::size_t chosen_ = 0;  ///< candidate in use, while there is a database
    Database database_;
    FileSignature signature_;     ///< of the file that `database_` was read from
    std::string shared_because_;  ///< the problem that kept it from being copied; empty: it was
};

/// What a look-up reads.
struct Databases {
    Database city;
    Database asn;
};

}  // namespace

struct GeoDatabases::State {
    explicit State(const Options& options)
        : city(GeoKind::kCity, options.city, options.scratch_folder),
          asn(GeoKind::kAsn, options.asn, options.scratch_folder) {}

    /// Held while files are read, on purpose: refreshes must not overtake each other, and no look-up ever
    /// takes it.
    std::mutex refreshing;
    Slot city;
    Slot asn;
    Guarded<Databases> current;
    Guarded<GeoState> in_use;  ///< the editions alone
    std::atomic<std::uint64_t> failed{0};
};

GeoDatabases::GeoDatabases(Options options) : state_(std::make_unique<State>(options)) {}

GeoDatabases::~GeoDatabases() = default;

GeoState GeoDatabases::refresh() {
    const std::lock_guard lock(state_->refreshing);
    GeoState state;
    const bool city_changed = state_->city.refresh(state.problems);
    const bool asn_changed = state_->asn.refresh(state.problems);
    state.city = state_->city.edition();
    state.asn = state_->asn.edition();
    state.changed = city_changed || asn_changed;
    if (state.changed) {
        Databases next{.city = state_->city.database(), .asn = state_->asn.database()};
        // The old ones leave with `next`, outside the lock.
        state_->current.with([&next](Databases& current) { std::swap(current, next); });
        state_->in_use.with([&state](GeoState& in_use) {
            in_use.city = state.city;
            in_use.asn = state.asn;
        });
    }
    return state;
}

GeoState GeoDatabases::in_use() const {
    return state_->in_use.with([](const GeoState& in_use) { return in_use; });
}

Place GeoDatabases::find(const IpAddress& address) const {
    const Databases databases = state_->current.with([](const Databases& current) { return current; });
    Place place;
    const bool city_intact = databases.city == nullptr || databases.city->describe(address, place);
    const bool asn_intact = databases.asn == nullptr || databases.asn->describe(address, place);
    if (!city_intact || !asn_intact) state_->failed.fetch_add(1, std::memory_order_relaxed);
    return place;
}

std::uint64_t GeoDatabases::failed_lookups() const {
    return state_->failed.load(std::memory_order_relaxed);
}

}  // namespace cam::enrich
