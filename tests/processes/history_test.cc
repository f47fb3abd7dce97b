// Whatever several processes do at the same time, and however they end: see history.h.
#include <sys/mman.h>

#include <cstdio>
#include <thread>

#include "processes/history.h"

namespace efface::test {
namespace {

constexpr std::uint64_t seed = 20261124;

class Histories : public SharedStore {
 protected:
  void SetUp() override {
    SharedStore::SetUp();
    void* shared =
        ::mmap(nullptr, sizeof(History), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    history_ = new (shared) History;
  }
  void TearDown() override { ::munmap(history_, sizeof(History)); }

  void expect_nothing_violated() {
    EXPECT_FALSE(history_->violated.load()) << history_->violation.data();
    View view = open();
    ASSERT_TRUE(view.status()) << name(view.status().error().code());
    EXPECT_TRUE(view.store().maintain());
    const auto report = view.store().check();
    ASSERT_TRUE(report);
    for (const Damage& found : report->damage) ADD_FAILURE() << found.what << ' ' << found.count;
    EXPECT_GT(history_->erased.load(), 0u);
    EXPECT_GT(history_->read.load(), 0u);
  }

  History* history_ = nullptr;
};

TEST_F(Histories, OfFourProcessesShowNobodyWhoWasErasedAndLoseNothing) {
  constexpr std::size_t processes = 4;
  constexpr int operations = 600;
  {
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t i = 0; i < processes; ++i)
      peers.push_back(std::make_unique<Peer>([&, i](const Channel& channel) {
        channel.wait();
        View view = open();
        if (!view.status()) return 1;
        Participant one(*history_, view, seed + i, i, processes);
        for (int k = 0; k < operations && !history_->violated; ++k) one.act();
        return 0;
      }));
    for (const auto& peer : peers) peer->tell();
    for (const auto& peer : peers) EXPECT_EQ(peer->join(), 0);
  }
  EXPECT_EQ(history_->operations.load(), processes * operations);
  expect_nothing_violated();
}

// A nursery bears children, one after the other, that write and erase until they are killed. The
// survivor has the store open all the time, and writes, erases and reads as well.
TEST_F(Histories, SurviveAThousandKillsOfWritersAndErasers) {
  constexpr int kills = 1'000;
  constexpr std::uint64_t life_max_us = 8'000;
  Peer nursery([&](const Channel&) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < kills && !history_->violated; ++i) {
      const auto life = static_cast<useconds_t>(random() % life_max_us);
      Peer child([&](const Channel&) {
        View view = open();
        if (!view.status()) {
          history_->violate("a store does not open", name(view.status().error().code()));
          return 1;
        }
        Participant one(*history_, view, seed + static_cast<std::uint64_t>(i), 0, 2);
        while (!history_->violated) one.act();
        return 1;
      });
      ::usleep(life);
      child.kill(SIGKILL);
      const int status = child.join();
      history_->bury(0);
      if (status != 128 + SIGKILL && !history_->violated)
        history_->violate("a child ends by itself", std::to_string(i));
    }
    history_->stop = true;
    return 0;
  });
  {
    View view = open();
    ASSERT_TRUE(view.status());
    Participant survivor(*history_, view, seed - 1, 1, 2);
    while (!history_->stop && !history_->violated) {
      survivor.act();
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(nursery.join(), 0);
  expect_nothing_violated();
  std::printf("             %llu operations, %llu people erased, %llu values read\n",
              static_cast<unsigned long long>(history_->operations),
              static_cast<unsigned long long>(history_->erased),
              static_cast<unsigned long long>(history_->read));
}

}  // namespace
}  // namespace efface::test
