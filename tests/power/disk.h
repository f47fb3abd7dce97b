// power/disk.h -- what a disk may hold when the power goes, while a log of operations runs.
//
// Shape    A file is what is durable of it and the units that wait: a write is split at multiples
//          of the unit's size, and each unit reaches the disk or does not, in whole sectors. A sync
//          of a file makes its units durable; a write to a file opened with O_DSYNC, those of the
//          pages that it touches. Names are durable or wait too.
// Model    ordered: of the changes of names, the first so many are there; a sync of anything makes
//          all of them durable, as a journal does. strict: any of them may be there; only a sync of
//          the directory makes them durable, as POSIX says.
// Assumes  A sector of 512 bytes is written whole or not at all, and a sync that answered was done.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "power/log.h"
#include "power/recorder.h"

namespace efface::test::power {

inline constexpr std::size_t sector_bytes = 512;
inline constexpr std::size_t page_bytes = 4096;

using Hash = std::array<std::uint64_t, 2>;

// The contents of sectors, each kept once. 0 is all zeros.
class Sectors {
 public:
  using Content = std::array<std::byte, sector_bytes>;
  using Id = std::uint32_t;

  Sectors();
  Id keep(const Content& content);
  const Content& at(Id id) const { return contents_[id]; }

 private:
  struct Hasher {
    std::size_t operator()(const Content& content) const noexcept;
  };
  std::vector<Content> contents_;
  std::unordered_map<Content, Id, Hasher> ids_;
};

// The content of a file.
struct Image {
  std::vector<Sectors::Id> sectors;
  std::uint64_t size_bytes = 0;
};

enum class FileSystemModel : bool { ordered, strict };

struct DiskOptions {
  FileSystemModel model = FileSystemModel::ordered;
  std::size_t unit_bytes = page_bytes;
};

// What waits, and reaches the disk as one or not at all.
struct Unit {
  Inode inode;
  bool truncates = false;  // To size_bytes; else the file is at least that long.
  std::uint64_t size_bytes = 0;
  std::vector<std::pair<std::uint32_t, Sectors::Id>> sectors{};
};

// How much of a unit.
enum class Part : std::uint8_t { nothing, first_half, second_half, size_alone, all };

// What a disk holds.
struct Tree {
  struct Entry {
    std::string path;  // Below the top.
    bool directory;
    const Image* image;  // Of a file; lives as long as the Tree and the Disk.
  };
  std::vector<Entry> entries;  // A directory before what is in it.
  Hash hash{};
  std::vector<Image> changed;
};

class Disk {
 public:
  Disk(Sectors& sectors, std::span<const Found> base, const DiskOptions& options);

  void begin(const Operation& operation);   // What it changes waits.
  void finish(const Operation& operation);  // What it syncs is durable.

  const std::vector<Unit>& units() const noexcept { return units_; }
  const std::vector<Operation>& names() const noexcept { return names_; }
  bool is_waiting(Inode inode) const noexcept;  // For a sync of it.

  // What there is when these parts of units() and these of names() have reached it.
  Tree hold(std::span<const Part> units, const std::vector<bool>& names) const;
  Tree hold_all() const;  // As if nothing was lost.

 private:
  using Names = std::map<std::string, Inode>;
  struct File {
    bool directory = false;
    Image durable;
    Image cached;
    Hash hash{};  // Of durable.
  };

  void write(const Operation& operation);
  void truncate(const Operation& operation);
  void settle(Inode inode);
  void settle_pages(Inode inode, std::uint64_t first_byte, std::uint64_t end_byte);
  void settle_names(std::optional<Inode> directory);
  Image apply_to(Image image, const Unit& unit, Part part) const;
  Hash hash_of(const Image& image) const;
  void walk(const std::map<Inode, Names>& names, Inode directory, const std::string& path,
            const std::map<Inode, std::size_t>& changed, std::span<const Hash> hashes,
            Tree& into) const;

  Sectors* sectors_;
  DiskOptions options_;
  std::map<Inode, File> files_;
  std::map<Inode, Names> durable_names_;
  std::vector<Unit> units_;
  std::vector<Operation> names_;
};

// The simulation itself cannot go on: ends the process with a status that says so.
inline constexpr int broken_status = 3;
[[noreturn]] void simulation_broke();

// Makes the directory hold that, and nothing else.
void materialise(const Tree& tree, const Sectors& sectors, const std::filesystem::path& top);

}  // namespace efface::test::power
