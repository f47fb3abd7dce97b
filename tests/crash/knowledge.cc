#include "crash/knowledge.h"

#include <algorithm>

namespace efface::test {
namespace {

void add(std::vector<Model>& models, const Model& model) {
  if (std::ranges::find(models, model) == models.end()) models.push_back(model);
}

// What include/efface/activity.h says of its writes.
bool left_nothing(const Op& op, Errc code) {
  const bool writes =
      op.what == Op::What::put || op.what == Op::What::batch || op.what == Op::What::remove;
  return writes && code != Errc::outcome_unknown;
}

}  // namespace

bool is_erasure(Op::What what) noexcept {
  switch (what) {
    case Op::What::erase:
    case Op::What::erase_many:
    case Op::What::suppress:
    case Op::What::offboard:
    case Op::What::transfer:
    case Op::What::merge:
    case Op::What::shred:
    case Op::What::rotate:
      return true;
    default:
      return false;
  }
}

bool is_relaxed(Op::What what) noexcept {
  return what == Op::What::put_relaxed || what == Op::What::batch_relaxed;
}

Knowledge learn(const Knowledge& before, std::span<const Op> ops, std::span<const Outcome> outcomes,
                const Progress& progress) {
  Knowledge after = before;
  // What a loss may leave of what was relaxed: up to some point all, and from there on nothing.
  // Gone with the next operation of another kind that is acknowledged, since its commit takes all.
  std::vector<Model> behind;
  for (std::size_t i = 0; i < progress.begun; ++i) {
    const Outcome& entry = outcomes[i];
    const bool ended = i < progress.ended;
    for (Doomed one : entry.doomed) {
      one.acknowledged = one.acknowledged && ended;
      if (one.slot.epoch != 0) after.doomed.push_back(one);
    }
    if (is_relaxed(ops[i].what) && entry.code == 0)
      for (const Model& model : after.possible) add(behind, model);
    else if (ended && entry.code == 0)
      behind.clear();
    std::vector<Model> next;
    const auto code = static_cast<Errc>(entry.code);
    const bool pending = ended && code == Errc::erase_pending;
    for (const Model& model : after.possible) {
      const std::vector<Model> all = stages(ops[i], model);
      if (ended && entry.code == 0) {
        add(next, all.back());
        continue;
      }
      if (pending) {  // Everything is forgotten, wherever she had something.
        add(next, all.back());
        continue;
      }
      add(next, model);
      if (ended && left_nothing(ops[i], code)) continue;
      for (const Model& stage : all) add(next, stage);
    }
    after.possible = std::move(next);
    if (!ended || entry.code != 0) after.unfinished.push_back(ops[i]);
  }
  for (const Model& model : behind) add(after.possible, model);
  return after;
}

Session::Universe universe_of(const Scenario& scenario) {
  Session::Universe out;
  for (const auto* ops : {&scenario.before, &scenario.ops})
    for (const Op& op : *ops) {
      if (!op.tenant.empty()) out.tenants.insert(op.tenant);
      out.ids.insert(op.ids.begin(), op.ids.end());
    }
  return out;
}

}  // namespace efface::test
