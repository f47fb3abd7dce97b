// Writes that are acknowledged ahead of their commit: read at once, refused at once, and durable
// when somebody sees to it.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "support/two_regions.h"

namespace efface::test {
namespace {

constexpr PutOptions relaxed() {
  PutOptions options;
  options.durability = Durability::relaxed;
  return options;
}

class Relaxed : public StoreTest {
 protected:
  Status put(const Subject& subject, std::string_view name, std::string_view value) {
    return activity().put(subject, RecordName(name), as_bytes(value), relaxed());
  }
  std::string get(const Subject& subject, std::string_view name) {
    return text_of(activity().get(subject, RecordName(name)));
  }
  // What a loss of power would leave now: the store and its root key, copied.
  std::string after_loss(std::string_view id, std::string_view name) {
    const std::filesystem::path copy = home_ / ("loss" + std::to_string(++losses_));
    std::filesystem::create_directory(copy);
    std::filesystem::create_directory(copy / "store", home_ / "store");  // With its mode.
    for (const auto& file : std::filesystem::recursive_directory_iterator(home_ / "store")) {
      const auto to = copy / "store" / std::filesystem::relative(file, home_ / "store");
      if (file.is_directory()) {
        std::filesystem::create_directory(to, file.path());
      } else if (file.path().filename() != "lock.mdb") {  // Whose locks go with a reader.
        std::filesystem::copy(file.path(), to);
      }
    }
    std::filesystem::copy(home_ / "root.key", copy / "root.key");
    const auto keys = FileRootKeyStore::open(root_key_options(copy / "root.key"));
    if (!keys) return "no root keys";
    OpenOptions there = options();
    there.directory = copy / "store";
    there.regions = {{"eu", keys->get(), {}}};
    const auto store = Store::open(there);
    if (!store) return std::string("does not open: ") + efface::name(store.error().code());
    const auto tenant = store->tenant("acme", Actor("test"));
    const auto subject = tenant->subject(SubjectId(id));
    if (!subject) return efface::name(subject.error().code());
    const auto reading = tenant->activity(tenant->purpose("ratings").value());
    return text_of(reading->get(*subject, RecordName(name)));
  }

 private:
  int losses_ = 0;
};

TEST_F(Relaxed, PutsAreReadAtOnceAndLostWithTheProcess) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(put(alice, "a", "one"));
  EXPECT_EQ(get(alice, "a"), "one");
  ASSERT_TRUE(put(alice, "a", "two"));
  EXPECT_EQ(get(alice, "a"), "two");
  EXPECT_EQ(after_loss("alice", "a"), "absent");
}

TEST_F(Relaxed, PutsAreDurableOnceSyncHasAnswered) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(put(alice, "a", "one"));
  ASSERT_TRUE(store_->sync());
  EXPECT_EQ(after_loss("alice", "a"), "one");
  EXPECT_TRUE(store_->sync());
}

TEST_F(Relaxed, PutsAreDurableOnceASyncedOneOfTheRegionIs) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(put(alice, "a", "one"));
  ASSERT_TRUE(put(alice, "a", "two"));
  ASSERT_TRUE(activity().put(bob, RecordName("b"), as_bytes("his")));
  EXPECT_EQ(after_loss("alice", "a"), "two");
  ASSERT_TRUE(put(alice, "a", "three"));
  const Subject carol = enrol("carol");
  EXPECT_EQ(after_loss("alice", "a"), "three");
}

TEST_F(Relaxed, PutsDoNotOvertakeAndAreNotOvertaken) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(put(alice, "a", "first"));
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("second")));
  EXPECT_EQ(get(alice, "a"), "second");
  ASSERT_TRUE(put(alice, "a", "third"));
  ASSERT_TRUE(*activity().remove(alice, RecordName("a")));
  EXPECT_EQ(get(alice, "a"), "absent");
  ASSERT_TRUE(put(alice, "a", "fourth"));
  ASSERT_TRUE(
      activity().update(alice, RecordName("a"), [](std::optional<Bytes> present) -> Result<Update> {
        return Update::put(as_bytes(present ? std::string(as_text(*present)) + ", again" : ""));
      }));
  EXPECT_EQ(after_loss("alice", "a"), "fourth, again");
}

TEST_F(Relaxed, PutsAreListedScannedAndCounted) {
  const Subject alice = enrol("alice");
  const std::uint64_t before = store_->stats()->regions[0].records;
  ASSERT_TRUE(put(alice, "b", "2"));
  ASSERT_TRUE(put(alice, "a", "1"));
  std::string listed;
  ASSERT_TRUE(activity().list(alice, {}, [&](std::string_view name) {
    listed += name;
    return Flow::more;
  }));
  EXPECT_EQ(listed, "ab");
  ASSERT_TRUE(put(alice, "c", "3"));
  std::string scanned;
  ASSERT_TRUE(activity().scan(alice, {}, [&](std::string_view, Bytes value) {
    scanned += as_text(value);
    return Flow::more;
  }));
  EXPECT_EQ(scanned, "123");
  ASSERT_TRUE(put(alice, "d", "4"));
  EXPECT_EQ(store_->stats()->regions[0].records, before + 5);  // And what they have in common.
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(Relaxed, PutsAreExportedAndFoundByQuestions) {
  const Subject alice = enrol("alice");
  PutOptions options = relaxed();
  const std::string_view recipients[] = {"postman"};
  options.recipients = recipients;
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("one"), options));
  std::vector<std::string> found;
  ASSERT_TRUE(tenant_->query({.recipient = "postman"}, {},
                             [&](std::string_view id, const Region&) { found.emplace_back(id); }));
  EXPECT_EQ(found, std::vector<std::string>{"alice"});
  ASSERT_TRUE(put(alice, "b", "the other"));
  std::string exported;
  ASSERT_TRUE(tenant_->export_subject(alice, {}, [&](Bytes part) -> Status {
    exported += as_text(part);
    return {};
  }));
  EXPECT_NE(exported.find("postman"), std::string::npos);
  EXPECT_NE(exported.find("\"b\""), std::string::npos);
}

TEST_F(Relaxed, PutsHaveTheSummaryThatSyncedOnesHave) {
  const Subject alice = enrol("alice");
  for (const std::string_view recipient : {"one", "two", "three"}) {
    PutOptions options = relaxed();
    options.recipients = {&recipient, 1};
    ASSERT_TRUE(activity().put(alice, RecordName(recipient), as_bytes("x"), options));
  }
  // Whoever names nobody new waits, with what the others have.
  const std::string_view again[] = {"three"};
  PutOptions repeated = relaxed();
  repeated.recipients = again;
  ASSERT_TRUE(activity().put(alice, RecordName("again"), as_bytes("x"), repeated));
  EXPECT_EQ(after_loss("alice", "three"), "x");
  EXPECT_EQ(after_loss("alice", "again"), "absent");
  PutOptions decided = relaxed();
  decided.automated_decision = true;
  ASSERT_TRUE(activity().put(alice, RecordName("d"), as_bytes("x"), decided));
  ASSERT_TRUE(store_->sync());
  for (const char* recipient : {"one", "two", "three"}) {
    std::size_t people = 0;
    ASSERT_TRUE(tenant_->query({.recipient = recipient}, {},
                               [&](std::string_view, const Region&) { ++people; }));
    EXPECT_EQ(people, 1u);
  }
  std::size_t people = 0;
  ASSERT_TRUE(tenant_->query({.automated_decision = true}, {},
                             [&](std::string_view, const Region&) { ++people; }));
  EXPECT_EQ(people, 1u);
}

TEST_F(Relaxed, ABatchIsAllThereOrNothing) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(activity().put(alice, RecordName("old"), as_bytes("x")));
  Batch batch = activity().batch(region());
  ASSERT_TRUE(batch.put(alice, RecordName("a"), as_bytes("1")));
  ASSERT_TRUE(batch.put(bob, RecordName("b"), as_bytes("2")));
  ASSERT_TRUE(batch.remove(alice, RecordName("old")));
  ASSERT_TRUE(activity().commit(std::move(batch), Durability::relaxed));
  EXPECT_EQ(get(alice, "a"), "1");
  EXPECT_EQ(get(alice, "old"), "absent");
  EXPECT_EQ(after_loss("alice", "old"), "x");
  EXPECT_EQ(after_loss("bob", "b"), "absent");
  ASSERT_TRUE(store_->sync());
  EXPECT_EQ(after_loss("alice", "old"), "absent");
  EXPECT_EQ(after_loss("bob", "b"), "2");
}

TEST_F(Relaxed, PutsAreRefusedAtOnceForWhatSyncedOnesAre) {
  Subject alice = enrol("alice");
  const std::string large(limits::value_bytes_max + 1, 'x');
  EXPECT_EQ(code_of(put(alice, "", "x")), Errc::invalid_argument);
  EXPECT_EQ(code_of(put(alice, "a", large)), Errc::too_large);
  PutOptions longer = relaxed();
  longer.retention = Days(0);
  EXPECT_EQ(code_of(activity().put(alice, RecordName("a"), as_bytes("x"), longer)),
            Errc::invalid_argument);
  PurposeTerms mail;
  mail.name = "mail";
  mail.basis = LegalBasis::consent;
  ASSERT_TRUE(tenant_->declare_purpose(mail));
  EXPECT_EQ(code_of(activity("mail").put(alice, RecordName("a"), as_bytes("x"), relaxed())),
            Errc::consent_missing);
  ASSERT_TRUE(tenant_->restrict(alice));
  EXPECT_EQ(code_of(put(alice, "a", "x")), Errc::restricted);
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  const Subject later = tenant_->subject(SubjectId("alice")).value();
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  EXPECT_EQ(code_of(put(later, "a", "x")), Errc::subject_erased);
  EXPECT_TRUE(store_->sync());
}

TEST_F(Relaxed, PutsToMoreRecipientsThanAScopeMayHaveAreRefusedAtOnce) {
  const Subject alice = enrol("alice");
  Status done;
  for (std::size_t i = 0; done && i <= limits::recipients_per_scope_max; ++i) {
    const std::string recipient = "r" + std::to_string(i);
    const std::string_view one = recipient;
    PutOptions options = relaxed();
    options.recipients = {&one, 1};
    done = activity().put(alice, RecordName("a"), as_bytes("x"), options);
  }
  EXPECT_EQ(code_of(done), Errc::too_large);
  EXPECT_TRUE(store_->sync());
}

TEST_F(Relaxed, PutsThatFindNoRoomAreSyncedAndTakeTheOthersAlong) {
  const Subject alice = enrol("alice");
  for (std::size_t i = 0; i <= limits::relaxed_records_max; ++i)
    ASSERT_TRUE(put(alice, "r" + std::to_string(i), "x"));
  EXPECT_EQ(after_loss("alice", "r0"), "x");
  EXPECT_EQ(after_loss("alice", "r" + std::to_string(limits::relaxed_records_max)), "x");
}

TEST_F(Relaxed, PutsAreDurableWhenTheStoreIsClosed) {
  ASSERT_TRUE(put(enrol("alice"), "a", "one"));
  reopen();
  EXPECT_EQ(get(tenant_->subject(SubjectId("alice")).value(), "a"), "one");
}

TEST_F(Relaxed, PutsAreDurableWhenTheLastHandleGoesAfterTheStore) {
  std::optional<Subject> alice(enrol("alice"));
  std::optional<Activity> writing(activity());
  tenant_.reset();
  ASSERT_TRUE(writing->put(*alice, RecordName("a"), as_bytes("one"), relaxed()));
  store_.reset();
  EXPECT_EQ(after_loss("alice", "a"), "one");
  ASSERT_TRUE(writing->put(*alice, RecordName("b"), as_bytes("two"), relaxed()));
  EXPECT_EQ(after_loss("alice", "b"), "absent");
  writing.reset();
  alice.reset();
  EXPECT_EQ(after_loss("alice", "b"), "two");
  reopen();
}

TEST_F(Relaxed, PutsThatRectifyAndSharedOnesAreSynced) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  PutOptions options = relaxed();
  options.rectifies = true;
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("corrected"), options));
  EXPECT_EQ(after_loss("alice", "a"), "corrected");
  const Subject* both[] = {&alice, &bob};
  ASSERT_TRUE(
      activity().put_shared(both, Sharing::any, RecordName("s"), as_bytes("ours"), relaxed()));
  EXPECT_EQ(after_loss("bob", "s"), "ours");
}

TEST_F(Relaxed, PutsReplaceALinkToAFormerSharedRecord) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const Subject* both[] = {&alice, &bob};
  ASSERT_TRUE(activity().put_shared(both, Sharing::any, RecordName("s"), as_bytes("ours")));
  ASSERT_TRUE(put(alice, "s", "mine"));
  EXPECT_EQ(get(alice, "s"), "mine");
  ASSERT_TRUE(store_->sync());
  EXPECT_EQ(get(alice, "s"), "mine");
  EXPECT_EQ(get(bob, "s"), "ours");
  ASSERT_TRUE(store_->maintain());
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(Relaxed, PutsInAChildOfForkAreRefusedAndItsEndCommitsNothing) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(put(alice, "a", "one"));
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused =
        code_of(put(alice, "b", "x")).has_value() && code_of(store_->sync()) == Errc::forked;
    close();
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(after_loss("alice", "a"), "absent");
  ASSERT_TRUE(store_->sync());
  EXPECT_EQ(after_loss("alice", "a"), "one");
}

TEST_F(Relaxed, PutsAreInABackup) {
  ASSERT_TRUE(put(enrol("alice"), "a", "one"));
  ASSERT_TRUE(store_->backup({home_ / "backup"}));
  EXPECT_EQ(after_loss("alice", "a"), "one");
}

TEST_F(Relaxed, PutsOfManyThreadsAllCount) {
  constexpr int threads = 4;
  constexpr int each = 400;
  std::vector<Subject> subjects;
  for (int t = 0; t < threads; ++t) subjects.push_back(enrol("p" + std::to_string(t)));
  const Activity writing = activity();
  {
    std::vector<std::jthread> running;
    for (int t = 0; t < threads; ++t)
      running.emplace_back([&, t] {
        const Subject& own = subjects[static_cast<std::size_t>(t)];
        for (int i = 0; i < each; ++i) {
          const std::string text = std::to_string(i);
          EXPECT_TRUE(
              writing.put(own, RecordName("n" + std::to_string(i % 7)), as_bytes(text), relaxed()));
          EXPECT_EQ(text_of(writing.get(own, RecordName("n" + std::to_string(i % 7)))), text);
          if (i % 50 == t) {
            EXPECT_TRUE(store_->sync());
          }
          if (i % 70 == t) {
            EXPECT_TRUE(writing.put(own, RecordName("synced"), as_bytes(text)));
          }
        }
      });
  }
  ASSERT_TRUE(store_->sync());
  for (int t = 0; t < threads; ++t)
    EXPECT_EQ(after_loss("p" + std::to_string(t), "n0"), std::to_string(each - 1 - (each - 1) % 7));
  EXPECT_TRUE(store_->check()->clean());
}

}  // namespace
}  // namespace efface::test
