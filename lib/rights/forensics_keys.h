// rights/forensics_keys.h -- what could open a sealed object that was found elsewhere: the keys of
// all who live, looked for by handle; and those that old pages of a keyring gave away.
//
// Memory   Of who lives, a handle and a tag for each row, and no key: keys come from the keyring as
//          they are needed. Keys that were given away are held in locked memory, up to a limit.
// Errors   Those of reading today's keyring. What does not open is none.
#pragma once
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "access/person_records.h"
#include "access/site.h"
#include "keyring/images.h"
#include "rights/forensics_images.h"

namespace efface::rights {

struct PersonAt {
  std::uint32_t region = 0;  // Of those that are open, by name.
  std::uint32_t tenant = 0;  // Its number there.
  keyring::Tag tag{};
  friend auto operator<=>(const PersonAt&, const PersonAt&) = default;
};

struct OpenedImage {
  PersonAt whose;
  bool beyond_today = false;
  std::optional<records::OpenRecord> record{};  // None of a file.
};

class ForensicsKeys {
 public:
  static constexpr std::size_t rows_kept_max = 32'768;

  static Result<ForensicsKeys> of(const access::Site& site);

  std::size_t regions() const noexcept { return regions_.size(); }
  keyring::Keyring& keyring(std::size_t region) const { return *regions_[region]->keyring; }

  // A row that old pages of that region's keyring gave away. Beyond rows_kept_max it is counted
  // alone.
  void add_beyond(std::uint32_t region, const keyring::NodeImages::Beyond& found);
  std::uint64_t rows_beyond() const noexcept { return rows_beyond_.size(); }

  // A record, a shared one excepted, or a file. Nothing: it does not open.
  Result<std::optional<OpenedImage>> open(const SealedImage& image) const;
  // A shared record by a link to it that was opened.
  Result<bool> opens_shared(const OpenedImage& link, Bytes sealed) const;

  // Empty when the tenant is gone.
  std::string_view tenant_of(const PersonAt& person) const;
  // Nothing: it is not on record. Of who lives only.
  Result<std::optional<codec::Plaintext>> id_of(const PersonAt& person) const;

 private:
  struct Home {
    std::shared_ptr<access::TenantState> tenant;
    const access::TenantRegion* home;
    std::uint32_t region;
  };
  struct Living {
    std::uint32_t home;
    keyring::Tag tag;
  };
  using TenantAt = std::pair<std::uint32_t, std::uint32_t>;  // Region, number.
  struct Scope {
    PersonAt whose;
    const keyring::Row* row;
  };

  Status load(const access::Site& site);
  Status load_people(std::uint32_t home);
  const Home* home_of(const PersonAt& person) const;
  Result<keyring::SharedKeys> living_keys(const PersonAt& person) const;
  access::Person person_of(const Home& home, const keyring::Tag& tag,
                           const keyring::Keys& keys) const;
  Result<std::optional<OpenedImage>> open_living(const SealedImage& image,
                                                 const keyring::Handle& handle) const;
  Result<std::optional<OpenedImage>> open_beyond(const SealedImage& image,
                                                 const keyring::Handle& handle) const;
  Result<std::optional<OpenedImage>> open_beyond(const SealedImage& image,
                                                 const Scope& scope) const;

  std::vector<std::shared_ptr<access::RegionState>> regions_;
  std::vector<Home> homes_;
  std::map<TenantAt, std::uint32_t> home_at_;
  std::unordered_map<keyring::Handle, Living, Id16Hash> living_;

  std::unordered_set<Id16, Id16Hash> rows_beyond_;
  std::map<PersonAt, std::vector<keyring::Row>> people_beyond_;
  std::unordered_map<keyring::Handle, PersonAt, Id16Hash> handles_beyond_;
  std::map<std::pair<TenantAt, records::Bucket>, keyring::Row> days_beyond_;
  std::size_t rows_kept_ = 0;
};

}  // namespace efface::rights
