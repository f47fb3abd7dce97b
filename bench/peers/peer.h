// peers/peer.h -- what every database is asked to do, and what its users know about it.
//
// Each is configured as a careful user would, keeps everything below scratch(), and is linked into
// an executable of its own.
//
// Threads  One.
// Errors   Any ends the program.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "support/data.h"

namespace efface::bench {

// For the report: who does what work.
struct Facts {
  std::string name;  // What its measurements are called.
  std::string version;
  std::string settings;
  std::string sealed;   // What is encrypted, and how. Empty: nothing.
  std::string erasing;  // What it takes until the bytes cannot be read.
};

struct Item {
  std::uint64_t person;
  std::uint64_t record;
  Bytes value;
};

class Peer {
 public:
  virtual ~Peer() = default;

  virtual Facts facts() const = 0;
  // All of them in one commit, durable when it answers.
  virtual void put(std::span<const Item> items) = 0;
  // Copies the value and answers its size; of a record that is there.
  virtual std::size_t get(std::uint64_t person, std::uint64_t record,
                          std::span<std::byte> into) = 0;
  // All of them at once, durably; from then on no file has a byte of theirs that can be read.
  virtual void erase(std::span<const std::uint64_t> people) = 0;
  // Her records.
  virtual std::uint64_t count(std::uint64_t person) = 0;
  // What was put has its usual place on disk, and not only in a log.
  virtual void settle() = 0;
};

// Each peer's source defines it.
std::unique_ptr<Peer> make_peer();

}  // namespace efface::bench
