#include "support/data.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "support/temp_directory.h"

namespace efface::bench {
namespace {

constexpr std::uint64_t seed = 20240525;
constexpr std::size_t pool_bytes = 1 << 20;
constexpr std::size_t value_bytes_max = 4096;

std::string numbered(char prefix, std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  text.insert(0, digits - std::min(digits, text.size()), '0');
  text.insert(text.begin(), prefix);
  return text;
}

}  // namespace

const std::filesystem::path& scratch() {
  static const test::TempDirectory directory("bench", test::on_disk);
  return directory.path();
}

std::uint64_t scrambled(std::uint64_t number) noexcept {  // SplitMix64
  number += 0x9e37'79b9'7f4a'7c15;
  number = (number ^ (number >> 30)) * 0xbf58'476d'1ce4'e5b9;
  number = (number ^ (number >> 27)) * 0x94d0'49bb'1331'11eb;
  return number ^ (number >> 31);
}

std::string person_id(std::uint64_t person) { return numbered('p', person, 9); }
std::string record_name(std::uint64_t record) { return numbered('r', record, 7); }

RawKey raw_key(std::uint64_t person, std::uint64_t record) noexcept {
  const std::uint64_t parts[] = {scrambled(person), scrambled(~record)};
  RawKey key;
  std::memcpy(key.data(), parts, sizeof parts);
  return key;
}

Bytes value_of(std::uint64_t number, std::size_t bytes) {
  static const std::vector<std::byte> pool = [] {
    std::vector<std::byte> made(pool_bytes + value_bytes_max);
    std::mt19937_64 random(seed);
    for (std::byte& b : made) b = static_cast<std::byte>(random());
    return made;
  }();
  return Bytes(pool).subspan(scrambled(number) % pool_bytes, bytes);
}

std::vector<std::uint32_t> shuffled(std::size_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  return order;
}

}  // namespace efface::bench
