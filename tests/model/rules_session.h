// model/rules_session.h -- a program, done to a store and to the model of its rules, and the first
// answer in which they differ.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/rules_program.h"

namespace efface::test {

class RulesSession {
 public:
  RulesSession();
  ~RulesSession();
  // Stops at the first difference, and tells it; nothing: there was none.
  std::string run(const std::vector<Operation>& program);

 private:
  class Pair;
  std::unique_ptr<Pair> pair_;
};

}  // namespace efface::test
