// model/rules_answers.h -- what the store and the model answer, in the same words.
#pragma once
#include <string>
#include <type_traits>

#include "model/duties_model.h"

namespace efface::test {

struct Difference {
  std::string text;
};

inline std::string id_of(int person) { return "person-" + std::to_string(person); }
inline std::string record_of(int record) { return std::to_string(record); }

// What the store answered, in the model's words.
template <class T, class Say>
inline std::string said(const Result<T>& answer, Say&& say) {
  return answer ? say(*answer) : std::string(name(answer.error().code()));
}
inline std::string said(const Status& answer) {
  return answer ? "done" : std::string(name(answer.error().code()));
}
inline std::string said(const Erasure& e) {
  return "erased " + std::to_string(e.erased) + ", unknown " + std::to_string(e.unknown) +
         ", held " + std::to_string(e.held);
}
inline std::string said(bool erased, bool held) {
  Erasure erasure;
  erasure.erased = erased;
  erasure.held = held;
  return said(erasure);
}
inline std::string said(std::size_t ended, std::uint64_t expired, std::uint64_t kept, bool waits) {
  return "ended " + std::to_string(ended) + ", expired " + std::to_string(expired) + ", kept " +
         std::to_string(kept) + (waits ? ", waits" : "");
}
inline std::string said(const Maintained& done) {
  return said(done.holds_ended, done.buckets_expired, done.records_kept, done.expiry_waits);
}
inline std::string said(const DutiesModel::Done& done) {
  return said(done.holds_ended, done.days_expired, done.records_kept, done.waits);
}

template <class Do>
std::string told(Do&& act) {
  try {
    if constexpr (std::is_void_v<decltype(act())>) {
      act();
      return "done";
    } else {
      return act();
    }
  } catch (const Errc code) {
    return name(code);
  }
}

}  // namespace efface::test
