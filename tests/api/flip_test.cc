// One flipped bit in the bytes of a small store's files: what follows is an error or the right
// answer. Never a crash, never another value, never a record of somebody who was erased.
//
// LMDB has no checksums. A record filed under a damaged key is not found, and the transaction
// before the last is as good as the last. So in records/data.mdb, and there only where such a key,
// its size or the number of a transaction stands, a record may be missing. Those are counted.
//
// EFFACE_FLIPS_UNVERIFIED=1: without verify_structure, to see what it is good for. That crashes.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <set>

#include "storage/data_file.h"
#include "support/saved_files.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

// What became of one flip, the worse the later.
enum class Outcome : std::uint8_t {
  unseen,    // Everything was right.
  reported,  // Something answered an error.
  refused,   // The store did not open.
  missing,   // Somebody's record was not there, and nothing said so.
  wrong,     // Another value, somebody erased, or a store that does not open again.
};

struct Tally {
  std::array<std::uint64_t, 5> outcomes{};
  std::uint64_t crashed = 0;
  std::size_t first_bad = SIZE_MAX;  // Place of the first that was wrong or crashed.
  const char* what = "nothing";      // Was wrong with it.
  std::uint64_t& operator[](Outcome outcome) { return outcomes[static_cast<std::size_t>(outcome)]; }
};

// One bit of one byte, and whether a record may be missing then.
struct Flip {
  std::size_t offset;
  bool may_hide;
};

bool verified() { return std::getenv("EFFACE_FLIPS_UNVERIFIED") == nullptr; }

// Any of the eight, but the same in every run.
char bit_of(std::size_t offset) {
  std::uint64_t mixed = (offset + 1) * 0x9e3779b97f4a7c15u;
  mixed ^= mixed >> 29;
  return static_cast<char>(1u << ((mixed * 0xbf58476d1ce4e5b9u) >> 61));
}

// One that compresses, one in pages of its own, one that is neither. Made once.
const Values& values_of(std::string_view id) {
  static std::map<std::string, Values, std::less<>> made;
  const auto found = made.find(id);
  if (found != made.end()) return found->second;
  const std::string who(id);
  std::string large;
  auto state = static_cast<std::uint32_t>(who[0]);
  while (large.size() < 4200) {
    state = state * 1664525 + 1013904223;
    large.push_back(static_cast<char>(state >> 24));
  }
  Values& values = made[who];
  values = {{"compressed", who + std::string(600, '.')}, {"large", large}, {"small", who + "!"}};
  return values;
}

// Of bytes that differ in nothing, being sealed or not read at all, every eighth; all of them where
// EFFACE_EVERY_MISHAP is set.
std::size_t stride_of_alike() { return std::getenv("EFFACE_EVERY_MISHAP") != nullptr ? 1 : 8; }

// Every byte of the pages in use that is not deep within a value, nor between values; of the other
// pages, of which nothing is read, every 64th.
std::vector<Flip> flips_of_database(std::string_view bytes, bool holds_records) {
  const std::size_t of_deep = stride_of_alike();
  Image image;
  image.bytes.resize(bytes.size());
  std::memcpy(image.bytes.data(), bytes.data(), bytes.size());
  std::vector<std::size_t> strides(bytes.size(), 64);
  const auto mark = [&](std::size_t begin, std::size_t end, std::size_t stride) {
    std::fill(strides.begin() + static_cast<std::ptrdiff_t>(begin),
              strides.begin() + static_cast<std::ptrdiff_t>(end), stride);
  };
  constexpr std::size_t shallow = 64;  // What a value begins with: all that is not sealed.
  const std::size_t free_pages = image.root_page(Image::free_tree);  // One leaf; nothing is sealed.
  std::set<std::size_t> hiding;
  for (const std::size_t page : image.structure()) {
    const bool is_meta = page < 2 * Image::page_bytes;
    const auto kind = image.get<std::uint16_t>(page + 10);
    const bool is_overflow = !is_meta && kind == 4;
    const std::size_t run = is_overflow ? image.get<std::uint32_t>(page + 12) : 1;
    mark(page, page + run * Image::page_bytes, 1);
    if (is_overflow) mark(page + 16 + shallow, page + run * Image::page_bytes, of_deep);
    if (is_meta)
      for (std::size_t i = 0; i < 8; ++i) hiding.insert(page + 16 + Image::transaction + i);
    if (!is_meta && !is_overflow)
      mark(page + image.get<std::uint16_t>(page + 12), page + image.get<std::uint16_t>(page + 14),
           of_deep);
    if (is_meta || kind != 2) continue;
    for (std::size_t k = 0; k < image.keys(page); ++k) {
      const std::size_t node = image.node(page, k);
      const std::size_t value = image.value(page, k);
      for (std::size_t at = node + 6; at < value; ++at) hiding.insert(at);
      const bool is_elsewhere = (image.get<std::uint16_t>(node + 4) & 1) != 0;
      const std::size_t size = image.get<std::uint32_t>(node);
      if (page != free_pages && !is_elsewhere && size > shallow)
        mark(value + shallow, value + size, of_deep);
    }
  }
  std::vector<Flip> flips;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    if (at % strides[at] == 0) flips.push_back({at, holds_records && hiding.contains(at)});
  return flips;
}

// Every byte, but of sectors that hold zeros alone.
std::vector<Flip> flips_of_file(std::string_view bytes) {
  constexpr std::size_t sector = 512;
  std::vector<Flip> flips;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at - at % sector);
    const auto end = begin + std::min<std::ptrdiff_t>(sector, bytes.end() - begin);
    const bool is_blank = std::all_of(begin, end, [](char byte) { return byte == 0; });
    if (!is_blank || at % stride_of_alike() == 0) flips.push_back({at, false});
  }
  return flips;
}

// A file, named by the end of its path, and which of its flips.
struct Part {
  const char* name;
  const char* file;
  std::size_t shard = 0;
  std::size_t shards = 1;
  friend void PrintTo(const Part& part, std::ostream* out) { *out << part.name; }
};

class FlippedByte : public StoreTest, public testing::WithParamInterface<Part> {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (const std::string_view id : {"ada", "bob", "eve"}) {
      const Subject subject = enrol(id);
      for (const auto& [name, value] : values_of(id))
        ASSERT_TRUE(activity().put(subject, RecordName(name), as_bytes(value)));
    }
    ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("eve")).value()));
    ASSERT_EQ(store_->stats().value().regions[0].reclaim_entries, 1u);
    close();
    root_keys_.reset();
    saved_.emplace(home_.path());
    for (const SavedFiles::Saved& file : saved_->files())
      if (file.path.string().ends_with(GetParam().file)) target_ = &file;
    ASSERT_NE(target_, nullptr);
    void* memory =
        ::mmap(nullptr, sizeof(Lane), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    lane_ = new (memory) Lane;
  }
  void TearDown() override {
    if (lane_ != nullptr) ::munmap(lane_, sizeof(Lane));
  }

  std::vector<Flip> flips() const {
    const Part& part = GetParam();
    const std::string_view file = part.file;
    std::vector<Flip> all;
    if (file.ends_with("data.mdb"))
      all = flips_of_database(target_->bytes, file.starts_with("records"));
    else
      all = flips_of_file(target_->bytes);
    std::vector<Flip> mine;
    for (std::size_t i = part.shard; i < all.size(); i += part.shards) mine.push_back(all[i]);
    return mine;
  }

  std::size_t file_bytes() const { return target_->bytes.size(); }

  // Flip after flip in a child; in another from the next one on when it dies.
  Tally run(const std::vector<Flip>& flips) {
    for (;;) {
      const pid_t child = ::fork();
      EFFACE_CHECK(child >= 0);
      if (child == 0) {
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        work(flips);
        std::_Exit(0);
      }
      int status = 0;
      EFFACE_CHECK(::waitpid(child, &status, 0) == child);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return lane_->tally;
      Tally& tally = lane_->tally;
      ++tally.crashed;
      note_bad(tally, flips[lane_->next].offset,
               WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "it hung" : "it crashed");
      ++lane_->next;
    }
  }

 private:
  struct Lane {
    std::size_t next = 0;  // Written before each flip: the parent knows which one killed the child.
    Tally tally;
  };

  static void note_bad(Tally& tally, std::size_t offset, const char* what) {
    if (tally.first_bad != SIZE_MAX) return;
    tally.first_bad = offset;
    tally.what = what;
  }

  void work(const std::vector<Flip>& flips) {
    constexpr unsigned hang_seconds = 20;
    std::string bytes = target_->bytes;
    for (; lane_->next < flips.size(); ++lane_->next) {
      ::alarm(hang_seconds);
      const Flip& flip = flips[lane_->next];
      saved_->put_back();
      bytes[flip.offset] = static_cast<char>(bytes[flip.offset] ^ bit_of(flip.offset));
      SavedFiles::put(*target_, bytes);
      bytes[flip.offset] = target_->bytes[flip.offset];

      outcome_ = Outcome::unseen;
      judge();
      close();
      root_keys_.reset();
      if (outcome_ == Outcome::missing && !flip.may_hide)
        note(Outcome::wrong, "a record was missing");
      ++lane_->tally[outcome_];
      if (outcome_ == Outcome::wrong) note_bad(lane_->tally, flip.offset, what_);
    }
  }

  void note(Outcome outcome, const char* what = "") {
    if (outcome <= outcome_) return;
    outcome_ = outcome;
    what_ = what;
  }

  bool open() {
    auto root_keys = FileRootKeyStore::open(root_key_options(home_ / "root.key"));
    if (!root_keys) return false;
    root_keys_ = *std::move(root_keys);
    OpenOptions options = this->options();
    options.verify_structure = verified();
    auto store = Store::open(options);
    if (!store) return false;
    store_.emplace(*std::move(store));
    return true;
  }

  void judge() {
    if (!open()) return note(Outcome::refused);
    if (!take_tenant()) return;
    for (const std::string_view id : {"ada", "bob"}) look_at(id);
    look_for("eve");
    put();
    const bool erased = erase();
    if (!store_->maintain()) note(Outcome::reported);
    look_at("ada");
    // A fourth of what looks well is opened once more.
    if (outcome_ != Outcome::unseen || lane_->next % 4 != 0) return;

    close();
    root_keys_.reset();
    if (!open()) return note(Outcome::wrong, "the store did not open again");
    if (!take_tenant()) return;
    look_at("ada");
    look_for("eve");
    if (erased) look_for("bob");
    if (outcome_ != Outcome::unseen) note(Outcome::wrong, "the store was not the same again");
  }

  bool take_tenant() {
    auto tenant = store_->tenant("acme", Actor("test"));
    if (!tenant && tenant.error().code() == Errc::tenant_unknown)
      note(Outcome::wrong, "the tenant was unknown");
    if (!tenant || !tenant->purpose("ratings")) note(Outcome::reported);
    if (tenant) tenant_.emplace(*std::move(tenant));
    return tenant && tenant_->purpose("ratings");
  }

  std::optional<Subject> find(std::string_view id) {
    auto found = tenant_->subject(SubjectId(id));
    if (found) return *std::move(found);
    if (found.error().code() == Errc::subject_unknown) note(Outcome::wrong, "somebody was unknown");
    note(Outcome::reported);
    return std::nullopt;
  }

  // Somebody who was erased.
  void look_for(std::string_view id) {
    const auto found = tenant_->subject(SubjectId(id));
    if (found) return note(Outcome::wrong, "somebody erased was known");
    if (found.error().code() != Errc::subject_unknown) note(Outcome::reported);
  }

  // Every record of somebody: by name, then all.
  void look_at(std::string_view id) {
    const auto subject = find(id);
    if (!subject) return;
    const Activity ratings = activity();
    Values expected = values_of(id);
    for (const auto& [name, value] : expected) {
      const auto found = ratings.get(*subject, RecordName(name));
      if (!found)
        note(Outcome::reported);
      else if (!*found)
        note(Outcome::missing);
      else if (as_text((**found).bytes()) != value)
        note(Outcome::wrong, "a value was another");
    }
    const auto scanned = ratings.scan(*subject, {}, [&](std::string_view name, Bytes value) {
      const auto at = expected.find(name);
      if (at != expected.end() && at->second == as_text(value))
        expected.erase(at);
      else if (name != "new" || as_text(value) != "a new value")
        note(Outcome::wrong, "a scan found what is not there");
      return Flow::more;
    });
    if (!scanned)
      note(Outcome::reported);
    else if (!expected.empty())
      note(Outcome::missing);
  }

  void put() {
    const auto subject = find("ada");
    if (!subject) return;
    if (!activity().put(*subject, RecordName("new"), as_bytes("a new value")))
      return note(Outcome::reported);
    const std::string found = text_of(activity().get(*subject, RecordName("new")));
    if (found.starts_with("error: ")) return note(Outcome::reported);
    if (found != "a new value") note(Outcome::wrong, "what was put was not there");
  }

  // Whether bob is gone for good.
  bool erase() {
    auto subject = find("bob");
    if (!subject) return false;
    if (!tenant_->erase(*std::move(subject))) {
      note(Outcome::reported);
      return false;
    }
    look_for("bob");
    return true;
  }

  std::optional<SavedFiles> saved_;
  const SavedFiles::Saved* target_ = nullptr;
  Lane* lane_ = nullptr;
  Outcome outcome_ = Outcome::unseen;
  const char* what_ = "";
};

TEST_P(FlippedByte, EndsInAnErrorOrTheRightAnswer) {
  const std::vector<Flip> all = flips();
  Tally tally = run(all);
  std::printf("%zu flips of %zu bytes: %ju refused, %ju reported, %ju unseen, %ju missing\n",
              all.size(), file_bytes(), tally[Outcome::refused], tally[Outcome::reported],
              tally[Outcome::unseen], tally[Outcome::missing]);
  EXPECT_EQ(tally.crashed, 0u) << "first at " << tally.first_bad << ": " << tally.what;
  EXPECT_EQ(tally[Outcome::wrong], 0u) << "first at " << tally.first_bad << ": " << tally.what;
  EXPECT_GT(tally[Outcome::refused], 0u);
}
INSTANTIATE_TEST_SUITE_P(In, FlippedByte,
                         testing::Values(Part{"TheStoresDescription", "store.info"},
                                         Part{"ARegionsDescription", "region.info"},
                                         Part{"TheRootKeyFile", "root.key"},
                                         Part{"EvenBytesOfTheKeyring", "keyring/data.mdb", 0, 2},
                                         Part{"OddBytesOfTheKeyring", "keyring/data.mdb", 1, 2},
                                         Part{"EvenBytesOfTheRecords", "records/data.mdb", 0, 2},
                                         Part{"OddBytesOfTheRecords", "records/data.mdb", 1, 2}),
                         [](const auto& part) { return std::string(part.param.name); });

}  // namespace
}  // namespace efface::test
