// cli/movielens.h -- the people of MovieLens, where their ratings are at hand.
#pragma once
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

namespace efface::test {

inline std::filesystem::path movielens_csv() {
  return std::filesystem::path(EFFACE_SOURCE_DIR) / ".." / "shared" / "data" / "movielens-small" /
         "ratings.csv";
}

// The lines of each person, by movie.
using Ratings = std::map<std::string, std::map<std::string, std::string>>;

inline Ratings ratings_of(const std::string& csv) {
  Ratings ratings;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    ratings[line.substr(0, first)][line.substr(first + 1, second - first - 1)] = line;
  }
  return ratings;
}

}  // namespace efface::test
