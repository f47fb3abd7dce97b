#include "power/disk.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace efface::test::power {
namespace {

Hash hash_bytes(const void* bytes, std::size_t size) {
  Hash hash{};
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), sizeof hash,
                     static_cast<const unsigned char*>(bytes), size, nullptr, 0);
  return hash;
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  simulation_broke();
}

std::size_t sectors_of(std::uint64_t bytes) { return (bytes + sector_bytes - 1) / sector_bytes; }

void apply_name(const Operation& change, std::map<Inode, std::map<std::string, Inode>>& names) {
  auto& entries = names[change.parent];
  const auto at = entries.find(change.name);
  const bool names_it = at != entries.end() && at->second == change.inode;
  switch (change.kind) {
    case Operation::Kind::create:
      entries[change.name] = change.inode;
      break;
    case Operation::Kind::rename:
      if (names_it) entries.erase(at);
      entries[change.new_name] = change.inode;
      break;
    default:
      if (names_it) entries.erase(at);
      break;
  }
}

}  // namespace

std::size_t Sectors::Hasher::operator()(const Content& content) const noexcept {
  return static_cast<std::size_t>(hash_bytes(content.data(), content.size())[0]);
}

Sectors::Sectors() { keep(Content{}); }

Sectors::Id Sectors::keep(const Content& content) {
  const auto [at, fresh] = ids_.try_emplace(content, static_cast<Id>(contents_.size()));
  if (fresh) contents_.push_back(content);
  return at->second;
}

Disk::Disk(Sectors& sectors, std::span<const Found> base, const DiskOptions& options)
    : sectors_(&sectors), options_(options) {
  for (const Found& found : base) {
    if (found.parent != no_inode) durable_names_[found.parent][found.name] = found.inode;
    File& file = files_[found.inode];
    file.directory = found.directory;
    file.durable.size_bytes = found.bytes.size();
    for (std::size_t at = 0; at < found.bytes.size(); at += sector_bytes) {
      Sectors::Content content{};
      std::copy_n(found.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                  std::min(sector_bytes, found.bytes.size() - at), content.begin());
      file.durable.sectors.push_back(sectors_->keep(content));
    }
    file.cached = file.durable;
    file.hash = hash_of(file.durable);
  }
}

void Disk::begin(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::write:
      return write(operation);
    case Operation::Kind::truncate:
      return truncate(operation);
    case Operation::Kind::create: {
      File& file = files_[operation.inode];
      file.directory = operation.directory;
      file.hash = hash_of(file.durable);
      names_.push_back(operation);
      return;
    }
    case Operation::Kind::rename:
    case Operation::Kind::unlink:
      names_.push_back(operation);
      return;
    case Operation::Kind::sync_data:
    case Operation::Kind::sync:
    case Operation::Kind::mark:
      return;
  }
}

void Disk::finish(const Operation& operation) {
  if (operation.kind == Operation::Kind::sync_data) settle(operation.inode);
  if (operation.kind == Operation::Kind::sync) {
    settle(operation.inode);
    settle_names(options_.model == FileSystemModel::ordered ? std::nullopt
                                                            : std::optional(operation.inode));
  }
  if (operation.syncs_itself)
    settle_pages(operation.inode, operation.offset, operation.offset + operation.bytes.size());
}

void Disk::write(const Operation& operation) {
  File& file = files_.at(operation.inode);
  const std::uint64_t end = operation.offset + operation.bytes.size();
  file.cached.size_bytes = std::max(file.cached.size_bytes, end);
  file.cached.sectors.resize(sectors_of(file.cached.size_bytes));
  for (std::uint64_t at = operation.offset; at < end;) {
    const std::uint64_t unit_end =
        std::min(end, (at / options_.unit_bytes + 1) * options_.unit_bytes);
    Unit unit{.inode = operation.inode, .size_bytes = unit_end};
    while (at < unit_end) {
      const std::uint64_t sector = at / sector_bytes;
      const std::size_t within = at % sector_bytes;
      const auto size = std::min<std::uint64_t>(sector_bytes - within, unit_end - at);
      Sectors::Content content = sectors_->at(file.cached.sectors[sector]);
      std::copy_n(operation.bytes.begin() + static_cast<std::ptrdiff_t>(at - operation.offset),
                  size, content.begin() + static_cast<std::ptrdiff_t>(within));
      file.cached.sectors[sector] = sectors_->keep(content);
      unit.sectors.emplace_back(static_cast<std::uint32_t>(sector), file.cached.sectors[sector]);
      at += size;
    }
    units_.push_back(std::move(unit));
  }
}

void Disk::truncate(const Operation& operation) {
  File& file = files_.at(operation.inode);
  const Unit unit{.inode = operation.inode, .truncates = true, .size_bytes = operation.offset};
  file.cached = apply_to(std::move(file.cached), unit, Part::all);
  units_.push_back(unit);
}

Image Disk::apply_to(Image image, const Unit& unit, Part part) const {
  if (part == Part::nothing) return image;
  if (unit.truncates) {
    image.size_bytes = unit.size_bytes;
    image.sectors.resize(sectors_of(unit.size_bytes));
    if (const std::size_t used = unit.size_bytes % sector_bytes; used != 0) {
      Sectors::Content last = sectors_->at(image.sectors.back());
      std::fill(last.begin() + static_cast<std::ptrdiff_t>(used), last.end(), std::byte{0});
      image.sectors.back() = sectors_->keep(last);
    }
    return image;
  }
  const std::size_t half = unit.sectors.size() / 2;
  std::size_t first = 0;
  std::size_t end = unit.sectors.size();
  std::uint64_t size = unit.size_bytes;
  if (part == Part::first_half) {
    end = half;
    size = half == 0 ? 0 : (std::uint64_t{unit.sectors[half - 1].first} + 1) * sector_bytes;
  } else if (part == Part::second_half) {
    first = half;
  } else if (part == Part::size_alone) {
    first = end;
  }
  image.size_bytes = std::max(image.size_bytes, size);
  image.sectors.resize(sectors_of(image.size_bytes));
  for (std::size_t i = first; i < end; ++i)
    image.sectors[unit.sectors[i].first] = unit.sectors[i].second;
  return image;
}

bool Disk::is_waiting(Inode inode) const noexcept {
  return std::ranges::any_of(units_, [&](const Unit& unit) { return unit.inode == inode; }) ||
         std::ranges::any_of(names_, [&](const Operation& name) { return name.parent == inode; });
}

void Disk::settle(Inode inode) {
  const auto file = files_.find(inode);
  if (file == files_.end()) return;
  for (const Unit& unit : units_)
    if (unit.inode == inode)
      file->second.durable = apply_to(std::move(file->second.durable), unit, Part::all);
  file->second.hash = hash_of(file->second.durable);
  std::erase_if(units_, [&](const Unit& unit) { return unit.inode == inode; });
}

// What a write that syncs itself makes durable: the pages that it touches, so also what waited of
// them.
void Disk::settle_pages(Inode inode, std::uint64_t first_byte, std::uint64_t end_byte) {
  File& file = files_.at(inode);
  const std::uint64_t first = first_byte / page_bytes * (page_bytes / sector_bytes);
  const std::uint64_t end = sectors_of((end_byte + page_bytes - 1) / page_bytes * page_bytes);
  const auto is_within = [&](const Unit& unit) {
    return unit.inode == inode && !unit.truncates && unit.sectors.front().first >= first &&
           unit.sectors.back().first < end;
  };
  for (const Unit& unit : units_)
    if (is_within(unit)) file.durable = apply_to(std::move(file.durable), unit, Part::all);
  file.hash = hash_of(file.durable);
  std::erase_if(units_, is_within);
}

void Disk::settle_names(std::optional<Inode> directory) {
  const auto goes = [&](const Operation& name) { return !directory || name.parent == *directory; };
  for (const Operation& name : names_)
    if (goes(name)) apply_name(name, durable_names_);
  std::erase_if(names_, goes);
}

Hash Disk::hash_of(const Image& image) const {
  std::vector<std::uint32_t> words(image.sectors.begin(), image.sectors.end());
  words.push_back(static_cast<std::uint32_t>(image.size_bytes));
  return hash_bytes(words.data(), words.size() * sizeof words[0]);
}

void Disk::walk(const std::map<Inode, Names>& names, Inode directory, const std::string& path,
                const std::map<Inode, std::size_t>& changed, std::span<const Hash> hashes,
                Tree& into) const {
  const auto entries = names.find(directory);
  if (entries == names.end()) return;
  for (const auto& [name, inode] : entries->second) {
    const File& file = files_.at(inode);
    const std::string here = path + name;
    const auto of_changed = changed.find(inode);
    const Image* image =
        of_changed == changed.end() ? &file.durable : &into.changed[of_changed->second];
    Hash content = of_changed == changed.end() ? file.hash : hashes[of_changed->second];
    if (file.directory) content = {};
    into.entries.push_back({here, file.directory, file.directory ? nullptr : image});
    std::string all(here);
    all.push_back(file.directory ? '/' : '\0');
    all.append(reinterpret_cast<const char*>(content.data()), sizeof content);
    all.append(reinterpret_cast<const char*>(into.hash.data()), sizeof into.hash);
    into.hash = hash_bytes(all.data(), all.size());
    if (file.directory) walk(names, inode, here + '/', changed, hashes, into);
  }
}

Tree Disk::hold(std::span<const Part> units, const std::vector<bool>& names) const {
  Tree tree;
  std::map<Inode, std::size_t> changed;
  for (const Unit& unit : units_)
    if (changed.try_emplace(unit.inode, tree.changed.size()).second)
      tree.changed.push_back(files_.at(unit.inode).durable);
  for (std::size_t i = 0; i < units_.size(); ++i) {
    Image& image = tree.changed[changed.at(units_[i].inode)];
    image = apply_to(std::move(image), units_[i], units[i]);
  }
  std::vector<Hash> hashes;
  for (const Image& image : tree.changed) hashes.push_back(hash_of(image));
  if (names_.empty()) {
    walk(durable_names_, 0, "", changed, hashes, tree);
    return tree;
  }
  auto there = durable_names_;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names[i]) apply_name(names_[i], there);
  walk(there, 0, "", changed, hashes, tree);
  return tree;
}

Tree Disk::hold_all() const {
  return hold(std::vector<Part>(units_.size(), Part::all), std::vector<bool>(names_.size(), true));
}

void simulation_broke() { _exit(broken_status); }

void materialise(const Tree& tree, const Sectors& sectors, const std::filesystem::path& top) {
  for (const auto& entry : std::filesystem::directory_iterator(top))
    std::filesystem::remove_all(entry.path());
  std::vector<std::byte> bytes;
  for (const Tree::Entry& entry : tree.entries) {
    const std::string path = top / entry.path;
    if (entry.directory) {
      if (::mkdir(path.c_str(), 0700) != 0) fail("mkdir");
      continue;
    }
    const Image& image = *entry.image;
    bytes.resize(image.sectors.size() * sector_bytes);
    for (std::size_t i = 0; i < image.sectors.size(); ++i)
      std::memcpy(bytes.data() + i * sector_bytes, sectors.at(image.sectors[i]).data(),
                  sector_bytes);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) fail("open");
    const auto size = static_cast<ssize_t>(image.size_bytes);
    if (::write(fd, bytes.data(), image.size_bytes) != size) fail("write");
    ::close(fd);
  }
}

}  // namespace efface::test::power
