// Every combination of what may come back from before an erasure, or not at all: the records, the
// keyring, the ledger's copy, the root key store, the mirror. Each opens with the erased still
// erased, or is refused with a code that says what to do. docs/restore-matrix.md is this table.
//
// The adversary of this table may put back whatever was copied before; what a region's root key
// store held before is in it too, though docs/threats.md excludes it: then the checkpoint that an
// auditor keeps (RegionOptions::witness) is what tells.
#include <functional>
#include <map>
#include <sstream>

#include "support/file_content.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

enum class From : std::uint8_t { now, before, missing };
constexpr From all[] = {From::now, From::before, From::missing};

const char* word(From from) {
  return from == From::now ? "now" : from == From::before ? "before" : "missing";
}

struct Cell {
  From records, keyring, ledger, root_keys, mirror;
};

class Matrix : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(home_ / "work");
    make_private(home_ / "work");
    auto made = FileRootKeyStore::create(root_key_options(work() / "root.key"));
    ASSERT_TRUE(made);
    root_keys_ = *std::move(made);
    ASSERT_NO_FATAL_FAILURE(live_and_erase());
    root_keys_.reset();
    fs::rename(work(), home_ / "now");
  }

  static void make_private(const fs::path& path) { fs::permissions(path, fs::perms::owner_all); }
  fs::path work() const { return home_ / "work"; }

  OpenOptions options() const {
    OpenOptions out;
    out.directory = work() / "store";
    RegionOptions region;
    region.name = "eu";
    region.root_keys = root_keys_.get();
    region.keyring_mirrors = {work() / "mirror"};
    region.ledger_copy = work() / "ledger";
    region.witness = witness_;
    out.regions = {region};
    out.require_locked_memory = false;
    out.accept_l0 = true;
    return out;
  }

  // "before": alice and bob are there; "now": alice is erased, carol came, bob withdrew nothing.
  void live_and_erase() {
    {
      const auto store = Store::create(options());
      ASSERT_TRUE(store) << name(store.error().code()) << store.error().note();
      const Region regions[] = {store->region("eu").value()};
      const auto tenant = store->declare_tenant("acme", regions, Actor("test"));
      ASSERT_TRUE(tenant->declare_purpose({"orders"}));
      put(*store, "alice");
      put(*store, "bob");
      ASSERT_TRUE(store->backup({work() / "backup", {}}));
    }
    root_keys_.reset();
    fs::copy(work(), home_ / "before", fs::copy_options::recursive);
    ASSERT_TRUE(open_root_keys());
    const auto store = Store::open(options());
    ASSERT_TRUE(store) << name(store.error().code()) << store.error().note();
    const auto tenant = store->tenant("acme", Actor("test"));
    ASSERT_TRUE(tenant->erase(tenant->subject(SubjectId("alice")).value()));
    ASSERT_TRUE(tenant->suppress(SubjectId("mallory")));
    put(*store, "carol");
    ASSERT_TRUE(store->maintain());
    witness_ = store->checkpoint(store->region("eu").value()).value();
  }

  static void put(const Store& store, std::string_view id) {
    const auto tenant = store.tenant("acme", Actor("test"));
    const auto activity = tenant->activity(tenant->purpose("orders").value());
    const auto done =
        activity->put(SubjectId(id), store.region("eu").value(), RecordName("order"), as_bytes(id));
    ASSERT_TRUE(done) << name(done.error().code()) << done.error().note();
  }

  bool open_root_keys() {
    auto opened = FileRootKeyStore::open(root_key_options(work() / "root.key"));
    if (!opened) {
      root_error_ = opened.error().code();
      return false;
    }
    root_keys_ = *std::move(opened);
    return true;
  }

  void lay_out(const Cell& cell) {
    root_keys_.reset();
    fs::remove_all(work());
    fs::copy(home_ / "now", work(), fs::copy_options::recursive);
    const auto place = [&](From from, const char* what) {
      if (from == From::now) return;
      fs::remove_all(work() / what);
      if (from == From::before)
        fs::copy(home_ / "before" / what, work() / what, fs::copy_options::recursive);
    };
    place(cell.records, "store/eu/records");
    place(cell.keyring, "store/eu/keyring");
    place(cell.ledger, "ledger");
    place(cell.root_keys, "root.key");
    place(cell.mirror, "mirror");
  }

  // "alice" if one byte of her comes back, else who is there: "bob, carol".
  std::string who_is_there(const Store& store) {
    const auto tenant = store.tenant("acme", Actor("test"));
    if (!tenant) return std::string(name(tenant.error().code()));
    std::string there;
    for (const char* id : {"alice", "bob", "carol"}) {
      const auto subject = tenant->subject(SubjectId(id));
      if (!subject) continue;
      const auto activity = tenant->activity(tenant->purpose("orders").value());
      const auto found = activity->get(*subject, RecordName("order"));
      there += (there.empty() ? "" : ", ") + std::string(id);
      if (!found || !*found) there += " (no records)";
    }
    const auto mallory = tenant->subject(SubjectId("mallory"));
    if (mallory || mallory.error().code() != Errc::suppressed) there += "; mallory is welcome";
    return there;
  }

  std::string outcome_of(const Cell& cell) {
    lay_out(cell);
    if (!open_root_keys()) return std::string(name(root_error_));
    {
      const auto store = Store::open(options());
      if (store) return "opens: " + who_is_there(*store);
    }
    RestoreOptions how;
    how.without_records = true;
    const auto restored = Store::restore(options(), how);
    if (!restored) return std::string(name(restored.error().code()));
    const auto store = Store::open(options());
    if (!store) return "restored, but " + std::string(name(store.error().code()));
    return "restore: " + who_is_there(*store);
  }

  TempDirectory home_{"matrix"};
  std::unique_ptr<FileRootKeyStore> root_keys_;
  Errc root_error_{};
  std::string witness_;
};

// Each row is for one keyring, ledger, root key store and mirror; a column for the records.
std::string table_of(const std::function<std::string(const Cell&)>& outcome) {
  std::ostringstream out;
  out << "| keyring | ledger's copy | root keys | mirror | records now | records from before | "
         "records missing |\n|---|---|---|---|---|---|---|\n";
  for (const From keyring : all)
    for (const From ledger : all)
      for (const From root : all)
        for (const From mirror : all) {
          out << "| " << word(keyring) << " | " << word(ledger) << " | " << word(root) << " | "
              << word(mirror) << " |";
          for (const From records : all)
            out << ' ' << outcome({records, keyring, ledger, root, mirror}) << " |";
          out << '\n';
        }
  return out.str();
}

TEST_F(Matrix, NoCellBringsAnyoneBackAndTheTableInTheDocumentationIsThisOne) {
  int cells = 0;
  int open = 0;
  const std::string table = table_of([&](const Cell& cell) {
    const std::string outcome = outcome_of(cell);
    EXPECT_EQ(outcome.find("alice"), std::string::npos) << outcome;
    EXPECT_EQ(outcome.find("welcome"), std::string::npos) << outcome;
    ++cells;
    if (outcome.find("bob") != std::string::npos) ++open;
    return outcome;
  });
  EXPECT_EQ(cells, 243);
  EXPECT_GE(open, 50);  // It is not that all are refused.
  const std::string page = file_content(EFFACE_SOURCE_DIR "/docs/restore-matrix.md");
  const bool same = page.find(table) != std::string::npos;
  EXPECT_TRUE(same) << "docs/restore-matrix.md has another table; this one is now:\n" << table;
}

// The control: that the table can tell. Everything from before, the root keys too, and nobody who
// remembers: she is back. This is what a root key store in a backup does, and why it must not be.
TEST_F(Matrix, AWholeMachineFromBeforeBringsHerBackUnlessACheckpointIsWitnessed) {
  const Cell before = {From::before, From::before, From::before, From::before, From::before};
  EXPECT_EQ(outcome_of(before), "keyring_stale");
  witness_.clear();
  EXPECT_NE(outcome_of(before).find("alice"), std::string::npos);
}

}  // namespace
}  // namespace efface::test
