// Erasing a long list: killed at any point and begun again, it ends as if it had not been.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/desk.h"
#include "efface/receipt.h"
#include "tools/bulk_erase.h"

namespace {

namespace fs = std::filesystem;
using efface::cli::BulkStep;
using efface::test::code_of;
using efface::test::content_of;
using efface::test::Ran;
using efface::test::Shop;
using efface::test::write_file;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Words = Shop::Words;

constexpr std::size_t chunk = 3;

// A store with people, a list of some of them, and what is kept of erasing it.
class Bulk : public ::testing::Test {
 protected:
  Bulk() { shop.open_for_business(); }

  // A list of seven who are there, one of them twice, and one who is not.
  void begin(const std::string& prefix) {
    ids.clear();
    std::string records = "who,n\n" + prefix + "stays,1\n";
    std::string lines;
    for (int i = 0; i < 7; ++i) {
      ids.push_back(prefix + std::to_string(i));
      records += ids.back() + ",1\n";
      lines += ids.back() + '\n';
      if (i == 3) lines += prefix + "nobody\n" + ids[1] + '\n';
    }
    list = (shop.path() / (prefix + "list")).string();
    journal = (shop.path() / (prefix + "journal")).string();
    tickets = (shop.path() / (prefix + "tickets")).string();
    stays = prefix + "stays";
    write_file(list, lines);
    const Ran ran = shop.run({"import", "acme", "--purpose", "ratings", "--subject", "who",
                              "--name", "{n}", "--csv", "-"},
                             records);
    ASSERT_EQ(ran.status, 0) << ran.err;
  }

  Words erase() const {
    return {"erase",  "acme",      "--from", list,      "--journal",          journal,
            "--json", "--tickets", tickets,  "--chunk", std::to_string(chunk)};
  }

  efface::cli::Common common() const {
    efface::cli::Common given;
    given.store = (shop.path() / "people").string();
    given.root_keys = {(shop.path() / "eu.root").string()};
    given.accept_level = "L0";
    return given;
  }

  // The same in a process that is killed when a chunk has that behind it.
  void run_until(BulkStep step, int in_chunk) const {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        const efface::cli::Common given = common();
        efface::cli::Session session(given);
        const efface::Tenant tenant = session.tenant("acme");
        efface::cli::IdList people = efface::cli::IdList::read(of_list());
        people.drop_doubles();
        efface::cli::BulkOptions options;
        options.journal = journal;
        options.tickets = tickets;
        options.chunk_people = chunk;
        int left = in_chunk;
        options.on_step = [&](BulkStep now) {
          if (now == step && --left == 0) ::kill(::getpid(), SIGKILL);
        };
        efface::cli::BulkErasure erasure(session.store(), tenant, people, options);
        efface::cli::Progress progress(true, {"erase", "people"});
        erasure.run(progress);
      } catch (...) {
        ::_exit(9);
      }
      ::_exit(0);
    }
    int state = 0;
    ASSERT_EQ(::waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL) << state;
  }

  efface::cli::ListOptions of_list() const {
    efface::cli::ListOptions given;
    given.from = list;
    return given;
  }

  // Who of the list is there still.
  std::vector<std::string> survivors() const {
    const efface::cli::Common given = common();
    efface::cli::Session session(given);
    const efface::Tenant tenant = session.tenant("acme");
    EXPECT_TRUE(tenant.subject(efface::SubjectId(stays)));
    std::vector<std::string> left;
    for (const std::string& id : ids)
      if (tenant.subject(efface::SubjectId(id))) left.push_back(id);
    return left;
  }

  // How many tickets lead to a receipt that is about the person of that line; none twice.
  std::size_t receipts() const {
    const efface::cli::Common given = common();
    efface::cli::Session session(given);
    const efface::Store& store = session.store();
    const std::string key = store.verifier_key(store.regions().front()).value();
    std::vector<std::string> by_line;
    std::istringstream lines(content_of(list));
    for (std::string line; std::getline(lines, line);) by_line.push_back(line);
    std::map<std::string, int> of;
    std::istringstream kept(content_of(tickets));
    for (std::string line; std::getline(kept, line);) {
      const json ticket = json::parse(line, nullptr, false);
      if (ticket.is_discarded()) {
        ADD_FAILURE() << "a line is no ticket";
        continue;
      }
      const std::string id = by_line.at(ticket["person"].get<std::size_t>() - 1);
      const auto text = store.receipt({ticket["region"], ticket["entry"], 0, {}});
      const auto receipt = efface::verify_receipt(text.value(), key);
      std::string salt;
      const std::string digits = ticket["salt"];
      for (std::size_t i = 0; i < digits.size(); i += 2)
        salt.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
      EXPECT_TRUE(efface::verify_about(receipt.value(), efface::as_bytes(salt), "acme", id));
      EXPECT_EQ(++of[id], 1) << "two tickets of one person";
    }
    return of.size();
  }

  Shop shop{"bulk"};
  std::vector<std::string> ids;
  std::string list, journal, tickets, stays;
};

TEST_F(Bulk, KilledAtAnyPointAndBegunAgainLeavesNobodyAndLosesNoReceipt) {
  int round = 0;
  for (const BulkStep step :
       {BulkStep::tried, BulkStep::erased, BulkStep::ticketed, BulkStep::done})
    for (const int in_chunk : {1, 2}) {
      begin("p" + std::to_string(++round) + "-");
      run_until(step, in_chunk);
      EXPECT_THAT(survivors(), Not(IsEmpty())) << "it was killed in time";
      const Ran again = shop.run(erase());
      ASSERT_EQ(again.status, 0) << again.err;
      const json said = json::parse(again.out);
      EXPECT_EQ(said["erased"], 7);
      EXPECT_EQ(said["unknown"], 1);
      EXPECT_EQ(said["through_line"], 9);
      EXPECT_THAT(survivors(), IsEmpty());
      EXPECT_EQ(receipts(), 7u);
      // No id is in the journal.
      for (const std::string& id : ids) EXPECT_THAT(content_of(journal), Not(HasSubstr(id)));
    }
}

TEST_F(Bulk, BegunAgainAfterItsEndDoesNothingTwice) {
  begin("e-");
  EXPECT_EQ(shop.run(erase()).status, 0);
  const std::string before = content_of(journal) + content_of(tickets);
  const Ran again = shop.run(erase());
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(json::parse(again.out)["erased"], 7);
  EXPECT_EQ(json::parse(again.out)["after_line"], 9);
  EXPECT_EQ(json::parse(again.out)["regions"], json::array());
  EXPECT_EQ(content_of(journal) + content_of(tickets), before);
}

// What a journal that is written before its chunk is erased would do: the test above would see it.
TEST_F(Bulk, LosesSomebodyByAJournalThatSaysTooMuch) {
  begin("d-");
  run_until(BulkStep::done, 1);
  std::ofstream(journal, std::ios::app)
      << R"({"done":{"line":7,"erased":5,"unknown":1,"held":0,"shared":0}})" << '\n';
  EXPECT_EQ(shop.run(erase()).status, 0);
  EXPECT_THAT(survivors(), ElementsAre("d-3", "d-4"));
  EXPECT_EQ(receipts(), 5u);
}

TEST_F(Bulk, GoesOnFromLinesThatWereTorn) {
  for (const bool of_tickets : {false, true}) {
    begin(of_tickets ? "t-" : "j-");
    run_until(of_tickets ? BulkStep::ticketed : BulkStep::done, 2);
    const std::string& torn = of_tickets ? tickets : journal;
    fs::resize_file(torn, fs::file_size(torn) - 5);
    const Ran again = shop.run(erase());
    ASSERT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(json::parse(again.out)["erased"], 7);
    EXPECT_THAT(survivors(), IsEmpty());
    EXPECT_EQ(receipts(), 7u);
  }
}

TEST_F(Bulk, RefusesAJournalOfSomethingElse) {
  begin("o-");
  run_until(BulkStep::erased, 1);
  const auto code = [&](const Words& words) { return code_of(shop.run(words)); };
  // Of another list: a line more, or two that changed places.
  const std::string lines = content_of(list);
  write_file(list, lines + "o-stays\n");
  EXPECT_EQ(code(erase()), "conflict");
  write_file(list, "o-1\no-0\n" + lines.substr(8));
  EXPECT_EQ(code(erase()), "conflict");
  write_file(list, lines);
  // Of another tenant.
  shop.run({"tenant", "add", "umbrella"});
  Words other = erase();
  other[1] = "umbrella";
  EXPECT_EQ(code(other), "conflict");
  // Without the tickets that were kept, or with others.
  Words none = erase();
  none.erase(none.begin() + 7, none.begin() + 9);
  EXPECT_EQ(code(none), "conflict");
  // One that another run has.
  {
    const int fd = ::open(journal.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::flock(fd, LOCK_EX), 0);
    EXPECT_EQ(code(erase()), "busy");
    ::close(fd);
  }
  // None at all.
  const std::string whole = content_of(journal);
  for (const char* text : {"{}\n", "tea\n", "{\"journal\":2}\n"}) {
    write_file(journal, text);
    EXPECT_EQ(code(erase()), "corruption") << text;
  }
  EXPECT_EQ(survivors().size(), 4u);
  write_file(journal, whole);
  EXPECT_EQ(code(erase()), "done");
  EXPECT_THAT(survivors(), IsEmpty());
}

TEST_F(Bulk, RefusesAJournalOfAnotherStore) {
  begin("s-");
  EXPECT_EQ(shop.run(erase()).status, 0);
  const std::string second = (shop.path() / "second").string();
  shop.set("EFFACE_STORE", second);
  shop.set("EFFACE_ROOT_KEY", second + ".root");
  shop.run({"init", second, "--region", "eu", "--root-key", second + ".root"});
  shop.run({"tenant", "add", "acme"});
  EXPECT_EQ(code_of(shop.run(erase())), "conflict");
}

TEST_F(Bulk, TakesAColumnOfCsvAndAFieldOfJson) {
  begin("c-");
  const auto erase_from = [&](const char* format, std::string_view input) {
    return shop.run({"erase", "acme", format, "-", "--subject", "who", "--json"}, input);
  };
  const Ran csv = erase_from("--csv", "n,who\n1,c-0\n2,\"c-1\"\n3,nobody\n");
  EXPECT_EQ(json::parse(csv.out)["erased"], 2);
  EXPECT_EQ(json::parse(csv.out)["unknown"], 1);
  EXPECT_EQ(json::parse(erase_from("--ndjson", "{\"who\":\"c-2\"}\n").out)["erased"], 1);
  EXPECT_THAT(survivors(), ElementsAre("c-3", "c-4", "c-5", "c-6"));
  // A bad line: nobody is erased.
  const Ran bad = erase_from("--csv", "n,who\n1,c-3\n2\n");
  EXPECT_EQ(code_of(bad), "bad_line");
  EXPECT_EQ(json::parse(bad.err)["error"]["line"], 3);
  EXPECT_EQ(survivors().size(), 4u);
}

TEST_F(Bulk, IsToldWhatItIsGivenAndNotMore) {
  begin("u-");
  for (const Words& more : std::vector<Words>{{},
                                              {"u-0", "--from", list},
                                              {"--from", list, "--csv", list},
                                              {"--csv", list},
                                              {"--from", list, "--subject", "who"},
                                              {"u-0", "--journal", journal},
                                              {"--from", list, "--chunk", "0"},
                                              {"--from", list, "--chunk", "100001"}}) {
    Words words = {"erase", "acme", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(code_of(shop.run(words)), "usage");
  }
  EXPECT_EQ(survivors().size(), 7u);
  EXPECT_FALSE(fs::exists(journal));
}

}  // namespace
