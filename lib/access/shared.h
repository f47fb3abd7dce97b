// access/shared.h -- records that belong to several people of one tenant and region.
//
// Such a record stands under a random handle, sealed under a random key. Each of its people has a
// link to it among her own records, sealed like any of them: `any` links hold that key, so that
// each reads it alone; `all` links hold a share each, the key being the XOR of all of them, and the
// tags of the others, so that it is read only while all are there. Erasing one of them destroys her
// link with her keys; what nobody can open any more is swept.
//
// Shape  A link: version 1 | mode 1 | purpose 2 | handle 16 | key or share 32 | tags 16 each (all).
#pragma once
#include "access/access.h"

namespace efface::access {

Status put_shared(const Activity& activity, std::span<const Person* const> people, Sharing sharing,
                  RecordName name, Bytes value, const PutTerms& terms);

// What a link of hers leads to. Nothing: it cannot be opened any more. Errors: of an `all` record,
// what keeps one of the others from being read.
Result<std::optional<records::OpenRecord>> follow(const Person& person,
                                                  const records::OpenRecord& link);
// A record as it is, or what it leads to when it is a link.
Result<std::optional<records::OpenRecord>> followed(
    const Person& person, Result<std::optional<records::OpenRecord>> found);

// Of a sealed shared record that was found elsewhere: whether it opens by a link to it, that of a
// living person or, of an `any` record, of nobody who lives (null). Not whether she may read it.
struct GroupImage {
  const Id16& region;
  std::uint32_t tenant;
  Bytes sealed;
};
Result<keyring::Handle> group_of_link(const records::OpenRecord& link);
Result<bool> opens_group_image(const GroupImage& image, const Person* person,
                               const records::OpenRecord& link);

// Her links that were overwritten or removed are counted no more.
Status note_links_gone(const Activity& activity, const SealedWrites& writes);

// Removes what nobody can open, and the links that lead to it; counts the others anew. Answers how
// many records went.
Result<std::size_t> sweep_shared(std::span<const std::shared_ptr<TenantState>> tenants,
                                 RegionState& region, std::size_t records_per_commit_max);

}  // namespace efface::access
