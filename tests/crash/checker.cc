#include "crash/checker.h"

#include <algorithm>

#include "support/store_fixture.h"

namespace efface::test {
namespace {

std::string with_code(std::string_view what, const Error& error) {
  return std::string(what) + ": " + name(error.code()) + " (" + error.note() + ")";
}

}  // namespace

void copy_place(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

Checker::Finding Checker::check(const Knowledge& known) {
  if (Finding found = check_destroyed(known)) return found;
  if (Finding found = open(known)) return found;
  if (Finding found = compare(known)) return found;
  if (Finding found = mend(known)) return found;
  if (Finding found = check_root_keys(known)) return found;
  if (Finding found = work_on()) return found;
  return check_stale();
}

Checker::Finding Checker::check_briefly(const Knowledge& known) {
  if (Finding found = check_destroyed(known)) return found;
  if (Finding found = open(known)) return found;
  if (Finding found = compare(known)) return found;
  if (Finding found = mend(known)) return found;
  if (Finding found = check_root_keys(known)) return found;
  return put_one();
}

Checker::Finding Checker::check_all_bytes(const Knowledge& known) {
  session_.walks_pages = true;
  if (Finding found = check_briefly(known)) return found;
  const auto damage = session_.damage();
  if (!damage) return with_code("a store cannot be checked", damage.error());
  if (*damage) return "something in the store does not verify: " + **damage;
  return std::nullopt;
}

// As it stands, before anybody recovers.
Checker::Finding Checker::check_destroyed(const Knowledge& known) const {
  for (const Doomed& one : known.doomed)
    if (one.acknowledged &&
        holds_key(raw_root_key_file(place_.root_key(one.region.data())), one.slot.key))
      return "the root key file holds a key that an acknowledged erasure destroyed";
  return std::nullopt;
}

Checker::Finding Checker::open(const Knowledge& known) {
  const bool must_be_there =
      std::ranges::all_of(known.possible, [](const Model& model) { return model.created; });
  if (const auto failed = session_.open_root_keys()) {
    if (must_be_there) return with_code("a root key file does not open", *failed);
    const Errc code = failed->code();
    if (code != Errc::root_key_missing && code != Errc::corruption)
      return with_code("a root key file that was not finished is not told as one", *failed);
    return start_over(known);
  }
  const auto failed = session_.open();
  if (!failed) return std::nullopt;
  if (must_be_there) return with_code("the store does not open", *failed);
  if (failed->code() != Errc::store_missing)
    return with_code("a store that was not finished is not missing", *failed);
  return start_over(known);
}

// As Store::create says: what stands there can be removed and the root key stores used again.
Checker::Finding Checker::start_over(const Knowledge&) {
  session_.close();
  std::filesystem::remove_all(place_.store());
  for (const std::string& region : place_.regions) {
    std::filesystem::remove_all(place_.volume(region));
    std::filesystem::remove_all(place_.mirror(region));
    if (!FileRootKeyStore::open(root_key_options(place_.root_key(region))))
      std::filesystem::remove(place_.root_key(region));
  }
  created_anew_ = true;
  if (const auto failed = session_.perform({Op::What::create}))
    return with_code("a store cannot be created where one was not finished", *failed);
  return std::nullopt;
}

Checker::Finding Checker::compare(const Knowledge& known) {
  auto observed = session_.observe(universe_);
  if (!observed) return with_code("the store does not read", observed.error());
  now_ = *std::move(observed);
  // An enrolment that was cut may leave a person without the record of her id.
  const auto was_enrolled = [&](const std::string& id) {
    return std::ranges::none_of(known.unfinished, [&](const Op& op) {
      return std::ranges::find(op.ids, id) != op.ids.end();
    });
  };
  if (std::ranges::any_of(session_.unlisted(), was_enrolled))
    return "somebody who was enrolled is not listed";
  if (std::ranges::find(known.possible, now_) != known.possible.end()) return std::nullopt;
  // Says what is wrong with the nearest: what is acknowledged.
  const Model& wanted = known.possible.front();
  for (const auto& [tenant, model] : wanted.tenants) {
    const auto at = now_.tenants.find(tenant);
    if (at == now_.tenants.end()) return "a tenant is missing";
    for (const auto& [id, person] : model.people) {
      if (!at->second.people.contains(id)) return "a person is missing";
      if (at->second.people.at(id) != person) return "a person's records are not what they were";
    }
    for (const auto& [id, person] : at->second.people)
      if (!model.people.contains(id)) return "a person is there who should not be";
    if (at->second != model) return "a tenant's terms are not what they were";
  }
  return "a tenant is there that should not be";
}

// Doing again what was cut makes a half tenant whole, or has it gone.
Checker::Finding Checker::mend(const Knowledge& known) {
  for (const auto& [tenant, model] : Model(now_).tenants) {
    if (!model.half) continue;
    const auto cut =
        std::find_if(known.unfinished.rbegin(), known.unfinished.rend(), [&](const Op& op) {
          return op.tenant == tenant &&
                 (op.what == Op::What::declare || op.what == Op::What::offboard);
        });
    if (cut == known.unfinished.rend()) return "a tenant is half there, and nothing was under way";
    if (Finding found = do_one(*cut)) return found;
  }
  return std::nullopt;
}

// Does it and looks that it did just that.
Checker::Finding Checker::do_one(const Op& op) {
  if (const auto failed = session_.perform(op))
    return with_code(std::string(name(op.what)) + " does not work any more", *failed);
  const Model wanted = stages(op, now_).back();
  auto observed = session_.observe(universe_);
  if (!observed)
    return with_code("the store does not read after " + std::string(name(op.what)),
                     observed.error());
  if (*observed != wanted) return std::string(name(op.what)) + " does something else than it says";
  now_ = *std::move(observed);
  return std::nullopt;
}

Checker::Finding Checker::check_root_keys(const Knowledge& known) {
  const auto in_force = session_.in_force();
  for (const std::string& region : place_.regions) {
    const auto file = raw_root_key_file(place_.root_key(region));
    const auto live = live_slots(file);
    const auto current = in_force.find(region);
    if (current == in_force.end()) return "the root key in force is not in its file";
    if (live.size() != 2) return "a root key file does not hold one epoch and a spare";
    for (const LiveSlot& slot : live)
      if (slot.epoch < current->second.epoch) return "a root key file holds an epoch that ended";
    for (const Doomed& one : known.doomed) {
      if (region != one.region.data()) continue;
      const bool ended = one.slot.epoch != current->second.epoch;
      if (one.acknowledged && !ended) return "an acknowledged erasure did not end its epoch";
      if (ended && holds_key(file, one.slot.key))
        return "the root key file holds a key of an epoch that ended";
      epoch_ended_ = epoch_ended_ || ended;
    }
  }
  return std::nullopt;
}

// Everything still works: and those who are there are not touched by it.
Checker::Finding Checker::work_on() {
  Op op{Op::What::declare, "later", "later", {place_.regions.front()}, {"later"}, "later", "later"};
  universe_.tenants.insert("later");
  universe_.ids.insert("later");
  if (now_.tenants.empty()) {
    if (Finding found = do_one(op)) return found;
  } else {
    op.tenant = now_.tenants.begin()->first;
    op.regions = {*now_.tenants.begin()->second.regions.begin()};
  }
  for (const Op::What what : {Op::What::purpose, Op::What::put_new, Op::What::put}) {
    op.what = what;
    if (Finding found = do_one(op)) return found;
  }
  if (epoch_ended_) return std::nullopt;  // Else it would be this erasure that makes copies stale.
  op.what = Op::What::erase;
  return do_one(op);
}

// For somebody who is there, or by somebody new.
Checker::Finding Checker::put_one() {
  for (const auto& [tenant, model] : now_.tenants)
    for (const auto& [id, person] : model.people)
      if (!model.half && !model.purposes.empty())
        return do_one({.what = Op::What::put,
                       .tenant = tenant,
                       .purpose = *model.purposes.begin(),
                       .ids = {id},
                       .name = "later",
                       .value = "later"});
  return work_on();
}

Checker::Finding Checker::check_stale() {
  session_.close();
  if (!epoch_ended_ || !base_ || created_anew_) return std::nullopt;
  copy_place(*base_ / "store", place_.store());
  for (const std::string& region : place_.regions)  // Else they would take its place.
    std::filesystem::remove_all(place_.mirror(region));
  const auto failed = Session(place_).open();
  if (!failed) return "a copy from before an erasure opens";
  if (failed->code() != Errc::keyring_stale)
    return with_code("a copy from before an erasure is not told as stale", *failed);
  return std::nullopt;
}

}  // namespace efface::test
