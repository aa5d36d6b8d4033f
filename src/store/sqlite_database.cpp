#include "sqlite_database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"

namespace cam::store {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderMode = 0750;
// The page cache of one connection, in KiB. 10,000 new events dirty some 15 MiB of pages; with less room than
// that SQLite writes hot pages into the WAL again and again.
constexpr std::string_view kSmallCache = "PRAGMA cache_size=-2000";
constexpr std::string_view kBulkCache = "PRAGMA cache_size=-16000";
// Only a new file takes it. An event's row is about 1 KiB; larger pages hold them with less waste than
// SQLite's 4 KiB and take a fifth off the time of a large claim.
constexpr std::string_view kPageSize = "PRAGMA page_size=16384";
// Pages in the WAL after which a commit makes a checkpoint: 4 MiB, and 64 MiB as an emergency brake.
constexpr std::string_view kSmallCheckpoint = "PRAGMA wal_autocheckpoint=250";
constexpr std::string_view kBulkCheckpoint = "PRAGMA wal_autocheckpoint=4000";
constexpr std::string_view kWalFileLimit = "PRAGMA journal_size_limit=16777216";

std::string system_text(int number) {
    return std::error_code(number, std::generic_category()).message();
}

ErrorCode code_of_errno(int number) {
    switch (number) {
        case ENOSPC:
        case EDQUOT:
            return ErrorCode::kFull;
        case EROFS:
        case EACCES:
        case EPERM:
            return ErrorCode::kReadOnly;
        case ENOENT:
            return ErrorCode::kNotFound;
        case ENOTDIR:
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG:
            return ErrorCode::kInvalid;
        default:
            return ErrorCode::kInternal;
    }
}

ErrorCode code_of(int rc, int system_errno) {
    switch (rc & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return ErrorCode::kBusy;
        case SQLITE_FULL:
            return ErrorCode::kFull;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorCode::kCorrupt;
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return ErrorCode::kReadOnly;
        case SQLITE_TOOBIG:
            return ErrorCode::kTooLarge;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return code_of_errno(system_errno);
        default:
            return ErrorCode::kInternal;
    }
}

/// A `file:` URI of any path. A relative one starts with `./`, so that no name is special to SQLite.
std::string uri(const std::string& path, std::string_view parameters) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    std::string made = path.starts_with('/') ? "file://" : "file:./";
    for (const char byte : path) {
        if (kPlain.find(byte) != std::string_view::npos) {
            made += byte;
        } else {
            made += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
        }
    }
    return made.append("?").append(parameters);
}

/// Makes the empty file with its mode if it is missing. mknod, because opening and closing the file here
/// would drop the POSIX locks that other connections of this process hold on it.
Status make_file(const std::string& path) {
    struct stat found {};
    if (stat(path.c_str(), &found) == 0) {
        if (S_ISREG(found.st_mode)) return Done{};
        return Error{ErrorCode::kInvalid, fmt::format("{} is not a regular file", path)};
    }
    if (errno != ENOENT) {
        const int number = errno;
        return Error{code_of_errno(number), fmt::format("{}: {}", path, system_text(number))};
    }
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!folder.empty() && mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        const int number = errno;
        const ErrorCode code = number == ENOENT ? ErrorCode::kInvalid : code_of_errno(number);
        return Error{code, fmt::format("{}: cannot make the folder {}: {}", path, folder.string(),
                                       system_text(number))};
    }
    if (mknod(path.c_str(), S_IFREG | kFileMode, 0) == 0 || errno == EEXIST) return Done{};
    const int number = errno;
    return Error{code_of_errno(number),
                 fmt::format("{}: cannot make the file: {}", path, system_text(number))};
}

Status check_readable(const std::string& path) {
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) {
        const int number = errno;
        const bool missing = number == ENOENT || number == ENOTDIR;
        return Error{missing ? ErrorCode::kNotFound : ErrorCode::kRefused,
                     fmt::format("{}: {}", path, system_text(number))};
    }
    if (S_ISREG(found.st_mode)) return Done{};
    return Error{ErrorCode::kInvalid, fmt::format("{} is not a regular file", path)};
}

std::string_view parameters_of(Database::Mode mode) {
    switch (mode) {
        case Database::Mode::kReadWrite:
            return "mode=rw";
        case Database::Mode::kReadOnly:
            return "mode=ro&readonly_shm=1";
        case Database::Mode::kImmutable:
            return "mode=ro&immutable=1";
    }
    return "mode=ro&immutable=1";
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const {
    sqlite3_close_v2(handle);
}
void Database::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const Options& options) {
    // Before the first connection of the process, or without effect. Else each one begins with room for 20
    // pages, of which those of most threads need a few.
    static const int no_room_ahead = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
    static_cast<void>(no_room_ahead);
    if (options.path.empty() || options.path.find('\0') != std::string::npos) {
        return Error{ErrorCode::kInvalid, "the path of the database is empty or holds a zero byte"};
    }
    const bool writes = options.mode == Mode::kReadWrite;
    if (Status there = writes ? make_file(options.path) : check_readable(options.path); !there) {
        return there.error();
    }
    std::unique_ptr<Database> database(new Database(options));
    sqlite3* handle = nullptr;
    const int flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_URI |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int rc =
        sqlite3_open_v2(uri(options.path, parameters_of(options.mode)).c_str(), &handle, flags, nullptr);
    database->handle_.reset(handle);
    if (rc != SQLITE_OK) {
        if (handle == nullptr) return database->error(ErrorCode::kInternal, "out of memory");
        return database->error(rc);
    }
    if (Status configured = database->configure(); !configured) return configured.error();
    return database;
}

Status Database::configure() {
    sqlite3* handle = handle_.get();
    sqlite3_busy_handler(handle, &Database::wait, this);
    const bool writes = options_.mode == Mode::kReadWrite;
    int rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    if (rc == SQLITE_OK && !writes)
        rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (rc != SQLITE_OK) return error(rc);
    if (writes && sqlite3_db_readonly(handle, "main") == 1) {
        return error(ErrorCode::kReadOnly, "the file is write-protected");
    }
    return Done{};
}

int Database::wait(void* self, int tries) {
    return static_cast<Database*>(self)->wait_once(tries) ? 1 : 0;
}

bool Database::wait_once(int tries) {
    constexpr std::array<int, 6> kWaits{1, 2, 5, 10, 15, 25};
    if (tries == 0 && !patience_shared_) waited_ = std::chrono::milliseconds{0};
    const auto left = options_.busy - waited_;
    if (left <= std::chrono::milliseconds{0}) return false;
    const auto step = static_cast<std::size_t>(std::clamp(tries, 0, static_cast<int>(kWaits.size()) - 1));
    const auto span = std::min(std::chrono::milliseconds{kWaits[step]}, left);
    sqlite3_sleep(static_cast<int>(span.count()));
    waited_ += span;
    return true;
}

void Database::begin_shared_patience() {
    patience_shared_ = true;
    waited_ = std::chrono::milliseconds{0};
}

Result<sqlite3_stmt*> Database::compile(std::string_view sql, unsigned flags) {
    sqlite3_stmt* statement = nullptr;
    const int rc = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), flags,
                                      &statement, nullptr);
    if (rc == SQLITE_OK) return statement;
    // Our statements are right, so a table or a column is not what it should be.
    if (rc == SQLITE_ERROR) return error(ErrorCode::kCorrupt, sqlite3_errmsg(handle_.get()));
    return error(rc);
}

Result<Query> Database::query(std::string_view sql) {
    if (const auto found = kept_.find(sql); found != kept_.end())
        return Query(*this, found->second.get(), true);
    Result<sqlite3_stmt*> statement = compile(sql, SQLITE_PREPARE_PERSISTENT);
    if (!statement) return statement.error();
    const auto [at, inserted] = kept_.emplace(std::string(sql), Kept(*statement));
    check(inserted, "a statement was kept twice");
    return Query(*this, at->second.get(), true);
}

Result<Query> Database::prepare(std::string_view sql) {
    Result<sqlite3_stmt*> statement = compile(sql, 0);
    if (!statement) return statement.error();
    return Query(*this, *statement, false);
}

Status Database::run(std::string_view sql) {
    Result<Query> query = prepare(sql);
    if (!query) return query.error();
    return query->run();
}

Result<std::optional<std::int64_t>> Database::integer(std::string_view sql) {
    Result<Query> query = prepare(sql);
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    if (!*row) return std::optional<std::int64_t>{};
    return std::optional<std::int64_t>{query->integer(0)};
}

Status Database::use_wal() {
    if (Status set = run(kPageSize); !set) return set;
    // SQLite does not always call the busy handler for this one: two connections may switch at the same time.
    for (int tries = 0;; ++tries) {
        Result<Query> query = prepare("PRAGMA journal_mode=WAL");
        if (!query) return query.error();
        const Result<bool> row = query->step();
        if (row && *row) {
            if (query->peek(0) == "wal") break;
            return error(ErrorCode::kRefused, "the file system cannot hold a database in WAL mode");
        }
        if (row) return error(ErrorCode::kInternal, "PRAGMA journal_mode gave no answer");
        if (row.error().code != ErrorCode::kBusy || !wait_once(tries)) return row.error();
    }
    for (const std::string_view setting :
         {std::string_view{"PRAGMA synchronous=FULL"}, kSmallCache, kSmallCheckpoint, kWalFileLimit}) {
        if (Status set = run(setting); !set) return set;
    }
    return Done{};
}

// A setting that fails costs time, not correctness.
Database::BulkRoom::BulkRoom(Database& database, Work work)
    : database_(work == Work::kBulk ? &database : nullptr) {
    if (database_ == nullptr) return;
    static_cast<void>(database_->run(kBulkCache));
    static_cast<void>(database_->run(kBulkCheckpoint));
}

Database::BulkRoom::~BulkRoom() {
    if (database_ == nullptr) return;
    static_cast<void>(database_->run(kSmallCache));
    static_cast<void>(database_->run(kSmallCheckpoint));
    // The pages were needed for this work; the next one finds them in the kernel's cache.
    static_cast<void>(sqlite3_db_release_memory(database_->handle_.get()));
}

std::int64_t Database::last_id() const {
    return sqlite3_last_insert_rowid(handle_.get());
}
std::int64_t Database::changes() const {
    return sqlite3_changes64(handle_.get());
}
bool Database::in_transaction() const {
    return sqlite3_get_autocommit(handle_.get()) == 0;
}

bool Database::header_says_wal() const {
    constexpr sqlite3_int64 kReadVersionAt = 19;
    constexpr unsigned char kWal = 2;
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
        return false;
    if (file == nullptr || file->pMethods == nullptr) return false;
    unsigned char version = 0;
    return file->pMethods->xRead(file, &version, 1, kReadVersionAt) == SQLITE_OK && version == kWal;
}

std::optional<std::uint64_t> Database::size_beside(std::string_view ending) const {
    // SQLite's name of the file: symbolic links are resolved.
    const char* name = sqlite3_db_filename(handle_.get(), "main");
    struct stat found {};
    if (name == nullptr || stat(std::string(name).append(ending).c_str(), &found) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(found.st_size);
}

Error Database::error(int rc) const {
    const int number = sqlite3_system_errno(handle_.get());
    const int kind = rc & 0xff;
    const bool about_system = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN;
    const std::string cause = about_system && number != 0 ? ": " + system_text(number) : "";
    // The code is stale where the handle's last call was another one; then only the code itself has words.
    const char* words =
        sqlite3_extended_errcode(handle_.get()) == rc ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(rc);
    return Error{code_of(rc, number), fmt::format("{}: {}{} (sqlite {})", options_.path, words, cause, rc)};
}

Error Database::error(ErrorCode code, std::string_view detail) const {
    return Error{code, fmt::format("{}: {}", options_.path, detail)};
}

Result<Transaction> Transaction::begin(Database& database) {
    Result<Query> begin = database.query("BEGIN IMMEDIATE");
    if (!begin) return begin.error();
    if (Status begun = begin->run(); !begun) return begun.error();
    return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
    // After some errors SQLite has rolled back already.
    if (database_ == nullptr || !database_->in_transaction()) return;
    if (Result<Query> rollback = database_->query("ROLLBACK")) static_cast<void>(rollback->run());
}

Status Transaction::commit() {
    Result<Query> commit = database_->query("COMMIT");
    if (!commit) return commit.error();
    return commit->run();
}

std::string identifier(std::string_view name) {
    std::string quoted = "\"";
    for (const char byte : name) {
        if (byte == '"') quoted += '"';
        quoted += byte;
    }
    return quoted += '"';
}

}  // namespace cam::store
