// observe/seen.h -- the spans of a store, kept, and whether they nest.
//
// Threads  Told by any; looked at when nobody is at work.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "efface/observe.h"

namespace efface::test {

class Seen {
 public:
  struct Piece {
    std::string name;
    std::string region;
    std::uint64_t id = 0;
    std::uint64_t parent = 0;
    std::uint32_t thread = 0;
    std::chrono::nanoseconds began{};
    std::chrono::nanoseconds ended{};
    std::optional<Errc> error{};
  };

  void begin(const TraceSpan& span) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t>& open = open_[span.thread];
    if (span.depth != open.size()) fault_ = "a span is at another depth";
    if (span.parent != (open.empty() ? 0 : open.back())) fault_ = "a span has another parent";
    open.push_back(span.id);
    ++begun_;
  }
  void end(const TraceSpan& span) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t>& open = open_[span.thread];
    if (open.empty() || open.back() != span.id)
      fault_ = "a span ends that is not the innermost";
    else
      open.pop_back();
    Piece& piece = all_.emplace_back();
    piece.name = span.name.text;
    piece.region = span.region;
    piece.id = span.id;
    piece.parent = span.parent;
    piece.thread = span.thread;
    piece.began = span.began;
    piece.ended = span.began + span.took;
    if (span.error) piece.error = span.error->code();
  }

  // Empty: all nested, and what began has ended.
  std::string fault() const {
    for (const auto& [thread, open] : open_)
      if (!open.empty()) return "a span has no end";
    return begun_ == all_.size() ? fault_ : "not as many end as begin";
  }
  const std::vector<Piece>& all() const { return all_; }
  void forget() {
    begun_ = 0;
    all_.clear();
  }
  // The only one of that name.
  const Piece* one(std::string_view name) const {
    const Piece* found = nullptr;
    for (const Piece& piece : all_) {
      if (piece.name != name) continue;
      if (found != nullptr) return nullptr;
      found = &piece;
    }
    return found;
  }
  // The names of what is directly within it, in the order in which they began.
  std::vector<std::string> within(const Piece& outer) const {
    std::map<std::uint64_t, std::string> names;
    for (const Piece& piece : all_)
      if (piece.parent == outer.id) names.emplace(piece.id, piece.name);
    std::vector<std::string> in_order;
    for (const auto& [id, name] : names) in_order.push_back(name);
    return in_order;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint32_t, std::vector<std::uint64_t>> open_;  // By thread.
  std::string fault_;
  std::size_t begun_ = 0;
  std::vector<Piece> all_;
};

inline TraceHooks shown_to(const std::shared_ptr<Seen>& seen) {
  return {[seen](const TraceSpan& span) { seen->begin(span); },
          [seen](const TraceSpan& span) { seen->end(span); }};
}

}  // namespace efface::test
