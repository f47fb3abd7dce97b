// docs/examples/sealed_postgres.cc, a shop that keeps sealed orders in PostgreSQL, over a server of
// the test's own. A customer is erased in efface; everything that PostgreSQL and its operator have
// kept is tried after that. Nothing of it has to change: her bytes stay, and open nowhere.
//
// The orders are placed, copied, erased and shown once, and looked at by every test.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "demo/byte_search.h"
#include "support/postgresql.h"
#include "support/temp_directory.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

// Stands in each of her orders; and, for the control, in clear in a table beside them.
constexpr const char* hers = "oolong-7Qz3Vw9K";
constexpr const char* control = "assam-4Hn8Xr2T";

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

// What the command prints; with its status where that is not 0.
std::string run(const Words& words) {
  std::string command;
  for (const std::string& word : words) command += "'" + word + "' ";
  std::FILE* const pipe = ::popen((command + "2>&1").c_str(), "r");
  std::string said;
  std::array<char, 256> some{};
  while (pipe != nullptr && std::fgets(some.data(), some.size(), pipe) != nullptr)
    said += some.data();
  const int status = pipe == nullptr ? -1 : ::pclose(pipe);
  return status == 0 ? said : said + "status " + std::to_string(status) + "\n";
}

// The first column of the answer, as bytes. The parameter, if there is one, is bound.
Words ask(const std::string& connection, const char* sql, const char* parameter = nullptr) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> database(PQconnectdb(connection.c_str()),
                                                            PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(
      PQexecParams(database.get(), sql, parameter == nullptr ? 0 : 1, nullptr, &parameter, nullptr,
                   nullptr, 1),
      PQclear);
  const ExecStatusType status = PQresultStatus(answer.get());
  EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) << sql;
  Words column;
  for (int row = 0; row < PQntuples(answer.get()); ++row)
    column.emplace_back(PQgetvalue(answer.get(), row, 0),
                        static_cast<std::size_t>(PQgetlength(answer.get(), row, 0)));
  return column;
}

std::size_t hits(const fs::path& directory, const Words& needles) {
  return demo::search_files(directory, needles).hits;
}

// The orders of customers 1 and 2, as the shop shows them.
struct Shown {
  std::string erased;
  std::string other;
};

class Story {
 public:
  Story() {
    start();
    place_orders();
    copy_everything();
    before = show(now_, *server_);
    said_by_erasing = shop(now_, *server_, {"erase", "1"});
    after = show(now_, *server_);
    shop(now_, *server_, {"place", "9", "1", "delivery", "lemonade"});
    back_again = show(now_, *server_);
    rows_left = ask(server_->connection(), "select 1 from orders where customer_row = 1").size();
    open_what_was_copied();
    old_server_.reset();
    server_.reset();
  }

  // Below this: data, its files; output, its log, of every statement and what was bound to it.
  fs::path live() const { return postgresql_ / "live"; }
  fs::path old() const { return postgresql_ / "old"; }  // As it was before she was erased.
  fs::path dumps() const { return postgresql_ / "dumps"; }
  fs::path all_of_postgresql() const { return postgresql_.path(); }

  Words her_bytes;  // Of each of her orders.
  Shown before, after, back_again;
  std::string said_by_erasing;
  std::size_t rows_left = 0;
  Shown from_the_copy, from_the_dump;
  std::string moved_to_him;  // An order of customer 3, in the database.
  Shown with_the_root_key_of_then;
  std::string with_the_keyring_of_then;

 private:
  void start() {
    for (const char* const name : {"live", "old", "dumps"})
      make_server_directory(postgresql_.path(), name);
    server_.emplace(live(), settings());
  }
  static PostgresqlServer::Settings settings() {
    return {"shared_buffers=16MB", "max_connections=10", "log_statement=all", "wal_keep_size=64MB"};
  }

  static std::string shop(const fs::path& efface, const PostgresqlServer& server, const Words& verb,
                          std::string_view database = "postgres") {
    Words words = {EFFACE_SEALED_POSTGRES, efface.string(), server.connection(database)};
    words.insert(words.end(), verb.begin(), verb.end());
    return run(words);
  }
  static Shown show(const fs::path& efface, const PostgresqlServer& server,
                    std::string_view database = "postgres") {
    return {shop(efface, server, {"show", "1"}, database),
            shop(efface, server, {"show", "2"}, database)};
  }

  void place_orders() {
    const std::string tea = hers;
    std::string said = shop(now_, *server_, {"begin"});
    said += shop(now_, *server_, {"place", "1", "1", "delivery", tea});
    said += shop(now_, *server_, {"place", "2", "2", "delivery", "coffee"});
    said += shop(now_, *server_, {"place", "3", "3", "delivery", "cocoa"});
    said += shop(now_, *server_, {"place", "4", "1", "complaints", tea + " was cold"});
    said += shop(now_, *server_, {"place", "5", "2", "complaints", "none"});
    EXPECT_EQ(said, "");
    const std::string all = server_->connection();
    ask(all, "create table clear (note text, bytes bytea)");
    ask(all, "insert into clear values ($1, convert_to($1, 'UTF8'))", control);
    her_bytes = ask(all, "select sealed from orders where customer_row = 1 order by id");
  }

  // The data directory and efface's files while nobody has them open; a dump.
  void copy_everything() {
    const fs::path log = dumps() / "output";
    server_.reset();
    run_to_end({"/bin/cp", "-a", (live() / "data").string(), old().string()}, log);
    fs::copy(now_, then_, fs::copy_options::recursive);
    server_.emplace(live(), settings());
    run_to_end({postgresql_program("pg_dump"), "--dbname", server_->connection(), "--file",
                (dumps() / "dump.sql").string()},
               log);
  }

  void open_what_was_copied() {
    old_server_.emplace(old(), settings());
    from_the_copy = show(now_, *old_server_);
    ask(server_->connection(), "create database restored");
    run_to_end(
        {postgresql_program("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1",
         "--dbname", server_->connection("restored"), "--file", (dumps() / "dump.sql").string()},
        dumps() / "output");
    from_the_dump = show(now_, *server_, "restored");
    ask(server_->connection("restored"), "update orders set customer_row = 2 where id = 3");
    moved_to_him = shop(now_, *server_, {"show", "2"}, "restored");

    const fs::path mixed = efface_ / "mixed";
    fs::copy(then_, mixed, fs::copy_options::recursive);
    fs::copy_file(now_ / "eu.root", mixed / "eu.root", fs::copy_options::overwrite_existing);
    with_the_keyring_of_then = shop(mixed, *old_server_, {"show", "2"});
    with_the_root_key_of_then = show(then_, *old_server_);
  }

  TempDirectory postgresql_{"pg"};
  TempDirectory efface_{"keys"};
  fs::path now_ = efface_ / "now";
  fs::path then_ = efface_ / "then";  // Before she was erased; her root key too.
  std::optional<PostgresqlServer> server_;
  std::optional<PostgresqlServer> old_server_;
};

class SealedPostgres : public testing::Test {
 protected:
  static void SetUpTestSuite() { story_ = std::make_unique<Story>(); }
  static void TearDownTestSuite() { story_.reset(); }

  static inline std::unique_ptr<const Story> story_;
};

std::string all_of_hers() {
  const std::string tea = hers;
  return "1 delivery: " + tea + "\n4 complaints: " + tea + " was cold\n";
}
constexpr const char* all_of_his = "2 delivery: coffee\n5 complaints: none\n";
constexpr const char* none_of_hers = "1 delivery: seal_unknown\n4 complaints: seal_unknown\n";

TEST_F(SealedPostgres, ReadsHerOrdersUntilSheIsErased) {
  EXPECT_EQ(story_->before.erased, all_of_hers());
  EXPECT_EQ(story_->said_by_erasing, "1 erased\n");
  EXPECT_EQ(story_->after.erased, "1 delivery: subject_unknown\n4 complaints: subject_unknown\n");
}

TEST_F(SealedPostgres, ReadsTheOrdersOfOthersAsBefore) {
  EXPECT_EQ(story_->before.other, all_of_his);
  EXPECT_EQ(story_->after.other, all_of_his);
  EXPECT_EQ(story_->back_again.other, all_of_his);
}

TEST_F(SealedPostgres, ReadsNoOldOrderOfHersWhenSheComesBack) {
  EXPECT_EQ(story_->back_again.erased, std::string(none_of_hers) + "9 delivery: lemonade\n");
}

// Without this the others would say nothing: there is something left that could be opened.
TEST_F(SealedPostgres, KeepsHerSealedBytesInRowsWalCopiesLogsAndDumps) {
  EXPECT_EQ(story_->rows_left, 3u);
  ASSERT_EQ(story_->her_bytes.size(), 2u);
  for (const std::string& sealed : story_->her_bytes) {
    EXPECT_GE(hits(story_->live() / "data/base", {sealed}), 1u);
    EXPECT_GE(hits(story_->old() / "data/base", {sealed}), 1u);
    EXPECT_GE(hits(story_->dumps(), {hex_of(sealed)}), 1u);
    EXPECT_GE(hits(story_->live(), {hex_of(sealed)}), 1u);  // What was bound, in its log.
    // A page of the write-ahead log may end within one half.
    const std::size_t half = sealed.size() / 2;
    const Words halves = {sealed.substr(0, half), sealed.substr(half)};
    EXPECT_GE(hits(story_->live() / "data/pg_wal", halves), 1u);
    EXPECT_GE(hits(story_->old() / "data/pg_wal", halves), 1u);
    std::string never = sealed;
    never.back() = static_cast<char>(never.back() ^ 1);
    EXPECT_EQ(hits(story_->all_of_postgresql(), {never, hex_of(never)}), 0u);
  }
}

TEST_F(SealedPostgres, OpensNothingOfHersFromACopyOfTheDataDirectory) {
  EXPECT_EQ(story_->from_the_copy.erased, none_of_hers);
  EXPECT_EQ(story_->from_the_copy.other, all_of_his);
}

TEST_F(SealedPostgres, OpensNothingOfHersFromADump) {
  EXPECT_EQ(story_->from_the_dump.erased, none_of_hers);
  EXPECT_EQ(story_->from_the_dump.other, all_of_his);
}

TEST_F(SealedPostgres, OpensNoOrderForSomebodyToWhomItsRowWasMoved) {
  EXPECT_EQ(story_->moved_to_him,
            "2 delivery: coffee\n3 delivery: seal_unknown\n5 complaints: none\n");
}

TEST_F(SealedPostgres, OpensNothingWithTheKeyringOfThenAndTheRootKeyOfToday) {
  EXPECT_TRUE(story_->with_the_keyring_of_then.find("keyring_stale") != std::string::npos)
      << story_->with_the_keyring_of_then;
}

// The control: what is missing is the root key, which was destroyed. Who kept it against the rules,
// with the keyring of then, reads the copy.
TEST_F(SealedPostgres, OpensTheCopyWithTheRootKeyOfThen) {
  EXPECT_EQ(story_->with_the_root_key_of_then.erased, all_of_hers());
  EXPECT_EQ(story_->with_the_root_key_of_then.other, all_of_his);
}

TEST_F(SealedPostgres, NeverHasHerPlaintextInAFile) {
  EXPECT_EQ(hits(story_->all_of_postgresql(), {hers, hex_of(hers)}), 0u);
  // The same of what is in clear, wherever it could have been.
  const Words clear = {control, hex_of(control)};
  EXPECT_GE(hits(story_->live() / "data/base", clear), 1u);
  EXPECT_GE(hits(story_->live() / "data/pg_wal", clear), 1u);
  EXPECT_GE(hits(story_->old() / "data/base", clear), 1u);
  EXPECT_GE(hits(story_->old() / "data/pg_wal", clear), 1u);
  EXPECT_GE(hits(story_->dumps(), clear), 2u);
  // In the log, where it was bound.
  EXPECT_GT(hits(story_->live(), {control}), hits(story_->live() / "data", {control}));
}

}  // namespace
}  // namespace efface::test
