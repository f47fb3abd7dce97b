// oracle/account.h -- what one long history came to, in numbers.
//
// Several claims are made about one history, and ctest runs each claim in a process of its own.
// So the history is lived through once, by the test that saves the account, and the others read
// it; alone, a claim lives through it itself.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "oracle/verdict.h"

namespace disclosure {

class Account {
 public:
  // Read from $EFFACE_ORACLE_ACCOUNT; else lived through, and saved to $EFFACE_ORACLE_SAVES.
  static const Account& given();

  std::uint64_t operator[](const std::string& what) const { return numbers_.at(what); }
  std::string text() const;

 private:
  Account();
  bool read(const char* path);
  void save(const char* path) const;
  void live_through();
  void add(const Verdict& verdict);
  void look_at_the_end(World& world, const Verdict& last);

  std::map<std::string, std::uint64_t> numbers_;
};

}  // namespace disclosure
