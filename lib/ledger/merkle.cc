#include "ledger/merkle.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/check.h"
#include "crypto/sha256.h"

namespace efface::ledger {
namespace {

constexpr std::byte leaf_prefix[] = {std::byte{0}};
constexpr std::byte node_prefix[] = {std::byte{1}};

// Where RFC 9162 cuts a tree in two: the largest power of two below its size.
std::uint64_t left_of(std::uint64_t size) {
  return std::uint64_t{1} << (std::bit_width(size - 1) - 1);
}

Hash fold(const std::vector<Hash>& peaks) {
  if (peaks.empty()) return crypto::sha256({});
  Hash root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) root = node_hash(peaks[i], root);
  return root;
}

// The root over leaves [begin, end), as the recursion cuts them: begin is a multiple of every
// complete subtree's size in there.
Result<Hash> range_root(std::uint64_t begin, std::uint64_t end, Subtree subtree) {
  std::vector<Hash> peaks;
  while (begin < end) {
    const auto level = static_cast<unsigned>(std::bit_width(end - begin) - 1);
    EFFACE_ASSIGN(const Hash peak, subtree(level, begin >> level));
    peaks.push_back(peak);
    begin += std::uint64_t{1} << level;
  }
  return fold(peaks);
}

Error unproven() { return {Errc::corruption, "a proof does not lead to the root"}; }

}  // namespace

Hash leaf_hash(Bytes entry) { return crypto::sha256({leaf_prefix, entry}); }
Hash node_hash(const Hash& left, const Hash& right) {
  return crypto::sha256({node_prefix, left, right});
}

void Frontier::add(const Hash& leaf,
                   FunctionRef<void(unsigned level, std::uint64_t index, const Hash&)> done) {
  EFFACE_CHECK(size < std::numeric_limits<std::uint64_t>::max());
  EFFACE_CHECK(peaks.size() == static_cast<std::size_t>(std::popcount(size)));
  Hash hash = leaf;
  unsigned level = 0;
  done(level, size, hash);
  for (; (size >> level & 1) != 0; ++level) {
    hash = node_hash(peaks.back(), hash);
    peaks.pop_back();
    done(level + 1, size >> (level + 1), hash);
  }
  peaks.push_back(hash);
  ++size;
}

Hash Frontier::root() const { return fold(peaks); }

Result<Frontier> frontier_of(std::uint64_t size, Subtree subtree) {
  Frontier frontier{.size = size, .peaks = {}};
  for (unsigned level = 64; level-- > 0;) {
    if ((size >> level & 1) == 0) continue;
    // What stands before this subtree are the larger ones: the higher bits of size.
    EFFACE_ASSIGN(const Hash peak, subtree(level, (size >> level) - 1));
    frontier.peaks.push_back(peak);
  }
  return frontier;
}

Result<std::vector<Hash>> prove_inclusion(std::uint64_t index, std::uint64_t size,
                                          Subtree subtree) {
  if (index >= size) return Error(Errc::invalid_argument, "the tree has no such entry");
  std::vector<Hash> proof;
  std::uint64_t begin = 0;
  for (std::uint64_t end = size; end - begin > 1;) {
    const std::uint64_t cut = begin + left_of(end - begin);
    const bool in_left = index < cut;
    EFFACE_ASSIGN(const Hash other,
                  in_left ? range_root(cut, end, subtree) : range_root(begin, cut, subtree));
    proof.push_back(other);
    (in_left ? end : begin) = cut;
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<std::vector<Hash>> prove_consistency(std::uint64_t before, std::uint64_t size,
                                            Subtree subtree) {
  if (before > size) return Error(Errc::invalid_argument, "the tree is smaller than that");
  std::vector<Hash> proof;
  if (before == 0) return proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end != before) {
    const std::uint64_t cut = begin + left_of(end - begin);
    const bool in_left = before <= cut;
    EFFACE_ASSIGN(const Hash other,
                  in_left ? range_root(cut, end, subtree) : range_root(begin, cut, subtree));
    proof.push_back(other);
    (in_left ? end : begin) = cut;
  }
  // Where the smaller tree ends: its last complete part, which the reader knows if it is all of it.
  if (begin > 0) {
    EFFACE_ASSIGN(const Hash last, range_root(begin, end, subtree));
    proof.push_back(last);
  }
  std::ranges::reverse(proof);
  return proof;
}

// RFC 9162, 2.1.3.2.
Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                        std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return Error(Errc::invalid_argument, "the tree has no such entry");
  std::uint64_t at = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& other : proof) {
    if (last == 0) return unproven();
    if ((at & 1) != 0 || at == last) {
      hash = node_hash(other, hash);
      for (; (at & 1) == 0 && at != 0; at >>= 1) last >>= 1;
    } else {
      hash = node_hash(hash, other);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0 || hash != root) return unproven();
  return {};
}

// RFC 9162, 2.1.4.2.
Status verify_consistency(std::uint64_t before, std::uint64_t size, std::span<const Hash> proof,
                          const Hash& root_before, const Hash& root) {
  if (before > size) return Error(Errc::invalid_argument, "the tree is smaller than that");
  if (before == 0 || before == size) {
    const bool begins = before != 0 || root_before == crypto::sha256({});
    const bool ends = before != size || root_before == root;
    if (!proof.empty() || !begins || !ends) return unproven();
    return {};
  }
  // A smaller tree that is one complete subtree is where the path begins; its root is not repeated.
  const bool complete = std::has_single_bit(before);
  if (!complete && proof.empty()) return unproven();
  std::uint64_t at = before - 1;
  std::uint64_t last = size - 1;
  for (; (at & 1) != 0; at >>= 1) last >>= 1;
  Hash old_hash = complete ? root_before : proof.front();
  Hash new_hash = old_hash;
  for (const Hash& other : complete ? proof : proof.subspan(1)) {
    if (last == 0) return unproven();
    if ((at & 1) != 0 || at == last) {
      old_hash = node_hash(other, old_hash);
      new_hash = node_hash(other, new_hash);
      for (; (at & 1) == 0 && at != 0; at >>= 1) last >>= 1;
    } else {
      new_hash = node_hash(new_hash, other);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0 || old_hash != root_before || new_hash != root) return unproven();
  return {};
}

}  // namespace efface::ledger
