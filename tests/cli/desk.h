// cli/desk.h -- a tenant with purposes in which people have a say, and what one does there.
#pragma once
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/run.h"

namespace efface::test {

inline std::string code_of(const Ran& ran) {
  if (ran.status == 0) return "done";
  const nlohmann::json error = nlohmann::json::parse(ran.err, nullptr, false);
  return error.is_discarded() ? "not JSON" : error["error"]["code"].get<std::string>();
}

inline std::vector<nlohmann::json> objects_of(const Ran& ran) {
  std::vector<nlohmann::json> objects;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) objects.push_back(nlohmann::json::parse(line));
  return objects;
}

// acme, with a purpose of each kind that people have a say in, and what one does there with alice.
class Desk : public Shop {
 public:
  Desk() : Shop("rights") {
    open_for_business();
    run({"purpose", "add", "acme", "letters", "--basis", "consent"});
    run({"purpose", "add", "acme", "support", "--basis", "legitimate_interest"});
  }
  Ran json_of(Shop::Words words, std::string_view input = {}) const {
    words.emplace_back("--json");
    return run(words, input);
  }
  std::string code(Shop::Words words, std::string_view input = {}) const {
    return code_of(json_of(std::move(words), input));
  }
  std::string put(const char* purpose, const char* person = "alice") const {
    return code({"put", "acme", person, "tea", "--purpose", purpose}, "green");
  }
  std::string get(const char* purpose, const char* person = "alice") const {
    return code({"get", "acme", person, "tea", "--purpose", purpose});
  }
  std::string act(Shop::Words words, const Shop::Words& more = {}) const {
    words.insert(words.end(), {"acme", "alice"});
    words.insert(words.end(), more.begin(), more.end());
    return code(std::move(words));
  }
};

}  // namespace efface::test
