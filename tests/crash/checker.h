// crash/checker.h -- what must hold for whatever a trial left behind. Runs in a child process.
#pragma once
#include "crash/knowledge.h"

namespace efface::test {

class Checker {
 public:
  // base: the directory that holds the store as it was before the scenario's operations; none if
  // there was none.
  Checker(Place place, Session::Universe universe, std::optional<std::filesystem::path> base)
      : place_(std::move(place)), universe_(std::move(universe)), base_(std::move(base)) {}

  // Answers the first thing that does not hold.
  std::optional<std::string> check(const Knowledge& known);
  // Much faster: of what works afterwards one put is tried, and no old copy is opened.
  std::optional<std::string> check_briefly(const Knowledge& known);
  // That, and that every page is as LMDB takes it for granted and all that is in them verifies.
  std::optional<std::string> check_all_bytes(const Knowledge& known);

 private:
  using Finding = std::optional<std::string>;

  Finding check_destroyed(const Knowledge& known) const;
  Finding open(const Knowledge& known);
  Finding start_over(const Knowledge& known);
  Finding compare(const Knowledge& known);
  Finding mend(const Knowledge& known);
  Finding check_root_keys(const Knowledge& known);
  Finding work_on();
  Finding check_stale();
  Finding put_one();
  Finding do_one(const Op& op);

  Place place_;
  Session::Universe universe_;
  std::optional<std::filesystem::path> base_;
  Session session_{place_};
  Model now_;
  bool created_anew_ = false;
  bool epoch_ended_ = false;  // In some region, since the base was copied.
};

// Copies a place: its store, volumes and root key files.
void copy_place(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace efface::test
