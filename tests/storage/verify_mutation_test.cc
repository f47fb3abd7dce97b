// The claim that storage/verify.h is for: a damaged file that it accepts does not make LMDB crash.
//
// Each case is a damaged copy of a file that LMDB wrote. A forked child verifies it and, if it is
// accepted, lets LMDB walk, rewrite and empty it. A child that dies names the case; another goes on
// behind it. $EFFACE_MUTATIONS asks for more random cases than the usual few thousand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <random>

#include "storage/data_file.h"
#include "storage/verify.h"

namespace efface::test {
namespace {

using u16 = std::uint16_t;
using u64 = std::uint64_t;
using testing::Eq;
using testing::Gt;

enum class Guard : bool { none, verified };

// What LMDB made of a file.
enum class Outcome { refused, intact, failed };

// Ends with the scope, so that a failed call leaks nothing into the next case.
using Environment = std::unique_ptr<MDB_env, decltype(&mdb_env_close)>;

// Every entry forwards, then backwards, every byte of it read.
bool walk(MDB_txn* txn, MDB_dbi dbi, std::vector<std::string>& keys) {
  constexpr std::size_t entries_max = 4000;  // Far more than there are: it goes round and round.
  MDB_cursor* cursor = nullptr;
  if (mdb_cursor_open(txn, dbi, &cursor) != 0) return false;
  unsigned sum = 0;
  std::array<std::size_t, 2> steps{};
  int rc = 0;
  for (const bool back : {false, true}) {
    MDB_val key, value;
    rc = mdb_cursor_get(cursor, &key, &value, back ? MDB_LAST : MDB_FIRST);
    for (; rc == 0 && steps[back] < entries_max; ++steps[back]) {
      for (std::size_t i = 0; i < value.mv_size; ++i)
        sum += static_cast<const unsigned char*>(value.mv_data)[i];
      if (!back) keys.emplace_back(static_cast<const char*>(key.mv_data), key.mv_size);
      rc = mdb_cursor_get(cursor, &key, &value, back ? MDB_PREV : MDB_NEXT);
    }
    if (rc != MDB_NOTFOUND) break;
  }
  mdb_cursor_close(cursor);
  [[maybe_unused]] static volatile unsigned kept;
  kept = sum;
  return rc == MDB_NOTFOUND && steps[0] == steps[1];
}

bool remove_some(MDB_txn* txn, MDB_dbi dbi, const std::vector<std::string>& keys,
                 std::size_t step) {
  for (std::size_t i = 0; i < keys.size(); i += step) {
    MDB_val key{keys[i].size(), const_cast<char*>(keys[i].data())};
    if (const int rc = mdb_del(txn, dbi, &key, nullptr); rc != 0 && rc != MDB_NOTFOUND)
      return false;
  }
  return true;
}

bool put_some(MDB_txn* txn, MDB_dbi dbi, const std::vector<std::string>& keys, std::size_t bytes) {
  static std::array<char, 20'000> text;
  for (std::size_t i = 0; i < keys.size(); i += 5) {
    MDB_val key{keys[i].size(), const_cast<char*>(keys[i].data())};
    MDB_val value{bytes + i, text.data()};
    if (mdb_put(txn, dbi, &key, &value, 0) != 0) return false;
  }
  MDB_val key{4, text.data()};
  MDB_val value{text.size(), text.data()};  // Takes pages from the free list.
  return mdb_put(txn, dbi, &key, &value, 0) == 0;
}

// Opens the file and does to it what a store might. True if every call succeeded.
bool exercise(const std::filesystem::path& directory) {
  MDB_env* made = nullptr;
  if (mdb_env_create(&made) != 0) return false;
  const Environment env(made, &mdb_env_close);
  if (mdb_env_set_mapsize(made, std::size_t{1} << 20) != 0) return false;
  if (mdb_env_open(made, directory.c_str(), MDB_NOTLS | MDB_NOSYNC, 0600) != 0) return false;
  std::vector<std::string> keys;
  for (int round = 0; round < 4; ++round) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    const bool reads = round == 0 || round == 3;
    if (mdb_txn_begin(made, nullptr, reads ? MDB_RDONLY : 0, &txn) != 0) return false;
    bool good = mdb_dbi_open(txn, nullptr, 0, &dbi) == 0;
    std::vector<std::string> seen;
    if (reads) {
      good = good && walk(txn, dbi, seen);
      if (round == 0) keys = std::move(seen);
    } else {
      good = good && (round == 2 || put_some(txn, dbi, keys, 300)) &&
             remove_some(txn, dbi, keys, round == 1 ? 3 : 1);
    }
    if (!good || reads)
      mdb_txn_abort(txn);
    else if (mdb_txn_commit(txn) != 0)
      return false;
    if (!good) return false;
  }
  return true;
}

// One file, damaged again and again.
class Bench {
 public:
  explicit Bench(const std::filesystem::path& directory) : directory_(directory), file_(make()) {}

  Outcome try_case(const Image& image, Guard guard) {
    EFFACE_CHECK(file_.write_at(0, image.bytes).has_value());
    EFFACE_CHECK(::ftruncate(file_.fd(), static_cast<off_t>(image.bytes.size())) == 0);
    if (guard == Guard::verified && !storage::verify_structure(file_)) return Outcome::refused;
    if (!exercise(directory_)) return Outcome::failed;
    if (guard == Guard::verified && !storage::verify_structure(file_))
      return Outcome::failed;  // LMDB makes a good file of a good file.
    return Outcome::intact;
  }

 private:
  os::File make() const {
    std::filesystem::remove(directory_ / "data.mdb");  // A child that died may have left one.
    auto parent = os::Directory::open(directory_);
    EFFACE_CHECK(parent.has_value());
    auto file = os::File::create(*parent, "data.mdb");
    EFFACE_CHECK(file.has_value());
    return std::move(file).value();
  }
  const std::filesystem::path& directory_;
  os::File file_;
};

struct Tally {
  u64 refused = 0;
  u64 intact = 0;
  u64 failed = 0;
  u64 crashed = 0;
  u64 first_failed = ~u64{0};  // The lowest case of these and
  u64 first_crashed = ~u64{0};
};

// Runs case by case, in two processes at a time that take every second one.
class Campaign {
 public:
  using Damage = std::function<void(Image&, u64)>;

  Campaign(const Image& original, Damage damage, Guard guard)
      : original_(original), damage_(std::move(damage)), guard_(guard) {
    void* memory =
        ::mmap(nullptr, sizeof(Lanes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EFFACE_CHECK(memory != MAP_FAILED);
    lanes_ = new (memory) Lanes;
  }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;
  ~Campaign() { ::munmap(lanes_, sizeof(Lanes)); }

  Tally run(u64 cases) {
    for (std::size_t i = 0; i < lanes_->size(); ++i) {
      (*lanes_)[i].next = i;
      spawn(i, cases);
    }
    for (std::size_t living = lanes_->size(); living > 0;) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, 0);
      EFFACE_CHECK(ended > 0);
      const std::size_t i = ended == children_[0] ? 0 : 1;
      EFFACE_CHECK(ended == children_[i]);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        --living;
        continue;
      }
      Lane& lane = (*lanes_)[i];
      ++lane.tally.crashed;
      lane.tally.first_crashed = std::min<u64>(lane.tally.first_crashed, lane.next);
      lane.next += lanes_->size();
      spawn(i, cases);
    }
    return total();
  }

 private:
  struct Lane {
    u64 next = 0;  // Written before each case, so that the parent knows which one killed the child.
    Tally tally;
  };
  using Lanes = std::array<Lane, 2>;

  void spawn(std::size_t i, u64 cases) {
    children_[i] = ::fork();
    EFFACE_CHECK(children_[i] >= 0);
    if (children_[i] != 0) return;
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (guard_ == Guard::none) {  // Its last words are of no interest.
      const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
      ::dup2(null, STDERR_FILENO);
    }
    work((*lanes_)[i], directories_[i].path(), cases);
    std::_Exit(0);
  }

  void work(Lane& lane, const std::filesystem::path& directory, u64 cases) const {
    const unsigned hang_seconds = guard_ == Guard::none ? 1 : 20;  // LMDB may go round for ever.
    Image image;
    Bench bench(directory);
    for (; lane.next < cases; lane.next += lanes_->size()) {
      ::alarm(hang_seconds);
      image = original_;
      damage_(image, lane.next);
      switch (bench.try_case(image, guard_)) {
        case Outcome::refused:
          ++lane.tally.refused;
          break;
        case Outcome::intact:
          ++lane.tally.intact;
          break;
        case Outcome::failed:
          ++lane.tally.failed;
          lane.tally.first_failed = std::min<u64>(lane.tally.first_failed, lane.next);
      }
    }
  }

  Tally total() const {
    Tally sum;
    for (const Lane& lane : *lanes_) {
      sum.refused += lane.tally.refused;
      sum.intact += lane.tally.intact;
      sum.failed += lane.tally.failed;
      sum.crashed += lane.tally.crashed;
      sum.first_failed = std::min(sum.first_failed, lane.tally.first_failed);
      sum.first_crashed = std::min(sum.first_crashed, lane.tally.first_crashed);
    }
    testing::Test::RecordProperty("refused", std::to_string(sum.refused));
    testing::Test::RecordProperty("intact", std::to_string(sum.intact));
    testing::Test::RecordProperty("failed", std::to_string(sum.failed));
    testing::Test::RecordProperty("crashed", std::to_string(sum.crashed));
    return sum;
  }

  const Image& original_;
  Damage damage_;
  Guard guard_;
  std::array<TempDirectory, 2> directories_;
  std::array<pid_t, 2> children_{};
  Lanes* lanes_;
};

// One to three random wounds, most of them where the structure is: headers, offsets, nodes.
class Wounds {
 public:
  Wounds(Image& image, const std::vector<std::size_t>& structure, u64 seed)
      : image_(image), structure_(structure), random_(seed * 0x9e3779b97f4a7c15u + 1) {}

  void inflict() {
    for (u64 i = 0, count = below(6) == 0 ? 1 + below(3) : 1; i < count; ++i) inflict_one();
  }

 private:
  u64 below(u64 end) { return random_() % end; }
  std::size_t page() {
    const std::size_t aimed = structure_[below(structure_.size())];
    if (below(16) != 0 && aimed + Image::page_bytes <= image_.bytes.size()) return aimed;
    return below(image_.pages()) * Image::page_bytes;
  }

  // Somewhere that LMDB reads: a header, a meta, an offset, a node's header, a free list.
  std::size_t spot() {
    std::size_t at = page();
    if (at < 2 * Image::page_bytes) return at + below(152);
    const std::size_t keys = std::min<std::size_t>(image_.get<u16>(at + 12) / 2, 200) + 1;
    const auto node = [&] {
      return at + std::min<std::size_t>(image_.get<u16>(image_.slot(at, below(keys))), 4070);
    };
    switch (below(5)) {
      case 0:
        return at + below(16);
      case 1:
        return image_.slot(at, below(keys));
      case 2:
        return node() + below(8);
      case 3:
        return node() + below(26);
      default:
        return at + below(Image::page_bytes);
    }
  }
  u64 number() {
    const std::array<u64, 12> known{
        0,           1, 2, 3, ~u64{0}, image_.pages(), 4096, 4080, 2038, 0x8000, image_.pages() - 1,
        u64{1} << 47};
    const u64 pick = below(known.size() + 4);
    return pick < known.size() ? known[pick] : pick % 2 == 0 ? below(image_.pages()) : random_();
  }
  template <class T>
  void edit() {
    const std::size_t at = std::min(spot(), image_.bytes.size() - sizeof(T));
    if (below(2) == 0)
      image_.set<T>(at, static_cast<T>(number()));
    else
      image_.add<T>(at, static_cast<T>(below(9) - 4));
  }

  void inflict_one() {
    const std::size_t a = page();
    const std::size_t b = page();
    const auto bytes = image_.bytes.begin();
    const auto from = bytes + static_cast<std::ptrdiff_t>(a);
    const auto to = bytes + static_cast<std::ptrdiff_t>(b);
    switch (below(12)) {
      case 0:
      case 1:
        image_.bytes[spot()] ^= std::byte{1} << below(8);
        break;
      case 2:
        image_.bytes[spot()] = static_cast<std::byte>(below(256));
        break;
      case 3:
      case 4:
      case 5:
        edit<u16>();
        break;
      case 6:
        edit<std::uint32_t>();
        break;
      case 7:
        edit<u64>();
        break;
      case 8:
        std::swap_ranges(from, from + Image::page_bytes, to);
        break;
      case 9:  // A page in the place of another, and knowing it.
        std::copy(from, from + Image::page_bytes, to);
        image_.set<u64>(b, b / Image::page_bytes);
        break;
      case 10:
        std::fill_n(from + static_cast<std::ptrdiff_t>(below(4032)), below(64), std::byte{});
        break;
      case 11:
        image_.bytes.resize(below(4) == 0 ? below(image_.bytes.size()) : a);
        break;
    }
    if (image_.bytes.size() < 3 * Image::page_bytes)  // So that later wounds have their place.
      image_.bytes.resize(3 * Image::page_bytes);
  }

  Image& image_;
  const std::vector<std::size_t>& structure_;
  std::mt19937_64 random_;
};

u64 random_cases() {
  const char* wanted = std::getenv("EFFACE_MUTATIONS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 6000;
}
class VerifiedFile : public testing::TestWithParam<std::string> {
 protected:
  const Image image_ = GetParam() == "Tall" ? tall_image() : small_image();
  const std::vector<std::size_t> structure_ = image_.structure();
  const Campaign::Damage wound_ = [this](Image& image, u64 seed) {
    Wounds(image, structure_, seed).inflict();
  };
};

TEST_P(VerifiedFile, NeverMakesLmdbCrashAfterRandomDamage) {
  const Tally tally = Campaign(image_, wound_, Guard::verified).run(random_cases());
  EXPECT_THAT(tally.crashed, Eq(0u)) << "first: " << tally.first_crashed;
  EXPECT_THAT(tally.failed, Eq(0u)) << "first: " << tally.first_failed;
  EXPECT_THAT(tally.refused, Gt(random_cases() / 4));
  EXPECT_THAT(tally.intact, Gt(0u));
}

// The control: without the verifier the same damage does kill.
TEST_P(VerifiedFile, IsWhatKeepsLmdbAlive) {
  const Tally tally = Campaign(image_, wound_, Guard::none).run(random_cases() / 20);
  EXPECT_THAT(tally.crashed, Gt(random_cases() / 1000));
}

// The bytes of these pages; every eighth where all neighbours are alike, which is the middle of a
// value or unused room.
std::vector<std::size_t> telling_bytes(const Image& image, const std::vector<std::size_t>& pages) {
  const std::vector<std::byte>& bytes = image.bytes;
  std::vector<std::size_t> out;
  for (const std::size_t page : pages)
    for (std::size_t at = page; at < page + Image::page_bytes; ++at) {
      const std::size_t from = std::max(at, page + 16) - 16;
      const std::size_t end = std::min(at + 16, page + Image::page_bytes - 1);
      const bool dull = std::memcmp(&bytes[from], &bytes[from + 1], end - from) == 0;
      if (!dull || at % 8 == 0) out.push_back(at);
    }
  return out;
}

// One byte at a time, a bit of it or all.
TEST_P(VerifiedFile, NeverMakesLmdbCrashAfterAFlipOfAnyByteThatGuidesIt) {
  const std::vector<std::size_t> places = telling_bytes(image_, structure_);
  const Campaign::Damage flip = [&](Image& image, u64 i) {
    image.bytes[places[i]] ^= i % 9 == 8 ? std::byte{0xff} : std::byte{1} << (i % 9);
  };
  const Tally tally = Campaign(image_, flip, Guard::verified).run(places.size());
  EXPECT_THAT(tally.crashed, Eq(0u)) << "first: " << tally.first_crashed;
  EXPECT_THAT(tally.failed, Eq(0u)) << "first: " << tally.first_failed;
  EXPECT_THAT(tally.refused, Gt(places.size() / 20));
}
INSTANTIATE_TEST_SUITE_P(Trees, VerifiedFile, testing::Values("Small", "Tall"),
                         [](const auto& tree) { return tree.param; });

}  // namespace
}  // namespace efface::test
