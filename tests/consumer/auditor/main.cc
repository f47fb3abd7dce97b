// auditor RECEIPT VERIFIER: whether the receipt verifies, and whether it does with a word changed.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "efface/receipt.h"

namespace {

std::string content_of(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::string receipt = content_of(argv[1]);
  std::string key = content_of(argv[2]);
  while (key.ends_with('\n')) key.pop_back();
  const auto read = efface::verify_receipt(receipt, key);
  if (!read) {
    std::fprintf(stderr, "%s: %s\n", name(read.error().code()), read.error().note());
    return 1;
  }
  std::printf("%s %s\n", name(read->kind), name(read->state));
  const std::size_t place = receipt.find("quiesced");
  if (place == std::string::npos) return 1;
  receipt.replace(place, 8, "swept");
  return efface::verify_receipt(receipt, key) ? 1 : 0;
}
