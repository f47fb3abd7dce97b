// --dry-run: says what would be done, and changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/desk.h"
#include "cli/destroying.h"

namespace {

namespace fs = std::filesystem;
using efface::test::code_of;
using efface::test::content_of;
using efface::test::objects_of;
using efface::test::Ran;
using efface::test::Shop;
using efface::test::write_file;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Words = Shop::Words;

// Two regions, people with something to lose in each way, and a backup.
class DryRun : public ::testing::Test {
 protected:
  DryRun() {
    const std::string eu = in("eu.root");
    const std::string us = in("us.root");
    shop.set("EFFACE_STORE", in("people"));
    shop.set("EFFACE_ROOT_KEY", "eu=" + eu + ":us=" + us);
    done({"init", in("people"), "--region", "eu", "--region", "us"});
    done({"tenant", "add", "acme", "--region", "eu", "--region", "us"});
    done({"purpose", "add", "acme", "ratings", "--basis", "contract"});
    done({"purpose", "add", "acme", "letters", "--basis", "consent"});
    done({"import", "acme", "--region", "eu", "--purpose", "ratings", "--subject", "who", "--name",
          "{n}", "--csv", "-"},
         "who,n\nalice,tea\nbob,tea\ncarol,tea\nheld,tea\n");
    done({"consent", "grant", "acme", "alice", "--purpose", "letters"});
    done({"put", "acme", "alice", "may", "--purpose", "letters"}, "x");
    done({"hold", "add", "acme", "held", "--basis", "tax", "--reason", "r"});
    done({"backup", "make", in("copy")});
    write_file(in("passphrase"), "correct horse\n");
    fs::permissions(in("passphrase"), fs::perms::owner_read | fs::perms::owner_write);
    write_file(in("list"), "alice\nnobody\nheld\nbob\nalice\n");
  }

  std::string in(const char* name) const { return (shop.path() / name).string(); }
  void done(const Words& words, std::string_view input = {}) const {
    const Ran ran = shop.run(words, input);
    EXPECT_EQ(ran.status, 0) << words.at(0) << ": " << ran.err;
  }

  // Every byte below the directory, but for what LMDB notes about who has it open. Of root keys
  // only that they are there: every open, also that of `stat`, makes a fresh spare.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(shop.path())) {
      const std::string name = entry.path().filename().string();
      const bool own = name == "stdin" || name == "stdout" || name == "stderr";
      if (!entry.is_regular_file() || own || name == "lock.mdb") continue;
      const bool root_keys = entry.path().extension() == ".root";
      all[entry.path().string()] = root_keys ? "" : content_of(entry.path());
    }
    return all;
  }

  // With what each verb that destroys is tried.
  std::map<std::string, Words> verbs(const std::string& token = {}) const {
    return {
        {"erase", {"acme", "--from", in("list"), "--journal", in("journal")}},
        {"tenant offboard", {"acme"}},
        {"maintain", {"--residue-window", "0h"}},
        {"retention commit", {"--token", token}},
        {"consent withdraw", {"acme", "alice", "--purpose", "letters"}},
        {"remove", {"acme", "alice", "tea", "--purpose", "ratings", "--shred-now"}},
        {"suppress", {"acme", "bob", "--tickets", in("tickets")}},
        {"merge", {"acme", "alice", "bob"}},
        {"transfer person", {"acme", "alice", "--to", "us", "--basis", "adequacy"}},
        {"hold release", {"acme", "held", "1"}},
        {"root rotate", {"--region", "eu"}},
        {"root migrate", {"--region", "eu", "--to", in("next.root")}},
        {"root passphrase", {"--region", "eu", "--new-passphrase-file", in("passphrase")}},
        {"restore", {"--records", in("copy")}},
    };
  }

  std::string expiry_token() const {
    return json::parse(shop.run({"retention", "plan", "--json"}).out)["token"];
  }

  Shop shop{"dry"};
};

Words split(const std::string& verb) {
  Words words;
  std::istringstream in(verb);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

TEST_F(DryRun, OfEveryVerbThatDestroysSaysSomethingAndChangesNothing) {
  const auto tried = verbs(expiry_token());
  for (const std::string& verb : efface::test::destroying)
    EXPECT_TRUE(tried.contains(verb)) << verb << " is not tried here";
  const auto before = files();
  EXPECT_GT(before.size(), 10u);
  for (const auto& [verb, more] : tried) {
    Words words = split(verb);
    words.insert(words.end(), more.begin(), more.end());
    words.emplace_back("--dry-run");
    const Ran said = shop.run(words);
    EXPECT_EQ(said.status, 0) << verb << ": " << said.err;
    EXPECT_THAT(said.out, HasSubstr("nothing is destroyed")) << verb;
    words.emplace_back("--json");
    const Ran object = shop.run(words);
    EXPECT_EQ(object.status, 0) << verb << ": " << object.err;
    if (verb != "tenant offboard") {
      EXPECT_EQ(objects_of(object).back()["dry_run"], true) << verb;
    }
    for (const auto& [path, content] : files()) {
      ASSERT_TRUE(before.contains(path)) << verb << " made " << path;
      ASSERT_TRUE(before.at(path) == content) << verb << " changed " << path;
    }
    ASSERT_EQ(files().size(), before.size()) << verb;
  }
  // The same without it does change something.
  for (const char* verb : {"consent withdraw", "remove", "suppress", "root rotate", "erase"}) {
    const auto then = files();
    Words words = split(verb);
    words.insert(words.end(), tried.at(verb).begin(), tried.at(verb).end());
    static_cast<void>(shop.run(words));
    EXPECT_NE(files(), then) << verb;
  }
}

TEST_F(DryRun, SaysWhatWouldBeDone) {
  const auto would = [&](const char* verb) {
    Words words = split(verb);
    const Words more = verbs().at(verb);
    words.insert(words.end(), more.begin(), more.end());
    words.emplace_back("--dry-run");
    return shop.run(words).out;
  };
  EXPECT_THAT(would("erase"), StartsWith("would erase 2 people, 1 unknown, 1 on legal hold\n"
                                         "region eu: epoch "));
  EXPECT_THAT(would("erase"), HasSubstr(" would be over; assurance L"));
  EXPECT_THAT(would("erase"), Not(HasSubstr("region us")));
  EXPECT_THAT(would("consent withdraw"),
              StartsWith("would withdraw consent to letters, and destroy what was collected on it: "
                         "1 record\nregion eu: "));
  EXPECT_THAT(would("remove"),
              StartsWith("would remove 1 record, and shred what old copies hold of it\nregion eu"));
  EXPECT_THAT(would("suppress"),
              StartsWith("would suppress 1 id, and erase 1 person\nregion eu: "));
  EXPECT_THAT(would("suppress"), HasSubstr("\nregion us: "));
  EXPECT_THAT(would("hold release"),
              StartsWith("would release hold 1, the last: what only holds kept is destroyed\n"));
  EXPECT_THAT(would("root migrate"), StartsWith("would move the root key, make 1 file for it, "));
  EXPECT_THAT(would("tenant offboard"), HasSubstr("acme: 4 people, 1 on legal hold, in eu, us\n"));
  EXPECT_THAT(would("maintain"), HasSubstr("re-key no scope\n"));
  // What is replaced is residue, and due in a window of none.
  done({"put", "acme", "bob", "tea", "--purpose", "ratings"}, "x");
  done({"erase", "acme", "carol"});
  EXPECT_THAT(
      would("maintain"),
      StartsWith("would work off 1 entry of the queue, destroy 0 expired days, end 0 holds "
                 "by date, re-key scopes with old residue, of at most 1 record\nregion eu"));
}

TEST_F(DryRun, EndsAsTheVerbWouldWhereThatIsRefused) {
  const auto code = [&](Words words) {
    words.emplace_back("--dry-run");
    words.emplace_back("--json");
    return code_of(shop.run(words));
  };
  EXPECT_EQ(code({"remove", "acme", "alice", "none", "--purpose", "ratings"}), "record_unknown");
  EXPECT_EQ(code({"consent", "withdraw", "acme", "bob", "--purpose", "letters"}),
            "consent_missing");
  EXPECT_EQ(code({"consent", "withdraw", "acme", "alice", "--purpose", "ratings"}),
            "basis_differs");
  EXPECT_EQ(code({"merge", "acme", "alice", "held"}), "legal_hold");
  EXPECT_EQ(code({"merge", "acme", "alice", "nobody"}), "subject_unknown");
  EXPECT_EQ(code({"hold", "release", "acme", "held", "2"}), "hold_unknown");
  EXPECT_EQ(code({"transfer", "person", "acme", "held", "--to", "us", "--basis", "adequacy"}),
            "legal_hold");
  EXPECT_EQ(code({"transfer", "person", "acme", "bob", "--to", "eu", "--basis", "adequacy"}),
            "invalid_argument");
  EXPECT_EQ(code({"tenant", "offboard", "acme", "--token", "00"}), "conflict");
  EXPECT_EQ(code({"retention", "commit", "--token", "00"}), "conflict");
  EXPECT_EQ(code({"erase", "umbrella", "alice"}), "tenant_unknown");
  EXPECT_EQ(code({"restore", "--records", in("nowhere")}), "store_missing");
}

}  // namespace
