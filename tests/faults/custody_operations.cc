// Root keys that move to another store, capsules, mirrors, and a store that processes share.
#include <array>
#include <cstdlib>
#include <fstream>

#include "base/check.h"
#include "faults/injector.h"
#include "faults/operations.h"
#include "support/file_content.h"
#include "support/root_keys_over.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Kind = Operation::Kind;

Operation like(std::string_view name, std::string as, const std::vector<Operation>& all,
               Manner manner) {
  Operation other = operation_in(all, name);
  other.name = std::move(as);
  other.manner = manner;
  return other;
}

// Holds what it is told to destroy.
class RootKeysThatStay final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  Status destroy(Epoch epoch) override {
    if (stays) return Error(Errc::token_unavailable, "told to stay");
    return RootKeysOver::destroy(epoch);
  }
  bool stays = false;
};

// The region has moved, and what it left still holds keys.
Status move_and_leave_keys(World& world) {
  world.close();
  EFFACE_ASSIGN(std::shared_ptr<RootKeyStore> file,
                FileRootKeyStore::open(root_key_options(world.root_key("eu"))));
  RootKeysThatStay left(std::move(file));
  EFFACE_TRY(world.open_next_root_keys());
  OpenOptions options = world.options();
  options.regions[0].root_keys = &left;
  {
    EFFACE_ASSIGN(const Store store, Store::open(options));
    left.stays = true;
    const auto moved =
        store.migrate_root(store.region("eu").value(), world.other_root_keys(), Actor("desk"));
    if (moved || moved.error().code() != Errc::erase_pending)
      return Error(Errc::conflict, "the keys that were left are gone");
  }
  world.close();
  return {};
}

void add_moves(std::vector<Operation>& all) {
  all.push_back({"migrate_root", Kind::destroys, false, {}, [](World& world) -> Run {
                   if (!world.open_next_root_keys()) std::abort();
                   return [](World& now) {
                     return status_of(now.store().migrate_root(now.region(), now.other_root_keys(),
                                                               Actor("desk")));
                   };
                 }});
  all.push_back({"retire_root", Kind::destroys, false, {}, [](World& world) -> Run {
                   if (!world.open_left_root_keys()) std::abort();
                   return [](World& now) {
                     return now.store().retire_root(now.region(), now.other_root_keys());
                   };
                 }});
  all.back().before = move_and_leave_keys;
  all.push_back(of_store("commit_expiry", Kind::destroys, [](World& world) -> Status {
    EFFACE_ASSIGN(const ExpiryPlan plan, world.store().prepare_expiry());
    return status_of(world.store().commit_expiry(plan.token));
  }));
  all.back().later = Days(4);
  all.back().in_steps = true;
}

// The same in every process; a child has none of its parent's keys.
Result<RecipientKeyPair> capsule_keys() {
  std::array<std::byte, 32> secret;
  secret.fill(std::byte{7});
  return RecipientKeyPair::from_secret(secret);
}

Status make_capsule(World& world) {
  EFFACE_ASSIGN(const RecipientKeyPair keys, capsule_keys());
  CapsuleOptions options{world.capsule(), keys.public_key(),
                         std::chrono::system_clock::now() + std::chrono::hours(24 * 30)};
  return status_of(world.store().make_capsule(world.region(), options, Actor("desk")));
}

fs::path verifier_path(const World& world) { return world.home() / "verifier"; }

// The capsule and the ledger's copy are left, and a root key file that knows no keyring.
Status lose_the_keyring(World& world) {
  EFFACE_ASSIGN(const std::string verifier, world.store().verifier_key(world.region()));
  std::ofstream(verifier_path(world)) << verifier;
  world.close();
  fs::remove_all(world.home() / "store" / "eu" / "keyring");
  fs::remove(world.root_key("eu"));
  return status_of(FileRootKeyStore::create(root_key_options(world.root_key("eu"))));
}

RestoreOptions from_capsule(const World& world, const RecipientKeyPair& keys,
                            const std::string& verifier) {
  const Unhindered own;
  RestoreOptions how;
  how.capsules = {{"eu", world.capsule(), &keys, verifier}};
  return how;
}

void add_capsules(std::vector<Operation>& all) {
  all.push_back(of_store("make_capsule", Kind::decides, make_capsule));
  all.back().look = [](World& world, bool acknowledged) -> std::string {
    if (fs::exists(world.capsule()) == acknowledged) return "";
    return acknowledged ? "a capsule that was acknowledged is not there"
                        : "a capsule that failed left something";
  };
  all.push_back({"restore_capsule", Kind::opens, false, {}, [](World& world) -> Run {
                   std::string verifier = file_content(verifier_path(world));
                   return [verifier = std::move(verifier)](World& now) -> Status {
                     EFFACE_TRY(now.open_root_keys());
                     EFFACE_ASSIGN(const RecipientKeyPair keys, capsule_keys());
                     auto done = Store::restore(now.options(), from_capsule(now, keys, verifier));
                     // It was broken off when the keyring was back.
                     if (!done && done.error().code() == Errc::exists)
                       done = Store::restore(now.options(), {});
                     return status_of(done);
                   };
                 }});
  all.back().before = [](World& world) -> Status {
    EFFACE_TRY(make_capsule(world));
    return lose_the_keyring(world);
  };
  all.back().opens_only_after = true;
  all.back().in_steps = true;
  all.back().acts_on_what_it_finds = true;
  // With a capsule from before what was decided since.
  all.push_back(all.back());
  all.back().name = "restore_capsule_of_before";
  all.back().before = [](World& world) -> Status {
    EFFACE_TRY(make_capsule(world));
    EFFACE_TRY(world.tenant().erase(world.subject("fay~7Qz3Vw9K")));
    EFFACE_TRY(world.tenant().withdraw(world.subject("ann~7Qz3Vw9K"), world.purpose("news")));
    EFFACE_TRY(world.tenant().suppress(SubjectId("bob~7Qz3Vw9K")));
    EFFACE_TRY(world.tenant().suppress(SubjectId("ida~7Qz3Vw9K")));
    EFFACE_TRY(world.store().rotate_root(world.region(), Actor("desk")));
    EFFACE_TRY(world.tenant().object(world.subject("ann~7Qz3Vw9K"), world.purpose("ads")));
    return lose_the_keyring(world);
  };
  all.push_back(all.back());
  all.back().name = "restore_capsule_offboarded";
  all.back().before = [](World& world) -> Status {
    EFFACE_TRY(make_capsule(world));
    EFFACE_TRY(world.tenant().release(world.subject("cat~7Qz3Vw9K"), 1));
    EFFACE_ASSIGN(const OffboardPlan plan, world.store().prepare_offboard(world.tenant()));
    EFFACE_TRY(world.store().offboard(Tenant(world.tenant()), plan.token));
    return lose_the_keyring(world);
  };
  all.push_back(of_store("verify_backup", Kind::reads,
                         [](World& world) { return Store::verify_backup(world.backup()); }));
  all.back().before = [](World& world) {
    return status_of(world.store().backup({world.backup()}));
  };
}

void add_manners(std::vector<Operation>& all) {
  all.push_back(like("open", "open_mirrored", all, Manner::mirrored));
  all.push_back(like("open", "open_by_mirror", all, Manner::mirrored));
  all.back().before = [](World& world) -> Status {
    world.close();
    fs::remove_all(world.home() / "store" / "eu" / "keyring");
    return {};
  };
  all.back().keyring_is_lost = true;
  all.back().acts_on_what_it_finds = true;
  all.push_back(like("open", "open_with_a_mirror_behind", all, Manner::mirrored));
  all.back().before = [](World& world) -> Status {
    world.close();
    fs::remove_all(world.mirror("eu"));
    return {};
  };
  all.push_back(like("erase", "erase_mirrored", all, Manner::mirrored));
  all.push_back(like("maintain", "maintain_mirrored", all, Manner::mirrored));
  all.push_back(like("migrate_root", "migrate_root_mirrored", all, Manner::mirrored));
  all.push_back(like("put", "put_shared_store", all, Manner::shared));
  all.push_back(like("erase", "erase_shared_store", all, Manner::shared));
  all.push_back(like("open", "open_shared_store", all, Manner::shared));
  all.push_back(like("open", "open_verified", all, Manner::verified));
  all.push_back(like("open", "open_elsewhere", all, Manner::elsewhere));
  all.push_back(like("create", "create_elsewhere", all, Manner::elsewhere));
  for (const auto& [manner, with] : {std::pair(Manner::passphrase, "_by_passphrase"),
                                     std::pair(Manner::composite, "_by_composite"),
                                     std::pair(Manner::replicated, "_by_replicas")})
    for (const std::string name : {"open", "create", "erase", "rotate_root", "migrate_root"})
      all.push_back(like(name, name + with, all, manner));
}

}  // namespace

void add_custody(std::vector<Operation>& all) {
  add_moves(all);
  add_capsules(all);
  add_manners(all);
}

}  // namespace efface::test
