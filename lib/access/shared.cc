#include "access/shared.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/check.h"
#include "crypto/random.h"
#include "efface/limits.h"

namespace efface::access {
namespace {

constexpr std::uint8_t link_version = 1;
constexpr std::size_t link_head_bytes = 4 + 16 + crypto::key_bytes;
constexpr std::size_t tag_bytes = 16;

// A view of a link's bytes.
class Link {
 public:
  static Result<Link> read(Bytes bytes) {
    if (bytes.size() < link_head_bytes || (bytes.size() - link_head_bytes) % tag_bytes != 0 ||
        bytes[0] != std::byte{link_version} ||
        (bytes[1] != std::byte{1} && bytes[1] != std::byte{2}))
      return Error(Errc::corruption, "a link to a shared record makes no sense");
    return Link(bytes);
  }
  Sharing sharing() const noexcept { return static_cast<Sharing>(bytes_[1]); }
  subjects::PurposeNumber purpose() const noexcept {
    return load_le<std::uint16_t>(bytes_.data() + 2);
  }
  keyring::Handle group() const noexcept { return id_at(4); }
  crypto::KeyView share() const noexcept {
    return crypto::KeyView(bytes_.data() + 20, crypto::key_bytes);
  }
  std::size_t others() const noexcept { return (bytes_.size() - link_head_bytes) / tag_bytes; }
  keyring::Tag other(std::size_t i) const noexcept {
    return id_at(link_head_bytes + i * tag_bytes);
  }

 private:
  explicit Link(Bytes bytes) noexcept : bytes_(bytes) {}
  Id16 id_at(std::size_t offset) const noexcept {
    Id16 id;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), id.size(), id.begin());
    return id;
  }
  Bytes bytes_;
};

codec::Plaintext write_link(Sharing sharing, subjects::PurposeNumber purpose,
                            const keyring::Handle& group, crypto::KeyView share,
                            std::span<const Person* const> people, const Person& whose) {
  const std::size_t others = sharing == Sharing::all ? people.size() - 1 : 0;
  codec::Plaintext out(link_head_bytes + others * tag_bytes);
  store_le<std::uint16_t>(out.data() + 2, purpose);
  out.data()[0] = std::byte{link_version};
  out.data()[1] = static_cast<std::byte>(sharing);
  std::byte* at = std::ranges::copy(group, out.data() + 4).out;
  at = std::ranges::copy(share, at).out;
  if (others == 0) return out;
  for (const Person* person : people)
    if (person->tag != whose.tag) at = std::ranges::copy(person->tag, at).out;
  return out;
}

void add(crypto::SecretKey& sum, crypto::KeyView share) noexcept {
  for (std::size_t i = 0; i < share.size(); ++i) sum.bytes()[i] ^= share[i];
}

keyring::Label count_label(keyring::Label purpose) noexcept {
  return static_cast<keyring::Label>(keyring::shared_count | purpose);
}

Status check_people(std::span<const Person* const> people) {
  if (people.size() < 2)
    return Error(Errc::invalid_argument, "a shared record belongs to two people at least");
  if (people.size() > limits::people_per_record_max)
    return Error(Errc::too_large, "a record is shared by at most 64 people");
  std::unordered_set<Id16, Id16Hash> distinct;
  for (const Person* person : people) {
    if (person->home != people.front()->home)
      return Error(Errc::region_mismatch, "a record is shared within one region");
    if (!distinct.insert(person->handle).second)
      return Error(Errc::invalid_argument, "a person is named twice");
  }
  return {};
}

// Counts come first: a crash leaves one too many, until the next sweep counts anew.
Status count_links(const Activity& activity, const TenantRegion& home,
                   std::span<const Person* const> people, std::int32_t more) {
  std::vector<keyring::Amend> amends;
  for (const Person* person : people) {
    keyring::Amend& amend = amends.emplace_back();
    amend.tag = person->tag;
    amend.only_if_person = person->handle;
    amend.changes = {
        {.label = count_label(activity.purpose.number), .aux_more = more, .make = more > 0}};
  }
  EFFACE_ASSIGN(const auto held, home.region->keyring->lock());
  return home.region->keyring->amend(held, home.people(), amends);
}

// Everyone's scope, before her rows are counted on.
Status make_scopes(const Activity& activity, std::span<const Person* const> people) {
  for (const Person* person : people) {
    EFFACE_ASSIGN(const Admission admission, admit(activity, *person, Use::write));
    EFFACE_TRY(keys_with_scope(activity, *person, admission));
  }
  return {};
}

Status seal_all(const Activity& activity, std::span<const Person* const> people, Sharing sharing,
                RecordName name, Bytes value, const PutTerms& terms, SealedWrites& into) {
  const keyring::Handle group = crypto::random_id();
  auto key = crypto::SecretKey::zeroed();
  std::vector<crypto::SecretKey> shares;
  if (sharing == Sharing::any) {
    key = crypto::SecretKey::random();
  } else {
    for (std::size_t i = 0; i < people.size(); ++i) {
      shares.push_back(crypto::SecretKey::random());
      add(key, std::as_const(shares.back()).bytes());
    }
  }
  PutTerms link_terms = terms;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const crypto::SecretKey& share = sharing == Sharing::any ? key : shares[i];
    const codec::Plaintext link =
        write_link(sharing, activity.purpose.number, group, share.bytes(), people, *people[i]);
    link_terms.shared = link.bytes();
    EFFACE_TRY(seal_put(activity, *people[i], name, {}, link_terms, into));
  }
  codec::RecordFields fields;
  fields.name = as_bytes(name.text);
  fields.value = value;
  fields.written_ms = records::to_ms(activity.tenant->now());
  fields.permitted = terms.also_permitted;
  fields.origin = terms.origin;
  fields.recipients.assign(terms.recipients.begin(), terms.recipients.end());
  fields.automated_decision = terms.automated_decision;
  const TenantRegion& home = *people.front()->home;
  records::Change change;
  change.key = records::record_key(group, {});
  change.is_group = true;
  change.is_data = false;
  change.value =
      records::seal_group({home.region->id, home.ref.number, group}, std::as_const(key).bytes(),
                          fields, activity.purpose.terms.compress);
  into.bytes += change.value.size();
  into.changes.push_back(std::move(change));
  return {};
}

const keyring::Row* successor_of(const keyring::Keys& keys, keyring::Label purpose) noexcept {
  return keys.find(keyring::scope_label(purpose, keyring::successor));
}

// For a reader the others must be readable too; for a duty it is enough that their keys are there.
enum class SharesFor : bool { reading, a_duty };

// Adds the share of one of the others. Answers whether she and her link are there.
Result<bool> add_share(const Person& reader, const keyring::Tag& tag,
                       subjects::PurposeNumber purpose, const records::OpenRecord& link,
                       const keyring::Handle& group, SharesFor what_for, crypto::SecretKey& sum) {
  const TenantRegion& home = *reader.home;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, home.region->keyring->keys(home.people(), tag));
  const keyring::Row* row = keys->find(keyring::person);
  const keyring::Row* scope = keys->find(purpose);
  if (row == nullptr || scope == nullptr) return false;
  const Person other{reader.tenant, &home, tag, row->handle};
  if (what_for == SharesFor::reading) {
    EFFACE_TRY(check_person(*keys, other, Use::read));
    EFFACE_ASSIGN(const LegalBasis basis, reader.tenant->basis_of(purpose));
    EFFACE_TRY(check_basis(basis, scope));
  }
  for (const keyring::Row* at : {scope, successor_of(*keys, purpose)}) {
    if (at == nullptr) continue;
    const Located place = locate(*at, as_text(link.fields.name));
    bool added = false;
    EFFACE_TRY(home.region->vault->get(place.key, [&](Bytes value) -> Status {
      EFFACE_ASSIGN(const records::OpenRecord hers,
                    open_value(other, *keys, *at, place.tag, value));
      if (hers.fields.shared.empty()) return {};
      EFFACE_ASSIGN(const Link theirs, Link::read(hers.fields.shared));
      if (theirs.group() != group) return {};
      add(sum, theirs.share());
      added = true;
      return {};
    }));
    if (added) return true;
  }
  return false;
}

// Nothing: somebody else's share is gone.
Result<std::optional<crypto::SecretKey>> sum_of_shares(const Person& person, const Link& mine,
                                                       const records::OpenRecord& link,
                                                       SharesFor what_for) {
  auto key = crypto::SecretKey::copy_of(mine.share());
  for (std::size_t i = 0; i < mine.others(); ++i) {
    EFFACE_ASSIGN(const bool there, add_share(person, mine.other(i), mine.purpose(), link,
                                              mine.group(), what_for, key));
    if (!there) return std::optional<crypto::SecretKey>();
  }
  return std::optional(std::move(key));
}

}  // namespace

Status put_shared(const Activity& activity, std::span<const Person* const> people, Sharing sharing,
                  RecordName name, Bytes value, const PutTerms& terms) {
  EFFACE_TRY(check_people(people));
  if (sharing != Sharing::any && sharing != Sharing::all)
    return Error(Errc::invalid_argument, "a record is shared by any or by all");
  if (value.size() > limits::value_bytes_max)
    return Error(Errc::too_large, "a value is larger than 16 MiB");
  EFFACE_TRY(make_scopes(activity, people));
  const TenantRegion& home = *people.front()->home;
  EFFACE_TRY(count_links(activity, home, people, 1));
  SealedWrites writes;
  Status stored = seal_all(activity, people, sharing, name, value, terms, writes);
  if (stored) stored = commit(activity, home, writes);
  if (!stored && stored.error().code() != Errc::outcome_unknown)
    EFFACE_TRY(count_links(activity, home, people, -1));
  return stored;
}

Result<std::optional<records::OpenRecord>> followed(
    const Person& person, Result<std::optional<records::OpenRecord>> found) {
  if (!found || !*found || (**found).fields.shared.empty()) return found;
  return follow(person, **found);
}

Result<std::optional<records::OpenRecord>> follow(const Person& person,
                                                  const records::OpenRecord& link) {
  EFFACE_ASSIGN(const Link mine, Link::read(link.fields.shared));
  EFFACE_ASSIGN(const auto key, sum_of_shares(person, mine, link, SharesFor::reading));
  if (!key) return std::optional<records::OpenRecord>();
  const TenantRegion& home = *person.home;
  std::optional<records::OpenRecord> record;
  EFFACE_TRY(home.region->vault->get_group(mine.group(), [&](Bytes value) -> Status {
    EFFACE_ASSIGN(record, records::open_group({home.region->id, home.ref.number, mine.group()},
                                              key->bytes(), value));
    return {};
  }));
  if (record) record->fields.expires_ms = link.fields.expires_ms;
  return record;
}

Result<keyring::Handle> group_of_link(const records::OpenRecord& link) {
  EFFACE_ASSIGN(const Link mine, Link::read(link.fields.shared));
  return mine.group();
}

Result<bool> opens_group_image(const GroupImage& image, const Person* person,
                               const records::OpenRecord& link) {
  EFFACE_ASSIGN(const Link mine, Link::read(link.fields.shared));
  if (person == nullptr && mine.others() != 0) return false;
  std::optional<crypto::SecretKey> key;
  if (person == nullptr) {
    key = crypto::SecretKey::copy_of(mine.share());
  } else {
    EFFACE_ASSIGN(key, sum_of_shares(*person, mine, link, SharesFor::a_duty));
  }
  if (!key) return false;
  return records::open_group({image.region, image.tenant, mine.group()},
                             std::as_const(*key).bytes(), image.sealed)
      .has_value();
}

Status note_links_gone(const Activity& activity, const SealedWrites& writes) {
  std::vector<const Person*> people;
  for (const records::Change& change : writes.changes) {
    if (!change.was_link || writes.scopes.empty()) continue;
    // What was left at an old place while a scope is re-keyed goes by the next sweep's count.
    for (const SealedWrites::Scope& scope : writes.scopes)
      if (std::equal(scope.handle.begin(), scope.handle.end(), change.key.begin()))
        people.push_back(&scope.person);
  }
  if (people.empty()) return {};
  return count_links(activity, *people.front()->home, people, -1);
}

// ---- sweeping ----

namespace {

struct Sweep {
  const std::shared_ptr<TenantState>& tenant;
  const TenantRegion& home;
  std::size_t records_max;
  std::unordered_set<Id16, Id16Hash>& alive;  // Shared records that somebody opens.
};

// Whether all of the others are still there.
Result<bool> leads_somewhere(const Sweep& sweep, subjects::PurposeNumber purpose,
                             const Link& link) {
  for (std::size_t i = 0; i < link.others(); ++i) {
    EFFACE_ASSIGN(const keyring::SharedKeys keys,
                  sweep.home.region->keyring->keys(sweep.home.people(), link.other(i)));
    if (keys->find(keyring::person) == nullptr || keys->find(purpose) == nullptr ||
        keys->find(count_label(purpose)) == nullptr)
      return false;
  }
  return true;
}

// Of one scope's links: how many lead somewhere. The others are removed.
Result<std::uint32_t> sweep_links(const Sweep& sweep, const Person& person,
                                  const keyring::Keys& keys, const keyring::Row& scope) {
  std::uint32_t leading = 0;
  std::vector<records::Change> dead;
  records::Vault& vault = *sweep.home.region->vault;
  std::vector<std::pair<records::RecordKey, std::vector<std::byte>>> links;
  EFFACE_TRY(vault.each(scope.handle, [&](const records::RecordKey& key, Bytes value) -> Status {
    EFFACE_ASSIGN(const records::ClearHeader header, records::read_header(value));
    if ((header.flags & records::flag_link) != 0)
      links.emplace_back(key, std::vector<std::byte>(value.begin(), value.end()));
    return {};
  }));
  for (const auto& [key, value] : links) {
    const auto link = open_value(person, keys, scope, records::tag_of(key), value);
    if (!link && link.error().code() == Errc::expired) continue;
    EFFACE_TRY(link);
    EFFACE_ASSIGN(const Link opened, Link::read(link->fields.shared));
    EFFACE_ASSIGN(const bool leads,
                  leads_somewhere(sweep, keyring::purpose_of(scope.label), opened));
    if (leads) {
      ++leading;
      sweep.alive.insert(opened.group());
      continue;
    }
    records::Change gone;
    gone.key = key;
    gone.expect = records::Change::Expect::nonce;
    std::ranges::copy(records::nonce_of(value), gone.nonce.begin());
    dead.push_back(std::move(gone));
  }
  if (dead.empty()) return leading;
  const Status removed = sweep.home.region->vault->commit(dead, records::to_ms(sweep.tenant->now()),
                                                          []() -> Status { return {}; });
  if (!removed && removed.error().code() != Errc::conflict) return removed.error();
  return leading;
}

Status sweep_person(const Sweep& sweep, const keyring::Tag& tag) {
  keyring::Keyring& keyring = *sweep.home.region->keyring;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keyring.keys(sweep.home.people(), tag));
  const keyring::Row* row = keys->find(keyring::person);
  if (row == nullptr) return {};
  const Person person{sweep.tenant, &sweep.home, tag, row->handle};
  std::map<keyring::Label, std::uint32_t> leading;
  for (const keyring::Row& scope : keys->rows()) {
    if (!keyring::is_scope(scope.label)) continue;
    EFFACE_ASSIGN(const std::uint32_t links, sweep_links(sweep, person, *keys, scope));
    leading[keyring::purpose_of(scope.label)] += links;
  }
  keyring::Amend amend;
  amend.tag = tag;
  amend.only_if_person = row->handle;
  for (const auto& [purpose, links] : leading) {
    const keyring::Row* counted = keys->find(count_label(purpose));
    if (counted == nullptr || counted->aux == links) continue;
    // As a difference: what is shared meanwhile is counted beside it.
    amend.changes.push_back(
        {.label = count_label(purpose),
         .aux_more = static_cast<std::int32_t>(links) - static_cast<std::int32_t>(counted->aux)});
  }
  if (amend.changes.empty()) return {};
  EFFACE_ASSIGN(const auto held, keyring.lock());
  return keyring.amend(held, sweep.home.people(), {&amend, 1});
}

}  // namespace

Result<std::size_t> sweep_shared(std::span<const std::shared_ptr<TenantState>> tenants,
                                 RegionState& region, std::size_t records_per_commit_max) {
  // The records first: each was stored together with its links, so one without any lost them.
  EFFACE_ASSIGN(const std::vector<keyring::Handle> groups, region.vault->groups());
  if (groups.empty()) return std::size_t{0};
  std::unordered_set<Id16, Id16Hash> alive;
  for (const auto& tenant : tenants) {
    for (const TenantRegion& home : tenant->regions()) {
      if (home.region.get() != &region || home.ref.number == 0) continue;
      std::vector<keyring::Tag> sharing;
      const Status walked =
          region.keyring->walk(home.people(), [&](keyring::RowView row) -> Result<Flow> {
            if ((row.label() & ~keyring::purpose_mask) == keyring::shared_count)
              sharing.push_back(row.tag());
            return Flow::more;
          });
      if (!walked && walked.error().code() == Errc::tenant_unknown) continue;
      EFFACE_TRY(walked);
      const Sweep sweep{tenant, home, records_per_commit_max, alive};
      for (const keyring::Tag& tag : sharing) EFFACE_TRY(sweep_person(sweep, tag));
    }
  }
  std::vector<records::Change> gone;
  for (const keyring::Handle& group : groups) {
    if (alive.contains(group)) continue;
    records::Change& change = gone.emplace_back();
    change.key = records::record_key(group, {});
    change.is_group = true;
    change.is_data = false;
  }
  for (std::size_t i = 0; i < gone.size(); i += records_per_commit_max)
    EFFACE_TRY(region.vault->commit(
        std::span(gone).subspan(i, std::min(records_per_commit_max, gone.size() - i)), 0,
        []() -> Status { return {}; }));
  return gone.size();
}

}  // namespace efface::access
