#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cam/base/result.h"
#include "cam/model/maybe_text.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cam::store {

class Database;

/// A prepared statement in use. Its end gives the statement back, reset and with nothing bound. Positions of
/// parameters count from 1, of columns from 0. A failed bind shows at the next step. Owned by the database's
/// thread.
class Query {
public:
    Query(Query&& other) noexcept;
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    Query& operator=(Query&&) = delete;
    ~Query();

    /// Binds a copy.
    Query& text(int at, std::string_view value);
    /// Binds the bytes where they lie: they must stay until the statement is rewound or gone.
    Query& view(int at, std::string_view value);
    Query& maybe_view(int at, MaybeText value);
    Query& number(int at, std::int64_t value);
    /// SQLite's integers are signed: what does not fit is the largest there is.
    Query& count(int at, std::uint64_t value);
    /// What is not a number becomes 0, because SQLite would make it NULL.
    Query& real(int at, double value);
    /// As view(), but bytes that are no text.
    Query& blob_view(int at, std::string_view bytes);
    Query& nothing(int at);

    /// True if there is a row to read, false if the statement is done.
    Result<bool> step();
    /// Steps to the end and rewinds.
    Status run();
    /// Ready for the next execution; what is bound stays bound.
    void rewind();

    [[nodiscard]] int columns() const;
    [[nodiscard]] bool is_null(int column) const;
    /// True for INTEGER and REAL values.
    [[nodiscard]] bool is_number(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    /// What count() wrote; 0 for a negative number.
    [[nodiscard]] std::uint64_t count(int column) const;
    [[nodiscard]] double real(int column) const;
    /// Valid until the next step, rewind or end.
    [[nodiscard]] std::string_view peek(int column) const;
    /// As peek(), but what blob_view() wrote.
    [[nodiscard]] std::string_view peek_blob(int column) const;
    [[nodiscard]] std::optional<std::string> text(int column) const;
    [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const;

private:
    friend class Database;
    Query(Database& database, sqlite3_stmt* statement, bool kept)
        : database_(&database), statement_(statement), kept_(kept) {}
    void note(int rc);

    Database* database_;
    sqlite3_stmt* statement_;
    bool kept_;  ///< the database keeps the statement; otherwise it ends with us
    int failed_ = 0;
};

/// One connection to one SQLite file. Its errors name the file. One thread at a time.
class Database {
public:
    enum class Mode {
        kReadWrite,
        kReadOnly,   ///< takes part in locking; never creates a file
        kImmutable,  ///< no locks: only for a file that nobody writes now
    };
    struct Options {
        std::string path;
        Mode mode = Mode::kReadWrite;
        std::chrono::milliseconds busy{0};
    };

    enum class Work { kSmall, kBulk };
    /// While it lives, bulk work has a larger page cache, and its commit leaves the checkpoint to the small
    /// ones that follow it. Outside of transactions.
    class BulkRoom {
    public:
        BulkRoom(Database& database, Work work);
        BulkRoom(const BulkRoom&) = delete;
        BulkRoom& operator=(const BulkRoom&) = delete;
        ~BulkRoom();

    private:
        Database* database_;  ///< null: small work
    };

    /// kReadWrite makes the file, mode 0640 less the umask, and its folder where they are missing. Reads and
    /// changes no content: a file that is no database shows at the first query.
    static Result<std::unique_ptr<Database>> open(const Options& options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Prepared once per connection and kept. A kept statement can be in use once at a time.
    Result<Query> query(std::string_view sql);
    /// Prepared for this use only.
    Result<Query> prepare(std::string_view sql);
    /// One statement without parameters and without rows of interest.
    Status run(std::string_view sql);
    /// The first column of the first row; nullopt without a row.
    Result<std::optional<std::int64_t>> integer(std::string_view sql);

    /// WAL and synchronous=FULL, kept in the file. Waits for other connections as long as `busy` says.
    Status use_wal();
    /// From here to end_shared_patience() all statements together wait no longer than `busy`; else each of
    /// them may.
    void begin_shared_patience();
    void end_shared_patience() { patience_shared_ = false; }

    [[nodiscard]] std::int64_t last_id() const;
    [[nodiscard]] std::int64_t changes() const;
    [[nodiscard]] bool in_transaction() const;
    [[nodiscard]] const std::string& path() const { return options_.path; }
    [[nodiscard]] Mode mode() const { return options_.mode; }
    /// True if the header says that the file is in WAL mode, read through this connection.
    [[nodiscard]] bool header_says_wal() const;
    /// The size of the file with this ending beside the database, such as `-wal`; nullopt if there is none.
    [[nodiscard]] std::optional<std::uint64_t> size_beside(std::string_view ending) const;

    /// The error of a call that returned `rc`, with SQLite's own words.
    [[nodiscard]] Error error(int rc) const;
    /// An error of ours about this file.
    [[nodiscard]] Error error(ErrorCode code, std::string_view detail) const;

private:
    friend class Query;
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Kept = std::unique_ptr<sqlite3_stmt, Finalize>;

    explicit Database(const Options& options) : options_(options) {}
    Result<sqlite3_stmt*> compile(std::string_view sql, unsigned flags);
    Status configure();
    /// SQLite's busy handler: 1 to try again, 0 to give up.
    static int wait(void* self, int tries);
    bool wait_once(int tries);

    Options options_;
    std::chrono::milliseconds waited_{0};
    bool patience_shared_ = false;
    std::unique_ptr<sqlite3, Close> handle_;
    std::map<std::string, Kept, std::less<>> kept_;  // after handle_: statements go first
};

/// BEGIN IMMEDIATE; rolls back unless committed. One thread at a time.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Status commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;  ///< null once moved from
};

/// `name` as an SQL identifier.
[[nodiscard]] std::string identifier(std::string_view name);

}  // namespace cam::store
