#include "rights/forensics.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "access/shared.h"
#include "base/check.h"
#include "rights/forensics_keys.h"

namespace efface::rights {
namespace {

namespace fs = std::filesystem;

using Kind = SealedImage::Kind;

constexpr std::size_t open_files_max = 64;

struct SearchedFile {
  fs::path path;
  ForensicsCounts counts;
};

ForensicsCount& count_of(ForensicsCounts& counts, Kind kind) noexcept {
  switch (kind) {
    case Kind::record:
      return counts.records;
    case Kind::shared:
      return counts.shared;
    case Kind::file:
      return counts.files;
    case Kind::node:
      return counts.nodes;
    case Kind::root:
      break;
  }
  return counts.roots;
}

// The files that were found, opened again as they are needed.
class Files {
 public:
  std::uint32_t add(fs::path path) {
    files_.push_back({std::move(path), {}});
    return static_cast<std::uint32_t>(files_.size() - 1);
  }
  std::vector<SearchedFile>& all() noexcept { return files_; }
  ForensicsCounts& counts(const ImagePlace& place) { return files_[place.file].counts; }

  Result<ImageFile> open(std::uint32_t number) const {
    EFFACE_ASSIGN(os::ForeignFile file, os::ForeignFile::open(files_[number].path));
    return ImageFile(std::move(file), number);
  }
  // Empty when it is not there any more.
  std::vector<std::byte> read(const ImagePlace& place) {
    auto at = open_.find(place.file);
    if (at == open_.end()) {
      if (open_.size() == open_files_max) open_.clear();
      auto file = open(place.file);
      if (!file) return {};
      at = open_.emplace(place.file, *std::move(file)).first;
    }
    auto bytes = at->second.read(place);
    return bytes ? *std::move(bytes) : std::vector<std::byte>();
  }

 private:
  std::vector<SearchedFile> files_;
  std::unordered_map<std::uint32_t, ImageFile> open_;
};

// What of keyrings was found, in all files.
struct FoundNodes {
  struct Image {
    ImagePlace place;
    bool opened = false;
    bool unanswered = false;
  };
  static Id16 name_of(const keyring::NodeId& id) noexcept {
    Id16 name{};
    store_le(name.data(), id.index);
    store_le(name.data() + 4, id.tree);
    name[8] = std::byte{id.level};
    return name;
  }
  std::vector<Image> nodes;
  std::unordered_map<Id16, std::vector<std::size_t>, Id16Hash> nodes_at;
  std::vector<Image> roots;
};

// Of one region.
class RegionNodes final : public keyring::NodeImages {
 public:
  RegionNodes(FoundNodes& found, Files& files, ForensicsKeys& keys, std::uint32_t region)
      : found_(found), files_(files), keys_(keys), region_(region) {}

  Status each_node(const keyring::NodeId& id,
                   FunctionRef<Status(std::size_t, Bytes)> look) override {
    const auto at = found_.nodes_at.find(FoundNodes::name_of(id));
    if (at == found_.nodes_at.end()) return {};
    for (const std::size_t image : at->second)
      EFFACE_TRY(look(image, files_.read(found_.nodes[image].place)));
    return {};
  }
  Status each_root(FunctionRef<Status(std::size_t, Bytes)> look) override {
    for (std::size_t image = 0; image < found_.roots.size(); ++image)
      EFFACE_TRY(look(image, files_.read(found_.roots[image].place)));
    return {};
  }
  void node_opened(std::size_t image) override { found_.nodes[image].opened = true; }
  void root_opened(std::size_t image) override { found_.roots[image].opened = true; }
  void root_unanswered(std::size_t image) override { found_.roots[image].unanswered = true; }
  Status beyond(const Beyond& found) override {
    keys_.add_beyond(region_, found);
    return {};
  }

 private:
  FoundNodes& found_;
  Files& files_;
  ForensicsKeys& keys_;
  std::uint32_t region_;
};

class Forensics {
 public:
  Forensics(ForensicsKeys keys, const ForensicsOptions& options)
      : keys_(std::move(keys)), options_(options), reached_(options.on_progress) {}

  Status expect(const fs::path& place);
  Status search(const fs::path& place);
  Status follow_nodes();
  Status search_again();
  Status open_shared();
  Result<ForensicsReport> report();

 private:
  struct OfPerson {
    std::uint64_t objects = 0;
    bool beyond_today = false;
    codec::Plaintext id{};  // Of who does not live.
  };
  struct Link {
    records::RecordKey key;
    ImagePlace place;
  };

  Status search_file(const fs::path& path);
  Status take(const SealedImage& image);
  Status take_again(const SealedImage& image);
  Status count(const SealedImage& image, OpenedImage& opened);
  Status tell_whose();

  ForensicsKeys keys_;
  const ForensicsOptions& options_;
  base::Reached reached_;
  Files files_;
  FoundNodes nodes_;
  std::map<PersonAt, OfPerson> people_;
  std::unordered_map<keyring::Handle, Link, Id16Hash> links_;  // By the record they lead to.
  std::vector<std::pair<keyring::Handle, ImagePlace>> shared_;
  ForensicsReport report_;
};

Status Forensics::count(const SealedImage& image, OpenedImage& opened) {
  ++count_of(files_.counts(image.place), image.kind).opened;
  OfPerson& person = people_[opened.whose];
  ++person.objects;
  if (opened.beyond_today) {
    ++report_.opened_beyond_today;
    person.beyond_today = true;
  }
  if (!opened.record) return {};
  const codec::RecordFields& fields = opened.record->fields;
  if (!fields.shared.empty()) {
    const auto group = access::group_of_link(*opened.record);
    if (!group) return {};
    Link link{{}, image.place};
    std::ranges::copy(image.key, link.key.begin());
    links_.try_emplace(*group, link);
  }
  const auto header = records::read_header(image.value);
  if (options_.whose && opened.beyond_today && header && header->purpose == keyring::person &&
      person.id.size() == 0) {
    person.id = codec::Plaintext(fields.value.size());
    std::ranges::copy(fields.value, person.id.data());
  }
  return {};
}

Status Forensics::take(const SealedImage& image) {
  ++count_of(files_.counts(image.place), image.kind).found;
  switch (image.kind) {
    case Kind::node:
      if (const auto id = keyring::node_of(image.key, image.value.size(), image.value)) {
        nodes_.nodes_at[FoundNodes::name_of(*id)].push_back(nodes_.nodes.size());
        nodes_.nodes.push_back({image.place});
      }
      return {};
    case Kind::root:
      nodes_.roots.push_back({image.place});
      return {};
    case Kind::shared: {
      keyring::Handle group;
      std::ranges::copy(image.key.last(group.size()), group.begin());
      shared_.emplace_back(group, image.place);
      return {};
    }
    case Kind::record:
    case Kind::file:
      break;
  }
  EFFACE_ASSIGN(auto opened, keys_.open(image));
  return opened ? count(image, *opened) : Status{};
}

// What the living open was counted the first time.
Status Forensics::take_again(const SealedImage& image) {
  if (image.kind != Kind::record && image.kind != Kind::file) return {};
  EFFACE_ASSIGN(auto opened, keys_.open(image));
  return opened && opened->beyond_today ? count(image, *opened) : Status{};
}

Status Forensics::search_file(const fs::path& path) {
  const std::uint32_t number = files_.add(path);
  auto file = files_.open(number);
  if (!file) {
    ++report_.unreadable;
    return {};
  }
  ++report_.files;
  report_.bytes += file->size();
  Status taken;
  const Status read = file->search(reached_, [&](const SealedImage& image) -> Status {
    taken = take(image);
    return taken;
  });
  if (!taken) return taken;
  if (!read) ++report_.unreadable;
  return {};
}

// How much there is, for whoever wants to know how far it is.
Status Forensics::expect(const fs::path& place) {
  if (!reached_.is_told()) return {};
  return os::each_file_below(
      place,
      [&](const fs::path& path) -> Status {
        const auto file = os::ForeignFile::open(path);
        if (file) reached_.expect(file->size());
        return {};
      },
      [] {});
}

Status Forensics::search(const fs::path& place) {
  return os::each_file_below(
      place, [&](const fs::path& path) { return search_file(path); },
      [&] { ++report_.unreadable; });
}

Status Forensics::follow_nodes() {
  if (nodes_.nodes.empty() && nodes_.roots.empty()) return {};
  for (std::uint32_t region = 0; region < keys_.regions(); ++region) {
    RegionNodes images(nodes_, files_, keys_, region);
    EFFACE_TRY(keys_.keyring(region).reach(images));
  }
  for (const FoundNodes::Image& node : nodes_.nodes)
    if (node.opened) ++files_.counts(node.place).nodes.opened;
  for (const FoundNodes::Image& root : nodes_.roots) {
    if (root.opened) ++files_.counts(root.place).roots.opened;
    if (root.unanswered && !root.opened) ++report_.roots_unanswered;
  }
  report_.beyond_today = keys_.rows_beyond();
  return {};
}

Status Forensics::search_again() {
  if (report_.beyond_today == 0) return {};
  for (std::uint32_t number = 0; number < files_.all().size(); ++number) {
    const ForensicsCounts& counts = files_.all()[number].counts;
    if (counts.records.opened == counts.records.found && counts.files.opened == counts.files.found)
      continue;
    auto file = files_.open(number);
    if (!file) continue;  // It was there a moment ago, and counted.
    Status taken;
    reached_.expect(file->size());
    static_cast<void>(file->search(reached_, [&](const SealedImage& image) -> Status {
      taken = take_again(image);
      return taken;
    }));
    EFFACE_TRY(taken);
  }
  return {};
}

// Last: a link may be found after what it leads to. No key of one is held meanwhile.
Status Forensics::open_shared() {
  for (const auto& [group, place] : shared_) {
    const auto at = links_.find(group);
    if (at == links_.end()) continue;
    const Link& link = at->second;
    const std::vector<std::byte> value = files_.read(link.place);
    EFFACE_ASSIGN(const auto opened, keys_.open({Kind::record, link.key, value, link.place}));
    if (!opened || !opened->record) continue;
    EFFACE_ASSIGN(const bool opens, keys_.opens_shared(*opened, files_.read(place)));
    if (opens) ++files_.counts(place).shared.opened;
    if (opens && opened->beyond_today) ++report_.opened_beyond_today;
  }
  return {};
}

Status Forensics::tell_whose() {
  for (const auto& [at, person] : people_) {
    ForensicsPerson told{keys_.tenant_of(at), {}, person.objects, person.beyond_today};
    EFFACE_ASSIGN(const auto id, keys_.id_of(at));
    told.subject = as_text(id ? id->bytes() : person.id.bytes());
    options_.whose(told);
  }
  return {};
}

Result<ForensicsReport> Forensics::report() {
  reached_.end();
  report_.people = people_.size();
  for (SearchedFile& file : files_.all()) {
    bool any = false;
    for (const Kind kind : {Kind::record, Kind::shared, Kind::file, Kind::node, Kind::root}) {
      const ForensicsCount& of_file = count_of(file.counts, kind);
      count_of(report_.counts, kind).found += of_file.found;
      count_of(report_.counts, kind).opened += of_file.opened;
      any = any || of_file.found != 0;
    }
    if (any && options_.on_file) options_.on_file({file.path, file.counts});
  }
  if (options_.whose) EFFACE_TRY(tell_whose());
  return report_;
}

}  // namespace

Result<ForensicsReport> forensics(const access::Site& site, std::span<const fs::path> places,
                                  const ForensicsOptions& options) {
  EFFACE_ASSIGN(ForensicsKeys keys, ForensicsKeys::of(site));
  Forensics forensics(std::move(keys), options);
  for (const fs::path& place : places) EFFACE_TRY(forensics.expect(place));
  for (const fs::path& place : places) EFFACE_TRY(forensics.search(place));
  EFFACE_TRY(forensics.follow_nodes());
  EFFACE_TRY(forensics.search_again());
  EFFACE_TRY(forensics.open_shared());
  return forensics.report();
}

}  // namespace efface::rights
