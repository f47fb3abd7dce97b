#include "tools/key_file.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "tools/failure.h"
#include "tools/input.h"

namespace efface::cli {
namespace {

constexpr std::size_t key_line_bytes_max = 256;

std::optional<std::byte> digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<std::byte>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::byte>(c - 'a' + 10);
  return std::nullopt;
}

using KeyBytes = std::vector<std::byte, WipingAllocator<std::byte>>;

enum class KeyKind : bool { open, secret };

KeyBytes key_of(const std::string& path, KeyKind kind) {
  Source file(path, key_line_bytes_max);
  if (kind == KeyKind::secret && file.open_to_others())
    throw refused(Errc::unsafe_path, "the file of the secret key has a mode for group or others");
  const std::optional<WipedText> line = next_line(file, key_line_bytes_max);
  KeyBytes key;
  bool good = line && line->size() == 2 * key_bytes;
  for (std::size_t i = 0; good && i < line->size(); i += 2) {
    const auto high = digit((*line)[i]), low = digit((*line)[i + 1]);
    good = high && low;
    if (good) key.push_back(*high << 4U | *low);
  }
  if (!good) throw refused(Errc::invalid_argument, "a key file is a line of 64 hexadecimal digits");
  return key;
}

}  // namespace

WipedText hex_of_key(std::span<const std::byte> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  WipedText text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text.push_back(digits[std::to_integer<unsigned>(byte) >> 4U]);
    text.push_back(digits[std::to_integer<unsigned>(byte) & 15U]);
  }
  return text;
}

RecipientPublicKey recipient_key(const std::string& path) {
  const KeyBytes key = key_of(path, KeyKind::open);
  RecipientPublicKey out;
  std::copy(key.begin(), key.end(), out.bytes.begin());
  return out;
}

RecipientKeyPair recipient_keys(const std::string& path) {
  const KeyBytes secret = key_of(path, KeyKind::secret);
  return take(
      RecipientKeyPair::from_secret(std::span<const std::byte, key_bytes>(secret.data(), 32)));
}

}  // namespace efface::cli
