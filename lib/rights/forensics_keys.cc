#include "rights/forensics_keys.h"

#include <algorithm>

#include "access/shared.h"
#include "base/check.h"
#include "crypto/prf.h"

namespace efface::rights {
namespace {

using Kind = SealedImage::Kind;
using Opened = std::optional<OpenedImage>;

// Another key, a key that is gone, or bytes that are not what they were.
bool is_not_opened(Errc code) noexcept {
  switch (code) {
    case Errc::corruption:
    case Errc::format_new:
    case Errc::expired:
    case Errc::subject_erased:
    case Errc::tenant_unknown:
      return true;
    default:
      return false;
  }
}

Result<Opened> none_or(Error error) {
  if (is_not_opened(error.code())) return Opened();
  return error;
}

// Whether the handle of such a row is one of records.
bool names_records(keyring::Label label) noexcept {
  return label == keyring::person || (keyring::purpose_of(label) != 0 &&
                                      keyring::incarnation_of(label) <= keyring::arriving_scope);
}

keyring::Handle handle_of(const SealedImage& image) noexcept {
  if (image.kind == Kind::file) return keyring::person_of_file(image.key);
  keyring::Handle handle;
  std::copy_n(image.key.begin(), handle.size(), handle.begin());
  return handle;
}

Id16 tag_in(const SealedImage& image) noexcept {
  Id16 tag;
  std::copy_n(image.key.begin() + 16, tag.size(), tag.begin());
  return tag;
}

const keyring::Row* row_of(std::span<const keyring::Row> rows, const keyring::Handle& handle) {
  const auto at = std::ranges::find_if(rows, [&](const keyring::Row& row) {
    return row.handle == handle && names_records(row.label);
  });
  return at == rows.end() ? nullptr : &*at;
}

}  // namespace

Result<ForensicsKeys> ForensicsKeys::of(const access::Site& site) {
  ForensicsKeys keys;
  EFFACE_TRY(keys.load(site));
  return keys;
}

Status ForensicsKeys::load(const access::Site& site) {
  for (const auto& region : site.regions())
    if (region->open) regions_.push_back(region);
  for (const auto& tenant : site.tenants()) {
    for (const access::TenantRegion& home : tenant->regions()) {
      const auto region = std::ranges::find(regions_, home.region);
      if (region == regions_.end() || home.ref.number == 0) continue;
      const auto number = static_cast<std::uint32_t>(region - regions_.begin());
      const auto index = static_cast<std::uint32_t>(homes_.size());
      home_at_[{number, home.ref.number}] = index;
      homes_.push_back({tenant, &home, number});
      EFFACE_TRY(load_people(index));
    }
  }
  return {};
}

Status ForensicsKeys::load_people(std::uint32_t home) {
  const access::TenantRegion& at = *homes_[home].home;
  std::uint32_t leaves = 1;
  for (std::uint32_t leaf = 0; leaf < leaves; ++leaf) {
    const auto walked = at.region->keyring->walk_leaf(at.people(), leaf, [&](keyring::RowView row) {
      if (names_records(row.label())) living_[row.handle()] = {home, row.tag()};
    });
    if (!walked && walked.error().code() == Errc::tenant_unknown) return {};  // Gone meanwhile.
    EFFACE_TRY(walked);
    leaves = *walked;
  }
  return {};
}

const ForensicsKeys::Home* ForensicsKeys::home_of(const PersonAt& person) const {
  const auto at = home_at_.find({person.region, person.tenant});
  return at == home_at_.end() ? nullptr : &homes_[at->second];
}

// Empty where there is nobody, or no such tenant.
Result<keyring::SharedKeys> ForensicsKeys::living_keys(const PersonAt& person) const {
  const auto nothing = [] {
    return std::make_shared<const keyring::Keys>(std::vector<keyring::Row>());
  };
  const Home* const home = home_of(person);
  if (home == nullptr) return keyring::SharedKeys(nothing());
  auto keys = regions_[person.region]->keyring->keys(home->home->people(), person.tag);
  if (!keys && keys.error().code() == Errc::tenant_unknown) return keyring::SharedKeys(nothing());
  return keys;
}

access::Person ForensicsKeys::person_of(const Home& home, const keyring::Tag& tag,
                                        const keyring::Keys& keys) const {
  const keyring::Row* const row = keys.find(keyring::person);
  return {home.tenant, home.home, tag, row == nullptr ? keyring::Handle{} : row->handle};
}

void ForensicsKeys::add_beyond(std::uint32_t region, const keyring::NodeImages::Beyond& found) {
  const keyring::RowView& row = found.row;
  std::array<std::byte, 8> tree;
  store_le(tree.data(), region);
  store_le(tree.data() + 4, found.tree);
  if (!rows_beyond_.insert(crypto::hash128({tree, row.key()})).second) return;
  if (found.tree == keyring::top_tree || rows_kept_ == rows_kept_max) return;
  const bool of_people = found.tree % 2 == 0;
  if (of_people && (names_records(row.label()) || row.label() == keyring::hold_key)) {
    const PersonAt whose{region, found.tenant, row.tag()};
    people_beyond_[whose].push_back(row.copy());
    handles_beyond_[row.handle()] = whose;
    ++rows_kept_;
  }
  if (!of_people && row.label() == keyring::bucket_key) {
    days_beyond_.insert_or_assign({{region, found.tenant}, row.aux()}, row.copy());
    ++rows_kept_;
  }
}

Result<Opened> ForensicsKeys::open_living(const SealedImage& image,
                                          const keyring::Handle& handle) const {
  const auto at = living_.find(handle);
  if (at == living_.end()) return Opened();
  const Home& home = homes_[at->second.home];
  const PersonAt whose{home.region, home.home->ref.number, at->second.tag};
  EFFACE_ASSIGN(const keyring::SharedKeys keys, living_keys(whose));
  const keyring::Row* const row = row_of(keys->rows(), handle);
  if (row == nullptr) return Opened();  // Erased, or re-keyed, meanwhile.
  if (image.kind == Kind::file) {
    if (!keyring::opens_file(home.home->region->id, image.key, row->key.bytes(), image.value))
      return Opened();
    return Opened(OpenedImage{whose});
  }
  auto record = access::open_for_a_duty(person_of(home, whose.tag, *keys), *keys, *row,
                                        tag_in(image), image.value);
  if (!record) return none_or(record.error());
  return Opened(OpenedImage{whose, false, *std::move(record)});
}

// By every key of the bucket that is there today, or was given away.
Result<Opened> ForensicsKeys::open_beyond(const SealedImage& image, const Scope& scope) const {
  const Id16& region = regions_[scope.whose.region]->id;
  if (image.kind == Kind::file) {
    if (!keyring::opens_file(region, image.key, scope.row->key.bytes(), image.value))
      return Opened();
    return Opened(OpenedImage{scope.whose, true});
  }
  const auto header = records::read_header(image.value);
  if (!header) return Opened();
  std::vector<const keyring::Row*> buckets;
  keyring::SharedKeys today;
  if (header->bucket == records::kept_by_hold) {
    EFFACE_ASSIGN(today, living_keys(scope.whose));
    buckets.push_back(today->find(keyring::hold_key));
    if (const auto hers = people_beyond_.find(scope.whose); hers != people_beyond_.end())
      for (const keyring::Row& row : hers->second)
        if (row.label == keyring::hold_key) buckets.push_back(&row);
  } else {
    if (const Home* const home = home_of(scope.whose)) {
      const auto found = home->home->region->keyring->keys(home->home->buckets(),
                                                           records::bucket_tag(header->bucket));
      if (!found) return none_or(found.error());
      today = *found;
      buckets.push_back(today->find(keyring::bucket_key));
    }
    const TenantAt tenant{scope.whose.region, scope.whose.tenant};
    if (const auto day = days_beyond_.find({tenant, header->bucket}); day != days_beyond_.end())
      buckets.push_back(&day->second);
  }
  for (const keyring::Row* const bucket : buckets) {
    if (bucket == nullptr) continue;
    auto record = access::open_image({region, scope.whose.tenant, *scope.row, *bucket},
                                     tag_in(image), image.value);
    if (record) return Opened(OpenedImage{scope.whose, true, *std::move(record)});
    if (!is_not_opened(record.error().code())) return record.error();
  }
  return Opened();
}

Result<Opened> ForensicsKeys::open_beyond(const SealedImage& image,
                                          const keyring::Handle& handle) const {
  if (const auto at = handles_beyond_.find(handle); at != handles_beyond_.end()) {
    for (const keyring::Row& row : people_beyond_.at(at->second)) {
      if (row.handle != handle || !names_records(row.label)) continue;
      EFFACE_ASSIGN(Opened opened, open_beyond(image, Scope{at->second, &row}));
      if (opened) return opened;
    }
  }
  // A scope that lives, and a day or a hold that should be gone.
  const auto at = living_.find(handle);
  if (at == living_.end() || image.kind == Kind::file) return Opened();
  const Home& home = homes_[at->second.home];
  const PersonAt whose{home.region, home.home->ref.number, at->second.tag};
  EFFACE_ASSIGN(const keyring::SharedKeys keys, living_keys(whose));
  const keyring::Row* const row = row_of(keys->rows(), handle);
  if (row == nullptr) return Opened();
  return open_beyond(image, Scope{whose, row});
}

Result<Opened> ForensicsKeys::open(const SealedImage& image) const {
  const keyring::Handle handle = handle_of(image);
  EFFACE_ASSIGN(Opened opened, open_living(image, handle));
  if (opened || rows_kept_ == 0) return opened;
  return open_beyond(image, handle);
}

Result<bool> ForensicsKeys::opens_shared(const OpenedImage& link, Bytes sealed) const {
  const access::GroupImage image{regions_[link.whose.region]->id, link.whose.tenant, sealed};
  const Home* const home = home_of(link.whose);
  const auto opens = [&]() -> Result<bool> {
    if (home == nullptr) return access::opens_group_image(image, nullptr, *link.record);
    EFFACE_ASSIGN(const keyring::SharedKeys keys, living_keys(link.whose));
    const access::Person person = person_of(*home, link.whose.tag, *keys);
    return access::opens_group_image(image, &person, *link.record);
  }();
  if (!opens && is_not_opened(opens.error().code())) return false;
  return opens;
}

std::string_view ForensicsKeys::tenant_of(const PersonAt& person) const {
  const Home* const home = home_of(person);
  return home == nullptr ? std::string_view() : std::string_view(home->tenant->name());
}

Result<std::optional<codec::Plaintext>> ForensicsKeys::id_of(const PersonAt& person) const {
  using Id = std::optional<codec::Plaintext>;
  const Home* const home = home_of(person);
  if (home == nullptr) return Id();
  EFFACE_ASSIGN(const keyring::SharedKeys keys, living_keys(person));
  if (keys->find(keyring::person) == nullptr) return Id();
  auto id = access::id_of(person_of(*home, person.tag, *keys));
  if (!id && is_not_opened(id.error().code())) return Id();
  EFFACE_TRY(id);
  return Id(*std::move(id));
}

}  // namespace efface::rights
