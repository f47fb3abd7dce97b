// custody/members.h -- the root key stores that one is made of, and the steps that all of them
// take.
//
// An epoch is whole when every member holds its key; all that is wrapped, is wrapped under a whole
// one. An interrupted step leaves epochs that some hold: keys that were made in part, and have
// wrapped nothing, or that were destroyed in part. Either way they have to go, wherever they stand,
// before another is made. The epoch in force (the anchor's) is whole always: where it is not, a
// member is not what it was, and nothing is destroyed but what is named.
//
// Threads  As RootKeyStore.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "custody/wrapped.h"
#include "efface/root_key_store.h"

namespace efface::custody {

using Epochs = std::vector<Epoch>;

class Members {
 public:
  using StoreId = RootKeyStore::StoreId;
  struct Member {
    StoreId id;
    RootKeyStore* store;  // Null: it is not here.
  };

  // In ascending order of their ids. Errors: invalid_argument.
  static Result<Members> of(Kind kind, std::span<RootKeyStore* const> here,
                            std::span<const StoreId> absent, std::size_t count_max);

  const std::vector<Member>& all() const noexcept { return members_; }
  const StoreId& id() const noexcept { return id_; }

  // What each member holds, in their order.
  struct Held {
    std::vector<std::optional<Epochs>> by_member;  // Nothing for one that did not answer.
    std::optional<Error> unanswered;               // The first.
    Epochs whole() const;                          // By all that answered; ascending.
    Epochs any() const;                            // By any.
    bool answered() const;                         // Whether one did.
  };
  Held look() const;

  // Makes the key of an epoch at all of them, or at those that an interrupted step left without.
  Status create(Epoch epoch, const Anchor& anchor);

  // Destroys an epoch at every member and makes another, if one is named; goes on after failures.
  struct Step {
    std::vector<bool> gone;  // Of each member, whether it confirmed that it holds the key no more.
    std::optional<Error> failure;  // The first; exists only when there is no other.
    unsigned confirmed() const noexcept;
  };
  Step rotate(Epoch destroyed, std::optional<Epoch> created, const Anchor& anchor);

  // Any error: not within. An absent member is not asked.
  Result<bool> lies_within(const std::string& directory) const;
  // How many of those that are here answer yes.
  Result<std::size_t> share_volume(const std::string& directory) const;
  std::size_t keep_in_clear() const;

 private:
  Members(Kind kind, std::vector<Member> members);
  Status check_in_force(const Held& held, const Anchor& anchor) const;
  Status tidy(const Member& member, const Epochs& held, const Epochs& keep) const;
  Status rotate_one(const Member& member, Epoch destroyed, std::optional<Epoch> created,
                    const Anchor& anchor, const Epochs& held, const Epochs& whole) const;

  std::vector<Member> members_;
  StoreId id_;
};

bool contains(const Epochs& epochs, Epoch epoch) noexcept;
// The newer of two anchors of one keyring.
const Anchor& newer(const Anchor& a, const Anchor& b) noexcept;
// Of a member that is not here.
Error absent() noexcept;

}  // namespace efface::custody
