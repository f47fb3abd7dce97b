// Store::check: a healthy store is clean, and one flipped bit in an object of each kind is named.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "rights/rights_fixture.h"
#include "storage/data_file.h"

namespace efface::test {
namespace {

using KeyIs = std::function<bool(Bytes key)>;

KeyIs begins_with(char kind, std::size_t size) {
  return [=](Bytes key) { return key.size() == size && key[0] == static_cast<std::byte>(kind); };
}

// A node of a tree above all tenants, or of one of theirs.
KeyIs node_of(bool top) {
  return [=](Bytes key) {
    const bool of_top =
        std::ranges::all_of(key.subspan(1, 4), [](std::byte b) { return b == std::byte{}; });
    return key.size() == 10 && key[0] == std::byte{'n'} && of_top == top;
  };
}

KeyIs record_of(std::size_t key_bytes) {
  return [=](Bytes key) { return key.size() == key_bytes; };
}

class Check : public RightsTest {
 protected:
  void SetUp() override {
    RightsTest::SetUp();
    const Subject alice = enrol("alice");
    const Subject bob = enrol("bob");
    grant(alice);
    put(alice, "news", "a", "x");
    put(alice, "ratings", "b", "y");
    put(bob, "logs", "c", "z");
    ASSERT_TRUE(tenant_->restrict(alice));
    put(enrol("eve"), "ratings", "d", "gone");
    ASSERT_TRUE(tenant_->erase(find("eve")));
  }

  CheckReport check() {
    auto report = store_->check();
    EXPECT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
    return report ? *report : CheckReport{};
  }
  std::uint64_t damaged(std::string_view what) {
    std::uint64_t count = 0;
    for (const Damage& found : check().damage)
      if (found.what == what && found.region == "eu") count += found.count;
    return count;
  }

  std::filesystem::path directory(std::string_view environment) {
    return home_ / "store" / "eu" / environment;
  }

  // Where the last byte of a value lies whose key is that.
  std::size_t place_of(std::string_view environment, const KeyIs& is) {
    const Image image = Image::of(directory(environment));
    for (const std::size_t page : image.structure()) {
      if (page < 2 * Image::page_bytes || image.get<std::uint16_t>(page + 10) != 2) continue;
      for (std::size_t k = 0; k < image.keys(page); ++k) {
        const std::size_t key_bytes = image.get<std::uint16_t>(image.node(page, k) + 6);
        const Bytes key = Bytes(image.bytes).subspan(image.key(page, k), key_bytes);
        if (image.get<std::uint16_t>(image.node(page, k) + 4) != 0 || !is(key)) continue;
        const std::size_t value_bytes = image.get<std::uint16_t>(image.node(page, k));
        return image.value(page, k) + value_bytes - 1;
      }
    }
    ADD_FAILURE() << "there is no such object";
    return 0;
  }

  static void flip(const std::filesystem::path& file, std::size_t at) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    char byte = 0;
    ASSERT_EQ(::pread(fd, &byte, 1, static_cast<off_t>(at)), 1);
    byte = static_cast<char>(byte ^ 4);
    ASSERT_EQ(::pwrite(fd, &byte, 1, static_cast<off_t>(at)), 1);
    ::close(fd);
  }

  // Damaged while it is open, as a disk would; named; and well again when it is mended.
  void expect_named(std::string_view what, std::string_view environment, const KeyIs& is) {
    const std::size_t at = place_of(environment, is);
    const auto file = directory(environment) / "data.mdb";
    flip(file, at);
    EXPECT_GE(damaged(what), 1u) << what;
    flip(file, at);
    EXPECT_TRUE(check().clean()) << what;
  }
};

TEST_F(Check, FindsNothingInAHealthyStoreAndCountsWhatItOpened) {
  const CheckReport report = check();
  EXPECT_TRUE(report.clean());
  for (const Damage& found : report.damage) ADD_FAILURE() << found.what << ' ' << found.count;
  EXPECT_EQ(report.people, 2u);
  EXPECT_EQ(report.tenants, 2u);  // One, in two regions.
  EXPECT_EQ(report.nodes, 6u);
  EXPECT_GT(report.files, 0u);
  EXPECT_EQ(report.records, 3u + 2u + 3u);  // With ids, and summaries of scopes.
  EXPECT_GT(report.unswept, 0u);
  EXPECT_GT(report.entries, 5u);
  maintain();
  EXPECT_EQ(check().unswept, 0u);
  EXPECT_TRUE(check().clean());
}

TEST_F(Check, FindsNothingWrongWithARecordOfSeveralPeople) {
  const Subject dan = enrol("dan");
  const Subject fay = enrol("fay");
  const Subject* const both[] = {&dan, &fay};
  for (const auto& [sharing, name] : {std::pair(Sharing::any, "any"), {Sharing::all, "all"}})
    ASSERT_TRUE(
        activity("ratings").put_shared(both, sharing, RecordName(name), as_bytes("theirs")));
  const CheckReport report = check();
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.shared, 2u);
}

TEST_F(Check, TellsHowFarItIs) {
  std::uint64_t last = 0;
  ASSERT_TRUE(store_->check([&](std::uint64_t looked_at) {
    EXPECT_GE(looked_at, last);
    last = looked_at;
  }));
  EXPECT_GT(last, 0u);
}

TEST_F(Check, IsCleanWhereAnythingHasHappened) {
  const Subject bob = find("bob");
  const Subject carol = enrol("carol");
  put(bob, "ratings", "e", "old");
  put(bob, "ratings", "e", "new");
  ASSERT_TRUE(tenant_->withdraw(find("alice"), purpose("news")));
  ASSERT_TRUE(tenant_->suppress(SubjectId("mallory")));
  EXPECT_TRUE(check().clean());
  advance(Days(40));
  maintain();
  EXPECT_TRUE(check().clean());
  for (int i = 0; i < 300; ++i) enrol("p" + std::to_string(i));
  EXPECT_TRUE(check().clean());
  EXPECT_EQ(check().people, 303u);
  EXPECT_GT(check().nodes, 6u);
}

TEST_F(Check, NamesADamagedNode) {
  expect_named("node", "keyring", node_of(true));
  expect_named("node", "keyring", node_of(false));
}

TEST_F(Check, NamesDamagedTermsOfATenant) { expect_named("terms", "keyring", begins_with('t', 5)); }

TEST_F(Check, NamesADamagedFileOnAPerson) { expect_named("file", "keyring", begins_with('d', 21)); }

TEST_F(Check, NamesADamagedRecord) {
  maintain();  // What is left is of the living.
  expect_named("record", "records", record_of(32));
}

TEST_F(Check, NamesADamagedRecordOfSeveralPeople) {
  const Subject zoe = enrol("zoe");
  const Subject bob = find("bob");
  const Subject* both[] = {&zoe, &bob};
  ASSERT_TRUE(
      activity("ratings").put_shared(both, Sharing::any, RecordName("s"), as_bytes("ours")));
  EXPECT_EQ(check().shared, 1u);
  expect_named("shared_record", "records",
               [](Bytes key) { return key.size() == 24 && as_text(key.first(5)) == "group"; });
}

TEST_F(Check, NamesADamagedNote) {
  IncidentTerms terms;
  terms.exposed = Exposed{.records = true};
  terms.reference = "case 17";
  terms.from = terms.until = terms.discovered = std::chrono::system_clock::now();
  ASSERT_TRUE(store_->open_incident(terms, Actor("security")));
  expect_named("note", "keyring", begins_with('b', 9));
}

// Whatever moves while it looks: nothing is counted as damage that is none.
TEST_F(Check, IsCleanBesideWhoMaintainsErasesAndOffboards) {
  std::atomic<bool> done{false};
  std::thread working([&] {
    const Region regions[] = {*eu_};
    for (int round = 0; round < 12; ++round) {
      const Subject zoe = enrol("zoe");
      put(zoe, "ratings", "r", "one");
      put(zoe, "ratings", "r", "two");
      EXPECT_TRUE(activity("ratings").remove(zoe, RecordName("r"), Shred::now));
      maintain();
      EXPECT_TRUE(tenant_->erase(find("zoe")));
      Tenant passing = store_->declare_tenant("passing", regions, Actor("test")).value();
      EXPECT_TRUE(passing.enrol(SubjectId("p"), *eu_));
      const auto plan = store_->prepare_offboard(passing);
      EXPECT_TRUE(plan && store_->offboard(std::move(passing), plan->token));
      maintain();
    }
    done = true;
  });
  int looked = 0;
  while (!done || looked == 0) {
    const CheckReport report = check();
    for (const Damage& found : report.damage) ADD_FAILURE() << found.what << ' ' << found.count;
    ++looked;
  }
  working.join();
}

TEST_F(Check, NamesADamagedEntryOfTheLedger) {
  expect_named("ledger_chain", "keyring", begins_with('l', 9));
  expect_named("ledger_copy", "keyring", begins_with('l', 9));
  expect_named("ledger_tree", "keyring", begins_with('l', 9));
}

TEST_F(Check, NamesADamagedHeadOfTheLedger) {
  expect_named("ledger_tree", "keyring", [](Bytes key) {
    return key.size() == 2 && key[0] == std::byte{'m'} && key[1] == std::byte{'l'};
  });
}

TEST_F(Check, NamesADamagedCopyOfTheLedger) {
  const auto copy = home_ / "store" / "eu" / "ledger";
  flip(copy, 60);
  EXPECT_EQ(damaged("ledger_copy"), 1u);
  flip(copy, 60);
  EXPECT_TRUE(check().clean());
}

TEST_F(Check, NamesRecordsThatAreNobodysAndThatNothingSweeps) {
  const std::size_t at = place_of("keyring", begins_with('q', 9));
  // The handle that was to be swept is another then.
  flip(directory("keyring") / "data.mdb", at);
  EXPECT_GE(damaged("stray_record"), 1u);
  flip(directory("keyring") / "data.mdb", at);
  EXPECT_TRUE(check().clean());
}

}  // namespace
}  // namespace efface::test
