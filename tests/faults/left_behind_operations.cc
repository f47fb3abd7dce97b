// What is done to a store that a crash left half way, that others have changed, or whose files are
// not as they were; and questions that only few ask.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "base/check.h"
#include "efface/doctor.h"
#include "efface/forensics.h"
#include "faults/injector.h"
#include "faults/operations.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Kind = Operation::Kind;

// Answers whether a child ended so.
template <class F>
bool child_ends(int status, F body) {
  const pid_t pid = ::fork();
  if (pid < 0) std::abort();
  if (pid == 0) ::_exit(body());
  int ended = 0;
  if (::waitpid(pid, &ended, 0) != pid) std::abort();
  return WIFEXITED(ended) && WEXITSTATUS(ended) == status;
}

// A process does that to the store, and ends in place of one of its calls: so many hundredths of
// them it has made.
Status crash_in(World& world, const Operation& what, std::size_t hundredths) {
  const bool two_regions = world.region_names().size() > 1;
  world.close();
  const fs::path rehearsal = world.home() / "rehearsal";
  const auto run = [&](const fs::path& home, std::size_t stop) -> int {
    World left(home, two_regions, {}, world.manner());
    if (!left.open()) return 1;
    const Run body = what.prepare(left);
    if (stop == 0)
      arm({});
    else
      stop_at(stop);
    const Status done = body(left);
    disarm();
    std::ofstream(world.home() / "calls") << calls_seen().size();
    return done ? 0 : 2;
  };
  fs::create_directory(rehearsal);
  fs::permissions(rehearsal, fs::perms::owner_all);
  for (const auto& entry : fs::directory_iterator(world.home()))
    if (entry.path() != rehearsal)
      fs::copy(entry.path(), rehearsal / entry.path().filename(), fs::copy_options::recursive);
  if (!child_ends(0, [&] { return run(rehearsal, 0); }))
    return Error(Errc::conflict, "it cannot be rehearsed");
  fs::remove_all(rehearsal);
  std::size_t calls = 0;
  std::ifstream(world.home() / "calls") >> calls;
  fs::remove(world.home() / "calls");
  if (!child_ends(stopped_status, [&] { return run(world.home(), calls * hundredths / 100); }))
    return Error(Errc::conflict, "it does not crash");
  return {};
}

Operation after_crash_in(Operation next, const Operation& crashed, std::size_t hundredths) {
  next.name += "_after_" + crashed.name + "_" + std::to_string(hundredths);
  next.two_regions = crashed.two_regions;
  next.in_steps = true;
  if (next.kind == Kind::reads) next.acts_on_what_it_finds = true;  // Or mends what was left.
  next.before = [crashed, hundredths](World& world) {
    return crash_in(world, crashed, hundredths);
  };
  return next;
}

Status share(World& world, Sharing how, const char* name, std::initializer_list<const char*> ids) {
  std::vector<Subject> people;
  for (const char* id : ids) people.push_back(world.subject(id));
  std::vector<const Subject*> all;
  for (const Subject& who : people) all.push_back(&who);
  return world.activity("orders").put_shared(all, how, RecordName(name), as_bytes("ours"));
}

Status share_some(World& world) {
  EFFACE_TRY(share(world, Sharing::all, "shared~7Qz3Vw9K",
                   {"ann~7Qz3Vw9K", "fay~7Qz3Vw9K", "bob~7Qz3Vw9K"}));
  return share(world, Sharing::any, "lent~7Qz3Vw9K", {"ann~7Qz3Vw9K", "fay~7Qz3Vw9K"});
}

// Some of what is shared leads nowhere any more.
Status share_and_lose_one(World& world) {
  EFFACE_TRY(share_some(world));
  EFFACE_TRY(share(world, Sharing::all, "gone~7Qz3Vw9K", {"cat~7Qz3Vw9K", "fay~7Qz3Vw9K"}));
  return status_of(world.tenant().erase(world.subject("fay~7Qz3Vw9K")));
}

void add_shared(std::vector<Operation>& all) {
  const auto of_ann = [](auto body) {
    return [body](World& world) -> Run {
      auto ann = std::make_shared<Subject>(world.subject("ann~7Qz3Vw9K"));
      return [ann, body, activity = world.activity("orders")](World& now) mutable {
        return status_of(body(now, *ann, activity));
      };
    };
  };
  const auto get = of_ann([](World&, Subject& ann, Activity& activity) {
    return activity.get(ann, RecordName("shared~7Qz3Vw9K"));
  });
  const auto scan = of_ann([](World&, Subject& ann, Activity& activity) {
    return activity.scan(ann, {}, [](std::string_view, Bytes) { return Flow::more; });
  });
  const auto put = of_ann([](World&, Subject& ann, Activity& activity) {
    return activity.put(ann, RecordName("shared~7Qz3Vw9K"), as_bytes("mine"));
  });
  const auto shred = of_ann([](World&, Subject& ann, Activity& activity) {
    return activity.remove(ann, RecordName("first~7Qz3Vw9K"), Shred::now);
  });
  const auto tell = of_ann([](World& world, Subject& ann, Activity&) {
    return world.tenant().export_subject(ann, {}, [](Bytes) -> Status { return {}; });
  });
  const auto tidy = operation_in(all, "maintain").prepare;
  all.push_back({"get_of_several", Kind::reads, false, {}, get, share_some});
  all.push_back({"scan_of_several", Kind::reads, false, {}, scan, share_some});
  all.push_back({"export_of_several", Kind::reads, false, {}, tell, share_some});
  all.push_back({"put_over_several", Kind::writes, false, {}, put, share_some, true});
  all.push_back({"shred_beside_several", Kind::destroys, false, {}, shred, share_some, true});
  all.push_back(
      {"maintain_of_several", Kind::decides, false, Days(4), tidy, share_and_lose_one, true});
}

void add_questions(std::vector<Operation>& all) {
  all.push_back({"verifier_key", Kind::reads, false, {}, [](World& world) -> Run {
                   if (!world.store().verifier_key(world.region())) std::abort();
                   return
                       [](World& now) { return status_of(now.store().verifier_key(now.region())); };
                 }});
  all.back().acts_on_what_it_finds = true;
  all.push_back({"consistency_proof", Kind::reads, false, {}, [](World& world) -> Run {
                   std::string then = world.store().checkpoint(world.region()).value();
                   return [then = std::move(then)](World& now) {
                     return status_of(now.store().consistency_proof(now.region(), then));
                   };
                 }});
  all.back().acts_on_what_it_finds = true;
  all.push_back(of_store("each_decision", Kind::reads, [](World& world) {
    return world.store().each_decision(world.region(), 0,
                                       [](const Decision&) { return Flow::more; });
  }));
  all.push_back(of_store("each_concerned", Kind::reads, [](World& world) {
    return world.store().each_concerned(
        1, world.tenant(),
        [](std::string_view, std::span<const std::string_view>) { return Flow::more; });
  }));
  all.push_back(of_store("notification", Kind::reads, [](World& world) {
    return world.store().notification(1, world.tenant(), Audience::authority);
  }));
  all.push_back(of_store("count", Kind::reads, [](World& world) -> Status {
    EFFACE_ASSIGN(const Purpose orders, world.tenant().purpose("orders"));
    return status_of(world.tenant().count({.purpose = orders, .held = false}));
  }));
  all.push_back({"forensics", Kind::reads, false, {}, [](World& world) -> Run {
                   const std::array<fs::path, 2> places{world.home() / "store", world.backup()};
                   return [places](World& now) {
                     return status_of(
                         now.store().forensics(places, {.whose = [](const ForensicsPerson&) {}}));
                   };
                 }});
  all.back().before = [](World& world) -> Status {
    EFFACE_TRY(share_some(world));
    return status_of(world.store().backup({world.backup()}));
  };
}

void add_crashed(std::vector<Operation>& all) {
  const Operation find = of_store("find", Kind::decides, [](World& world) {
    return world.tenant().subject(SubjectId("ann~7Qz3Vw9K"));
  });
  const Operation erase_by_id = of_store("erase_by_id", Kind::destroys, [](World& world) {
    const std::array ids{SubjectId("ann~7Qz3Vw9K"), SubjectId("fay~7Qz3Vw9K")};
    return world.tenant().erase(ids);
  });
  const Operation transfer = operation_in(all, "transfer");
  const Operation merge = operation_in(all, "merge");
  const Operation shred = operation_in(all, "shred");
  for (const std::size_t part : {40u, 60u, 75u, 90u})
    all.push_back(after_crash_in(find, transfer, part));
  for (const std::size_t part : {30u, 50u, 70u}) all.push_back(after_crash_in(find, merge, part));
  all.push_back(after_crash_in(erase_by_id, transfer, 60));
  all.push_back(after_crash_in(erase_by_id, merge, 50));
  for (const std::size_t part : {40u, 60u})
    for (const char* name : {"get", "scan", "put", "update", "remove", "shred", "put_shared",
                             "export_json", "maintain", "exposure"})
      all.push_back(after_crash_in(operation_in(all, name), shred, part));
}

// The copy of the ledger is not as it was left.
void add_copies(std::vector<Operation>& all) {
  const auto with_copy = [&](std::string name, auto change) {
    Operation opened = operation_in(all, "open");
    opened.name = std::move(name);
    opened.acts_on_what_it_finds = true;  // The copy is made anew from it.
    opened.before = [change](World& world) -> Status {
      world.close();
      change(world.home() / "store" / "eu" / "ledger");
      return {};
    };
    all.push_back(std::move(opened));
  };
  with_copy("open_without_copy", [](const fs::path& copy) { fs::remove(copy); });
  with_copy("open_with_a_copy_cut",
            [](const fs::path& copy) { fs::resize_file(copy, fs::file_size(copy) / 2); });
  with_copy("open_with_a_copy_too_long", [](const fs::path& copy) {
    std::ofstream(copy, std::ios::app) << std::string(40, '\x11');
  });
}

// Another process changes the store after it was opened.
Operation after_others(Operation next, const Operation& theirs) {
  next.name += "_after_others_" + theirs.name;
  next.manner = Manner::shared;
  next.in_steps = true;
  if (next.kind == Kind::reads) next.acts_on_what_it_finds = true;
  next.prepare = [ours = next.prepare, theirs](World& world) -> Run {
    Run run = ours(world);
    const bool two_regions = world.region_names().size() > 1;
    const auto act = [&] {
      World other(world.home(), two_regions, {}, Manner::shared);
      if (!other.open()) return 1;
      static_cast<void>(theirs.prepare(other)(other));  // The second time it is done already.
      return 0;
    };
    if (!child_ends(0, act)) std::abort();
    return run;
  };
  return next;
}

void add_others(std::vector<Operation>& all) {
  const Operation object = operation_in(all, "object");
  const Operation erase = operation_in(all, "suppress");
  const Operation declare = operation_in(all, "declare_tenant");
  for (const char* name : {"get", "scan", "put", "enrol", "erase", "restrict", "transfer"})
    all.push_back(after_others(operation_in(all, name), erase));
  all.push_back(after_others(operation_in(all, "put"), object));
  all.push_back(after_others(operation_in(all, "declare_purpose"), declare));
}

}  // namespace

void add_left_behind(std::vector<Operation>& all) {
  add_shared(all);
  add_questions(all);
  add_crashed(all);
  add_copies(all);
  add_others(all);
}

}  // namespace efface::test
