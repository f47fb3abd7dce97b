// oracle/images.h -- the sealed values that were found in pages, each once.
#pragma once
#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "oracle/pages.h"

namespace disclosure {

struct NodeImage {
  Place place;
  Bytes sealed;  // With its header.
};
struct RecordImage {
  Bytes key;  // handle 16 | name tag 16
  Bytes value;
};
struct FileImage {
  Bytes key;  // 'd' | tenant 4 | handle 16
  Bytes value;
};
struct TermsImage {
  std::uint32_t tenant;
  Bytes sealed;
};

// The images of an Images; those on overflow runs are put together by all_of().
struct ImageSet {
  std::vector<NodeImage> nodes;
  std::vector<Bytes> roots;
  std::vector<RecordImage> records;
  std::vector<FileImage> files;
  std::vector<TermsImage> terms;
};

struct Images::Impl {
  struct Claim {  // A value of this key and size began on an overflow page.
    Bytes key;
    std::uint32_t size;
  };
  struct Digest {
    std::uint64_t a;
    std::uint64_t b;
    friend bool operator==(const Digest&, const Digest&) = default;
  };
  struct DigestHash {
    std::size_t operator()(const Digest& d) const noexcept { return d.a ^ (d.b * 3); }
  };

  enum class Lifetime : bool { lasting, passing };  // Of bytes given: passing ones are copied.

  // Pages as they stand in a file, the first of that number.
  void search(std::uint64_t number, Bytes pages, Lifetime how);
  void add(const Entry& entry, Lifetime how);
  void add_value(Bytes key, Bytes value, Lifetime how);
  bool is_new(Bytes key, Bytes value);
  Bytes keep(Bytes bytes, Lifetime how);
  // With the overflow runs.
  ImageSet all() const;

  std::deque<MappedFile> files;
  std::deque<std::vector<std::byte>> chunks;
  std::unordered_set<Digest, DigestHash> seen;
  std::map<Id, std::size_t> headers;  // By region: how many there are.
  ImageSet found;
  std::unordered_map<std::uint64_t, std::vector<Claim>> claims;
  std::unordered_map<std::uint64_t, std::vector<Bytes>> runs;
  std::size_t pages_searched = 0;
};

}  // namespace disclosure
