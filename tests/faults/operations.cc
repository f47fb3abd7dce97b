#include "faults/operations.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "faults/injector.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

using Kind = Operation::Kind;

// With a person and an activity that were obtained before.
template <class F>
Operation on_person(std::string name, Kind kind, const char* id, const char* why, F body) {
  return {std::move(name), kind, false, {}, [id, why, body](World& world) -> Run {
            auto who = std::make_shared<Subject>(world.subject(id));
            auto activity = std::make_shared<Activity>(world.activity(why));
            return [who, activity, body](World& now) -> Status {
              return status_of(body(now, *who, *activity));
            };
          }};
}

IncidentTerms lost_laptop() {
  const Unhindered own;
  IncidentTerms terms;
  terms.from = terms.until = terms.discovered =
      std::chrono::system_clock::now() - std::chrono::minutes(1);
  terms.exposed.keyring = true;
  terms.reference = "a lost laptop";
  return terms;
}

void add_records(std::vector<Operation>& all) {
  all.push_back(on_person(
      "get", Kind::reads, "ann~7Qz3Vw9K", "orders",
      [](World&, Subject& who, auto& a) { return a.get(who, RecordName("first~7Qz3Vw9K")); }));
  all.push_back(
      on_person("scan", Kind::reads, "ann~7Qz3Vw9K", "orders", [](World&, Subject& who, auto& a) {
        return a.scan(who, {}, [](std::string_view, Bytes) { return Flow::more; });
      }));
  all.push_back(
      on_person("put", Kind::writes, "ann~7Qz3Vw9K", "orders", [](World&, Subject& who, auto& a) {
        return a.put(who, RecordName("new~7Qz3Vw9K"), as_bytes("fresh~7Qz3Vw9K"));
      }));
  all.push_back(on_person(
      "put_again", Kind::writes, "ann~7Qz3Vw9K", "orders", [](World&, Subject& who, auto& a) {
        return a.put(who, RecordName("second~7Qz3Vw9K"), as_bytes("another~7Qz3Vw9K"));
      }));
  all.push_back(on_person("put_new", Kind::decides, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject&, auto& a) {
                            return a.put(SubjectId("hugo~7Qz3Vw9K"), world.region(),
                                         RecordName("new~7Qz3Vw9K"), as_bytes("fresh~7Qz3Vw9K"));
                          }));
  all.back().in_steps = true;  // She may be enrolled without the record.
  all.push_back(on_person("update", Kind::writes, "ann~7Qz3Vw9K", "orders",
                          [](World&, Subject& who, auto& a) {
                            return a.update(who, RecordName("first~7Qz3Vw9K"),
                                            [](std::optional<Bytes>) -> Result<Update> {
                                              return Update::put(as_bytes("two~7Qz3Vw9K"));
                                            });
                          }));
  all.push_back(on_person(
      "remove", Kind::writes, "ann~7Qz3Vw9K", "orders",
      [](World&, Subject& who, auto& a) { return a.remove(who, RecordName("first~7Qz3Vw9K")); }));
  all.push_back(on_person("shred", Kind::destroys, "ann~7Qz3Vw9K", "orders",
                          [](World&, Subject& who, auto& a) {
                            return a.remove(who, RecordName("first~7Qz3Vw9K"), Shred::now);
                          }));
  all.back().in_steps = true;
  all.push_back(on_person(
      "batch", Kind::writes, "ann~7Qz3Vw9K", "orders", [](World& world, Subject& who, auto& a) {
        Batch batch = a.batch(world.region());
        Status put = batch.put(who, RecordName("new~7Qz3Vw9K"), as_bytes("fresh~7Qz3Vw9K"));
        if (!put) return put;
        put = batch.remove(who, RecordName("first~7Qz3Vw9K"));
        if (!put) return put;
        return a.commit(std::move(batch));
      }));
  all.push_back(on_person("put_relaxed", Kind::writes, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto& a) -> Status {
                            PutOptions options;
                            options.durability = Durability::relaxed;
                            EFFACE_TRY(a.put(who, RecordName("new~7Qz3Vw9K"),
                                             as_bytes("fresh~7Qz3Vw9K"), options));
                            return world.store().sync();
                          }));
  all.back().in_steps = true;
  all.push_back({"put_shared", Kind::decides, false, {}, [](World& world) -> Run {
                   auto ann = std::make_shared<Subject>(world.subject("ann~7Qz3Vw9K"));
                   auto fay = std::make_shared<Subject>(world.subject("fay~7Qz3Vw9K"));
                   return [ann, fay, activity = world.activity("orders")](World&) -> Status {
                     const std::array<const Subject*, 2> both{ann.get(), fay.get()};
                     return activity.put_shared(both, Sharing::any, RecordName("shared~7Qz3Vw9K"),
                                                as_bytes("ours~7Qz3Vw9K"));
                   };
                 }});
}

void add_terms(std::vector<Operation>& all) {
  all.push_back(of_store("declare_tenant", Kind::decides, [](World& world) {
    const std::vector<Region> regions = world.regions();
    return world.store().declare_tenant("other", regions, Actor("desk"));
  }));
  all.back().in_steps = true;
  all.push_back(of_store("declare_purpose", Kind::decides,
                         [](World& world) { return world.tenant().declare_purpose({"support"}); }));
  all.push_back(of_store("set_agreement", Kind::decides, [](World& world) {
    return world.tenant().set_agreement({"contract 7", std::chrono::sys_days{}});
  }));
  all.push_back(of_store("permit_transfer", Kind::decides, [](World& world) {
    return world.tenant().permit_transfer({"eu", "us", TransferBasis::adequacy});
  }));
  all.push_back(of_store("enrol", Kind::decides, [](World& world) {
    return world.tenant().enrol(SubjectId("hugo~7Qz3Vw9K"), world.region());
  }));
  all.push_back(of_store("enrol_many", Kind::decides, [](World& world) {
    const std::array ids{SubjectId("hugo~7Qz3Vw9K"), SubjectId("ida~7Qz3Vw9K"),
                         SubjectId("ann~7Qz3Vw9K")};
    return world.tenant().find_or_enrol(ids, world.region());
  }));
}

void add_rights(std::vector<Operation>& all) {
  all.push_back(on_person("grant", Kind::decides, "fay~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) -> Status {
                            EFFACE_ASSIGN(const Purpose news, world.tenant().purpose("news"));
                            return world.tenant().grant(who, news, {"v2", "phone"});
                          }));
  all.push_back(on_person("withdraw", Kind::destroys, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) -> Status {
                            EFFACE_ASSIGN(const Purpose news, world.tenant().purpose("news"));
                            return status_of(world.tenant().withdraw(who, news));
                          }));
  all.push_back(on_person("object", Kind::decides, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) -> Status {
                            EFFACE_ASSIGN(const Purpose ads, world.tenant().purpose("ads"));
                            return world.tenant().object(who, ads);
                          }));
  all.push_back(on_person("lift_objection", Kind::decides, "bob~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) -> Status {
                            EFFACE_ASSIGN(const Purpose ads, world.tenant().purpose("ads"));
                            return world.tenant().lift_objection(who, ads);
                          }));
  all.push_back(
      on_person("restrict", Kind::decides, "ann~7Qz3Vw9K", "orders",
                [](World& world, Subject& who, auto&) { return world.tenant().restrict(who); }));
  all.push_back(on_person(
      "lift_restriction", Kind::decides, "dan~7Qz3Vw9K", "orders",
      [](World& world, Subject& who, auto&) { return world.tenant().lift_restriction(who); }));
  all.push_back(on_person("hold", Kind::decides, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) {
                            return world.tenant().hold(who, {"audit", "another reason"});
                          }));
  all.push_back(
      on_person("release", Kind::decides, "cat~7Qz3Vw9K", "orders",
                [](World& world, Subject& who, auto&) { return world.tenant().release(who, 1); }));
  all.back().in_steps = true;
  all.push_back(on_person("dossier", Kind::reads, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) {
                            return world.tenant().dossier(who, [](const Dossier&) {});
                          }));
  all.push_back(on_person("add_identifier", Kind::decides, "ann~7Qz3Vw9K", "orders",
                          [](World& world, Subject& who, auto&) {
                            return world.tenant().add_identifier(who, SubjectId("hugo~7Qz3Vw9K"));
                          }));
  all.push_back(of_store("reinstate", Kind::decides, [](World& world) {
    return world.tenant().reinstate(SubjectId("eve~7Qz3Vw9K"), "she asked for it");
  }));
  all.push_back(of_store("query", Kind::reads, [](World& world) {
    return world.tenant().query({.recipient = "nobody"}, {},
                                [](std::string_view, const Region&) {});
  }));
  all.push_back(of_store("processing_record", Kind::reads,
                         [](World& world) { return world.tenant().processing_record(); }));
}

void add_exports(std::vector<Operation>& all) {
  all.push_back(on_person(
      "export_json", Kind::reads, "ann~7Qz3Vw9K", "orders", [](World& world, Subject& who, auto&) {
        return world.tenant().export_subject(who, {}, [](Bytes) -> Status { return {}; });
      }));
  all.push_back(of_store("export_sealed", Kind::reads, [](World& world) -> Status {
    EFFACE_ASSIGN(const RecipientKeyPair keys, RecipientKeyPair::generate());
    return status_of(world.tenant().export_all({ExportFormat::flatbuffers, keys.public_key()},
                                               [](Bytes) -> Status { return {}; }));
  }));
  all.push_back(of_store("receipt", Kind::reads, [](World& world) {
    return world.tenant().receipt(as_bytes("request-1"));
  }));
  all.back().acts_on_what_it_finds = true;
  all.push_back(of_store("checkpoint", Kind::reads,
                         [](World& world) { return world.store().checkpoint(world.region()); }));
  all.back().acts_on_what_it_finds = true;
  all.push_back(of_store("stats", Kind::reads, [](World& world) { return world.store().stats(); }));
  all.push_back(
      of_store("diagnose", Kind::reads, [](World& world) { return world.store().diagnose(); }));
  all.push_back(of_store("check", Kind::reads, [](World& world) -> Status {
    EFFACE_ASSIGN(const CheckReport report, world.store().check());
    // Damage where there is none would be a lie; an unreadable byte is an error.
    if (!report.clean()) return Error(Errc::corruption, "the check finds damage in a sound store");
    return {};
  }));
  all.push_back(of_store("backup", Kind::takes_a_copy,
                         [](World& world) { return world.store().backup({world.backup()}); }));
}

void add_erasures(std::vector<Operation>& all) {
  const auto erase = [](World& world) -> Run {
    auto who = std::make_shared<Subject>(world.subject("ann~7Qz3Vw9K"));
    return [who](World& now) -> Status { return status_of(now.tenant().erase(std::move(*who))); };
  };
  all.push_back({"erase", Kind::destroys, false, {}, erase});
  all.push_back(of_store("erase_many", Kind::destroys, [](World& world) {
    const std::array ids{SubjectId("ann~7Qz3Vw9K"), SubjectId("bob~7Qz3Vw9K"),
                         SubjectId("ida~7Qz3Vw9K")};
    return world.tenant().erase(ids);
  }));
  all.push_back(of_store("suppress", Kind::destroys, [](World& world) {
    return world.tenant().suppress(SubjectId("bob~7Qz3Vw9K"));
  }));
  all.back().in_steps = true;
  all.push_back({"merge", Kind::destroys, false, {}, [](World& world) -> Run {
                   auto into = std::make_shared<Subject>(world.subject("ann~7Qz3Vw9K"));
                   auto from = std::make_shared<Subject>(world.subject("fay~7Qz3Vw9K"));
                   return [into, from](World& now) -> Status {
                     return status_of(now.tenant().merge(*into, std::move(*from)));
                   };
                 }});
  all.back().in_steps = true;
  all.push_back(on_person(
      "transfer", Kind::destroys, "ann~7Qz3Vw9K", "orders", [](World& world, Subject& who, auto&) {
        return world.tenant().transfer(who, world.region("us"), TransferBasis::adequacy);
      }));
  all.back().two_regions = true;
  all.back().in_steps = true;
  all.push_back(of_store("offboard", Kind::destroys, [](World& world) -> Status {
    EFFACE_ASSIGN(const OffboardPlan plan, world.store().prepare_offboard(world.tenant()));
    return status_of(world.store().offboard(Tenant(world.tenant()), plan.token));
  }));
  all.back().in_steps = true;
  all.back().before = [](World& world) {
    return status_of(world.tenant().release(world.subject("cat~7Qz3Vw9K"), 1));
  };
  all.push_back(of_store("maintain", Kind::decides, [](World& world) {
    MaintainOptions now;
    now.residue_window = std::chrono::hours(0);
    now.records_per_commit_max = 3;
    return world.store().maintain(now);
  }));
  all.back().later = Days(4);
  all.back().in_steps = true;  // In bounded transactions.
  all.push_back(of_store("rotate_root", Kind::destroys, [](World& world) {
    return world.store().rotate_root(world.region(), Actor("desk"));
  }));
}

void add_incidents(std::vector<Operation>& all) {
  all.push_back(of_store("open_incident", Kind::decides, [](World& world) {
    return world.store().open_incident(lost_laptop(), Actor("desk"));
  }));
  all.push_back(of_store("update_incident", Kind::decides, [](World& world) {
    return world.store().update_incident(1, "it is found", Actor("desk"));
  }));
  all.push_back(of_store("note_notified", Kind::decides, [](World& world) {
    return world.store().note_notified(1, Audience::authority, Actor("desk"));
  }));
  all.push_back(of_store("close_incident", Kind::decides, [](World& world) {
    return world.store().close_incident(1, Actor("desk"));
  }));
  all.push_back(of_store("exposure", Kind::reads, [](World& world) {
    return world.store().exposure(1, [](const TenantExposure&) {});
  }));
}

void add_lives(std::vector<Operation>& all) {
  const auto run = [](auto body) {
    return
        [body](World&) -> Run { return [body](World& world) { return status_of(body(world)); }; };
  };
  all.push_back({"open", Kind::opens, false, {}, run([](World& world) { return world.open(); })});
  all.push_back({"create", Kind::creates, false, {}, run([](World& world) -> Status {
                   EFFACE_TRY(world.create_root_keys());
                   return world.create_store();
                 })});
  // What restore leaves is refused by open until it is done again.
  all.push_back({"restore", Kind::opens, false, {}, run([](World& world) -> Status {
                   EFFACE_TRY(world.open_root_keys());
                   return status_of(Store::restore(world.options(), {world.backup()}));
                 })});
  all.back().acts_on_what_it_finds = true;
  all.back().in_steps = true;
  all.back().before = [](World& world) -> Status {
    EFFACE_TRY(world.store().backup({world.backup()}));
    return world.activity("orders").put(world.subject("ann~7Qz3Vw9K"), RecordName("new~7Qz3Vw9K"),
                                        as_bytes("later"));
  };
}

std::vector<Operation> all_of_them() {
  std::vector<Operation> all;
  add_records(all);
  add_terms(all);
  add_rights(all);
  add_exports(all);
  add_erasures(all);
  add_incidents(all);
  add_lives(all);
  add_custody(all);
  add_left_behind(all);
  return all;
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = all_of_them();
  return all;
}

const Operation& operation_in(const std::vector<Operation>& all, std::string_view name) {
  for (const Operation& one : all)
    if (one.name == name) return one;
  std::abort();
}

const Operation& operation(std::string_view name) { return operation_in(operations(), name); }

}  // namespace efface::test
