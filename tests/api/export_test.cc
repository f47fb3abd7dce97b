// Taking along all that is known of a person, or of all people of a tenant.
#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "access/person_records.h"
#include "api/handles.h"
#include "crypto/hex.h"
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

using nlohmann::json;

constexpr ExportOptions as_json{};
constexpr ExportOptions as_flat{ExportFormat::flatbuffers, {}};

auto source_of(Bytes bytes) {
  return [bytes](std::span<std::byte> into) mutable -> Result<std::size_t> {
    const Bytes piece = bytes.first(std::min(into.size(), bytes.size()));
    std::copy(piece.begin(), piece.end(), into.begin());
    bytes = bytes.subspan(piece.size());
    return piece.size();
  };
}

std::string unsealed(std::string_view sealed, const RecipientKeyPair& keys) {
  std::string plain;
  const auto opened = open_export(source_of(as_bytes(sealed)), keys, [&](Bytes piece) -> Status {
    plain += as_text(piece);
    return {};
  });
  return opened ? plain : std::string("error: ") + name(opened.error().code());
}

std::string in_json(std::string_view flat) {
  std::string text;
  const auto people = export_to_json(source_of(as_bytes(flat)), [&](Bytes piece) -> Status {
    text += as_text(piece);
    return {};
  });
  return people ? text : std::string("error: ") + name(people.error().code());
}

class Exports : public RightsTest {
 protected:
  struct Taken {
    std::optional<Errc> error;
    std::uint64_t people = 0;
    std::string bytes;
    std::size_t calls = 0;
  };

  Taken take(
      const Subject& subject, const ExportOptions& options,
      FunctionRef<void()> after_first = [] {}) {
    Taken taken;
    taken.error = code_of(tenant_->export_subject(subject, options, [&](Bytes piece) -> Status {
      taken.bytes += as_text(piece);
      if (++taken.calls == 1) after_first();
      return {};
    }));
    return taken;
  }

  Taken take_all(const ExportOptions& options, FunctionRef<void()> after_first = [] {}) {
    Taken taken;
    const auto people = tenant_->export_all(options, [&](Bytes piece) -> Status {
      taken.bytes += as_text(piece);
      if (++taken.calls == 1) after_first();
      return {};
    });
    taken.error = code_of(people);
    taken.people = people ? *people : 0;
    return taken;
  }

  json export_of(const Subject& subject) {
    const Taken taken = take(subject, as_json);
    EXPECT_EQ(taken.error, std::nullopt);
    return json::parse(taken.bytes, nullptr, false);
  }

  json record_of(const Subject& subject, std::string_view record) {
    const json said = export_of(subject);
    for (const json& each : said["records"])
      if (each["name"] == record) return each;
    return {};
  }

  // How often each id is in an export of lines.
  static std::map<std::string, int> ids_in(const std::string& lines) {
    std::map<std::string, int> ids;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);)
      ++ids[json::parse(line)["subject"]["id"].get<std::string>()];
    return ids;
  }

  std::vector<Subject> enrol_many(std::string_view prefix, std::size_t people, const Region& home) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < people; ++i)
      texts.push_back(std::string(prefix) + std::to_string(i));
    std::vector<SubjectId> ids(texts.begin(), texts.end());
    return tenant_->find_or_enrol(ids, home).value();
  }

  void reopen_in(std::string region) {
    OpenOptions here = options();
    here.processing_region = std::move(region);
    reopen_with(here);
  }

  // From now on what is done after so many looks at the clock: one for each record that expires.
  void do_after(int looks, std::function<void()> what) {
    looks_left_ = looks;
    what_then_ = std::move(what);
  }
  void reopen_with_clock() {
    OpenOptions watched = options();
    watched.now = [] {
      if (looks_left_ != 0 && --looks_left_ == 0) what_then_();
      return std::chrono::system_clock::now() + offset_;
    };
    reopen_with(watched);
  }

  void erase_all_of(std::span<const std::string> texts) {
    ASSERT_TRUE(tenant_->erase(std::vector<SubjectId>(texts.begin(), texts.end())));
  }

 private:
  void TearDown() override { looks_left_ = 0; }

  void reopen_with(const OpenOptions& here) {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
    auto store = Store::open(here);
    ASSERT_TRUE(store) << name(store.error().code());
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  static inline int looks_left_ = 0;
  static inline std::function<void()> what_then_;
};

TEST_F(Exports, SayAllThatIsKnownOfHer) {
  const Subject alice = enrol("alice");
  grant(alice);
  const Purpose also[] = {purpose("fraud")};
  const std::string_view recipients[] = {"post", "bank"};
  PutOptions options;
  options.also_permitted = also;
  options.origin = "sign-up form";
  options.recipients = recipients;
  options.automated_decision = true;
  put(alice, "logs", "login", "from home", options);
  put(alice, "news", "topic", "\xff\x00");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  ASSERT_TRUE(tenant_->restrict(alice));
  ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@example.org")));
  ASSERT_TRUE(tenant_->hold(alice, {"litigation", "case 7", {}}));

  const json said = export_of(alice);
  ASSERT_TRUE(said.is_object());
  EXPECT_EQ(said["format"], "efface.export");
  EXPECT_EQ(said["tenant"], "acme");
  EXPECT_EQ(said["region"], "eu");
  EXPECT_EQ(said["subject"],
            json::parse(R"({"id":"alice","aliases":["alice@example.org"],"restricted":true,)"
                        R"("held":true,"erasure_asked":false,"events_dropped":0})"));
  EXPECT_EQ(said["counts"], json::parse(R"({"records":2,"events":5,"holds":1})"));

  ASSERT_EQ(said["records"].size(), 2u);
  json login = said["records"][1];
  EXPECT_LT(login["written"], login["expires"]);
  login.erase("written");
  login.erase("expires");
  EXPECT_EQ(login, json::parse(R"({"purpose":"logs","legal_basis":"contract","name":"login",)"
                               R"("value":{"text":"from home"},"origin":"sign-up form",)"
                               R"("recipients":["post","bank"],"also_permitted":["fraud"],)"
                               R"("automated_decision":true,"kept_by_hold":false})"));
  const json& topic = said["records"][0];
  EXPECT_EQ(topic["legal_basis"], "consent");
  EXPECT_EQ(topic["value"], json::parse(R"({"base64":"/w=="})"));
  EXPECT_TRUE(topic["expires"].is_null());
  EXPECT_TRUE(topic["origin"].is_null());

  std::vector<std::string> events;
  for (const json& event : said["events"]) events.push_back(event["kind"]);
  EXPECT_THAT(events, testing::ElementsAre("consent_granted", "objected", "restricted",
                                           "identifier_added", "held"));
  EXPECT_EQ(said["events"][0]["purpose"], "news");
  EXPECT_EQ(said["events"][0]["text_version"], "v1");
  EXPECT_EQ(said["events"][0]["channel"], "web");
  EXPECT_EQ(said["events"][0]["actor"], "test");
  EXPECT_TRUE(said["events"][2]["purpose"].is_null());
  EXPECT_EQ(said["holds"][0]["number"], 1);
  EXPECT_EQ(said["holds"][0]["basis"], "litigation");
  EXPECT_EQ(said["holds"][0]["reason"], "case 7");
  EXPECT_TRUE(said["holds"][0]["until"].is_null());
}

TEST_F(Exports, SayTheSameInBothFormatsAndSealedToTheirRecipient) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "a", std::string(100'000, 'x'));
  put(alice, "ratings", "b", "\xff");
  const RecipientKeyPair keys = RecipientKeyPair::generate().value();
  const std::string plain = take(alice, as_json).bytes;
  EXPECT_EQ(in_json(take(alice, as_flat).bytes), plain);
  const Taken sealed = take(alice, {ExportFormat::json, keys.public_key()});
  EXPECT_EQ(sealed.bytes.find("alice"), std::string::npos);
  EXPECT_EQ(unsealed(sealed.bytes, keys), plain);
  const Taken both = take(alice, {ExportFormat::flatbuffers, keys.public_key()});
  EXPECT_EQ(in_json(unsealed(both.bytes, keys)), plain);
  EXPECT_EQ(unsealed(sealed.bytes, RecipientKeyPair::generate().value()), "error: corruption");
}

TEST_F(Exports, MarkWhatWasWithdrawnAndOnlyAHoldKeeps) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "old", "x");
  const HoldNumber number = tenant_->hold(alice, {"litigation", "case", {}}).value();
  EXPECT_EQ(record_of(alice, "old")["kept_by_hold"], false);
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  EXPECT_EQ(record_of(alice, "old")["kept_by_hold"], true);
  grant(alice);
  put(alice, "news", "new", "y");
  EXPECT_EQ(record_of(alice, "old")["kept_by_hold"], true);
  EXPECT_EQ(record_of(alice, "new")["kept_by_hold"], false);
  ASSERT_TRUE(tenant_->release(alice, number));
  EXPECT_TRUE(record_of(alice, "old").is_null());
  EXPECT_EQ(record_of(alice, "new")["value"]["text"], "y");
}

TEST_F(Exports, LeaveOutWhatIsPastItsDayUnlessAHoldKeepsIt) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  put(alice, "logs", "a", "of alice");
  put(bob, "logs", "b", "of bob");
  const HoldNumber number = tenant_->hold(alice, {"litigation", "case", {}}).value();
  EXPECT_EQ(record_of(alice, "a")["kept_by_hold"], false);
  advance(Days(31));
  for (const bool destroyed : {false, true}) {
    if (destroyed) {
      EXPECT_EQ(maintain().records_kept, 1u);
    }
    EXPECT_EQ(record_of(alice, "a")["kept_by_hold"], true);
    EXPECT_EQ(export_of(bob)["counts"]["records"], 0);
  }
  ASSERT_TRUE(tenant_->release(alice, number));
  EXPECT_EQ(export_of(alice)["counts"]["records"], 0);
}

TEST_F(Exports, ServeWhoIsSuppressedWhileAHoldKeepsHer) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  ASSERT_TRUE(tenant_->hold(alice, {"litigation", "case", {}}));
  EXPECT_EQ(tenant_->suppress(SubjectId("alice"))->held, 1u);
  EXPECT_EQ(get(alice, "ratings", "a"), "error: suppressed");
  const json said = export_of(find("alice"));
  EXPECT_EQ(said["subject"]["erasure_asked"], true);
  EXPECT_EQ(said["records"][0]["value"]["text"], "x");
}

TEST_F(Exports, AnswerAlikeOfTheUnknownAndTheErased) {
  const Subject kept = enrol("alice");
  put(kept, "ratings", "a", "x");
  ASSERT_TRUE(tenant_->erase(find("alice")));
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("nobody"))), Errc::subject_unknown);
  for (const ExportOptions& options : {as_json, as_flat}) {
    const Taken taken = take(kept, options);
    EXPECT_EQ(taken.error, Errc::subject_erased);  // Only who has had her in hand learns it.
    EXPECT_EQ(taken.calls, 0u);
  }
  const Region regions[] = {*eu_};
  const Tenant other = store_->declare_tenant("other", regions, Actor("test")).value();
  const Subject zoe = other.enrol(SubjectId("zoe"), *eu_).value();
  EXPECT_EQ(take(zoe, as_json).error, Errc::subject_unknown);
}

TEST_F(Exports, StopWhenSheIsErasedAndNoFurtherByteOfHersLeaves) {
  const RecipientKeyPair keys = RecipientKeyPair::generate().value();
  for (const bool in_one_record : {false, true}) {
    for (const ExportFormat format : {ExportFormat::json, ExportFormat::flatbuffers}) {
      for (const bool sealed : {false, true}) {
        const Subject alice = enrol("alice");
        // Escaped, one value comes to the sink in many pieces.
        for (int i = 0; i < (in_one_record ? 1 : 40); ++i)
          put(alice, "ratings", std::to_string(i),
              std::string(in_one_record ? 400'000 : 10'000, '\n'));
        ExportOptions options{format, {}};
        if (sealed) options.recipient = keys.public_key();
        ASSERT_GT(take(alice, options).calls, in_one_record && !sealed ? 1u : 2u);
        const Taken taken =
            take(alice, options, [&] { ASSERT_TRUE(tenant_->erase(find("alice"))); });
        EXPECT_EQ(taken.error, Errc::subject_erased);
        EXPECT_EQ(taken.calls, 1u);
      }
    }
  }
}

TEST_F(Exports, AnswerWhatTheSinkAnswersAndAskItNoMore) {
  const Subject alice = enrol("alice");
  for (int i = 0; i < 20; ++i) put(alice, "ratings", std::to_string(i), std::string(10'000, 'x'));
  int calls = 0;
  const auto full = [&](Bytes) -> Status {
    ++calls;
    return Error(Errc::no_space, "the sink is full");
  };
  EXPECT_EQ(code_of(tenant_->export_subject(alice, as_json, full)), Errc::no_space);
  EXPECT_EQ(code_of(tenant_->export_all(as_flat, full)), Errc::no_space);
  EXPECT_EQ(calls, 2);
}

TEST_F(Exports, ThatCannotBeAreRefusedBeforeAnythingIsGiven) {
  const Subject alice = enrol("alice");
  const ExportOptions no_format{ExportFormat{7}, {}};
  const ExportOptions no_key{ExportFormat::json, RecipientPublicKey{}};  // Hides nothing.
  for (const ExportOptions& options : {no_format, no_key}) {
    EXPECT_EQ(take(alice, options).error, Errc::invalid_argument);
    EXPECT_EQ(take(alice, options).calls, 0u);
    EXPECT_EQ(take_all(options).error, Errc::invalid_argument);
    EXPECT_EQ(take_all(options).calls, 0u);
  }
}

TEST_F(Exports, StayWhereTheDataMayBeRead) {
  put(enrol("alice"), "ratings", "a", "x");
  reopen_in("us");
  const Taken refused = take(find("alice"), as_json);
  EXPECT_EQ(refused.error, Errc::transfer_not_permitted);
  EXPECT_EQ(refused.calls, 0u);
  EXPECT_EQ(take_all(as_json).error, Errc::transfer_not_permitted);
  ASSERT_TRUE(tenant_->permit_transfer({"eu", "us", TransferBasis::adequacy}));
  EXPECT_EQ(take(find("alice"), as_json).error, std::nullopt);
  EXPECT_EQ(take_all(as_json).people, 1u);
}

TEST_F(Exports, OfAllPeopleNeedAllTheirRegions) {
  enrol("alice");
  EXPECT_EQ(take_all(as_json).people, 1u);
  reopen_without_us();
  const Taken taken = take_all(as_json);
  EXPECT_EQ(taken.error, Errc::region_not_open);
  EXPECT_EQ(taken.calls, 0u);
  EXPECT_EQ(take(find("alice"), as_json).error, std::nullopt);
}

TEST_F(Exports, OfAllPeopleHaveEachOnce) {
  enrol_many("e", 300, *eu_);
  for (const Subject& subject : enrol_many("u", 200, *us_)) put(subject, "ratings", "a", "x");
  ASSERT_TRUE(tenant_->hold(find("e7"), {"litigation", "case", {}}));
  ASSERT_TRUE(tenant_->restrict(find("e8")));
  ASSERT_TRUE(tenant_->erase(find("e9")));
  const RecipientKeyPair keys = RecipientKeyPair::generate().value();
  const Taken plain = take_all(as_json);
  const Taken flat = take_all(as_flat);
  const Taken sealed = take_all({ExportFormat::json, keys.public_key()});
  EXPECT_EQ(plain.people, 499u);
  EXPECT_EQ(flat.people, 499u);
  EXPECT_EQ(sealed.people, 499u);
  const auto ids = ids_in(plain.bytes);
  EXPECT_EQ(ids.size(), 499u);
  EXPECT_TRUE(std::ranges::all_of(ids, [](const auto& id) { return id.second == 1; }));
  EXPECT_EQ(ids.count("e9"), 0u);
  EXPECT_EQ(in_json(flat.bytes), plain.bytes);
  EXPECT_EQ(unsealed(sealed.bytes, keys), plain.bytes);
}

TEST_F(Exports, OfNobodyAreEmptyAndWholeAllTheSame) {
  const RecipientKeyPair keys = RecipientKeyPair::generate().value();
  EXPECT_EQ(take_all(as_json).bytes, "");
  const Taken sealed = take_all({ExportFormat::json, keys.public_key()});
  EXPECT_EQ(sealed.people, 0u);
  EXPECT_EQ(unsealed(sealed.bytes, keys), "");
}

TEST_F(Exports, OfAllPeopleHaveEachOnceWhileOthersAreEnrolled) {
  enrol_many("e", 300, *eu_);
  std::size_t more = 0;
  std::string lines;
  ASSERT_TRUE(tenant_->export_all(as_json, [&](Bytes line) -> Status {
    lines += as_text(line);
    if (more < 40) enrol_many("more" + std::to_string(more++) + "-", 50, *eu_);  // Leaves split.
    return {};
  }));
  const auto ids = ids_in(lines);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(ids.count("e" + std::to_string(i)), 1u);
  EXPECT_TRUE(std::ranges::all_of(ids, [](const auto& id) { return id.second == 1; }));
}

// Ids of people with one record that expires.
class ExportsWhileOthersAreErased : public Exports {
 protected:
  void SetUp() override {
    Exports::SetUp();
    reopen_with_clock();
    for (int i = 0; i < 200; ++i) {
      const std::string id = "e" + std::to_string(i);
      put(enrol(id), "logs", "a", "x");
      (i % 2 == 0 ? even_ : odd_).push_back(id);
    }
  }

  std::vector<std::string> even_;
  std::vector<std::string> odd_;
  RecipientKeyPair keys_ = RecipientKeyPair::generate().value();
  const ExportOptions sealed_{ExportFormat::json, keys_.public_key()};
};

TEST_F(ExportsWhileOthersAreErased, PassOverWhoHasNotHadHerTurn) {
  const Taken plain = take_all(as_json, [&] { erase_all_of(even_); });
  EXPECT_EQ(plain.error, std::nullopt);
  const auto ids = ids_in(plain.bytes);
  EXPECT_EQ(plain.people, ids.size());
  EXPECT_TRUE(std::ranges::all_of(odd_, [&](const auto& id) { return ids.count(id) == 1; }));
  EXPECT_LE(ids.size(), odd_.size() + 1);  // Whoever was the first.
}

TEST_F(ExportsWhileOthersAreErased, PassOverWhomNothingOfHasLeft) {
  do_after(1, [&] { erase_all_of(even_); });
  const Taken sealed = take_all(sealed_);
  EXPECT_EQ(sealed.error, std::nullopt);
  EXPECT_EQ(sealed.people, odd_.size());
  EXPECT_EQ(ids_in(unsealed(sealed.bytes, keys_)).size(), odd_.size());
  // Each time whoever would be the first, with her record read and still on its way: whether it is
  // the last thing to be read of her is a matter of chance.
  std::istringstream lines(take_all(as_json).bytes);
  std::size_t left = odd_.size();
  std::string line;
  while (left > odd_.size() - 16 && std::getline(lines, line)) {
    const auto id = json::parse(line)["subject"]["id"].get<std::string>();
    do_after(1, [&] { erase_all_of({&id, 1}); });
    const Taken plain = take_all(as_json);
    EXPECT_EQ(plain.error, std::nullopt);
    EXPECT_EQ(plain.people, --left);
  }
}

TEST_F(ExportsWhileOthersAreErased, GoOnAfterWhoHasHadHerTurn) {
  std::string lines;
  const auto people = tenant_->export_all(as_json, [&](Bytes line) -> Status {
    lines += as_text(line);
    const auto told = ids_in(lines);
    if (told.size() == 1) do_after(1, [&, id = told.begin()->first] { erase_all_of({{id}}); });
    return {};
  });
  ASSERT_TRUE(people);
  EXPECT_EQ(*people, 200u);
  EXPECT_EQ(ids_in(lines).size(), 200u);
}

TEST_F(ExportsWhileOthersAreErased, SealNothingThatWasErasedWhileItWaited) {
  do_after(50, [&] { erase_all_of(even_); });
  const Taken sealed = take_all(sealed_);
  EXPECT_EQ(sealed.error, Errc::subject_erased);
  EXPECT_EQ(sealed.calls, 0u);
  const Taken again = take_all(sealed_);
  EXPECT_EQ(again.people, odd_.size());
}

TEST_F(ExportsWhileOthersAreErased, AreNotWholeWhenTheyStop) {
  const Taken sealed = take_all(sealed_, [&] {
    erase_all_of(even_);
    erase_all_of(odd_);
  });
  EXPECT_EQ(sealed.error, Errc::subject_erased);
  EXPECT_EQ(sealed.calls, 1u);
  EXPECT_EQ(unsealed(sealed.bytes, keys_), "error: corruption");
}

TEST_F(Exports, OfAllPeopleNoticeThatSomebodyWasMovedOrMerged) {
  enrol_many("e", 50, *eu_);
  const Taken taken = take_all(
      as_json, [&] { ASSERT_TRUE(tenant_->transfer(find("e1"), *us_, TransferBasis::adequacy)); });
  EXPECT_EQ(taken.error, Errc::transfer_pending);
  EXPECT_EQ(take_all(as_json).people, 50u);
  const Taken merged =
      take_all(as_flat, [&] { ASSERT_TRUE(tenant_->merge(find("e2"), find("e3"))); });
  EXPECT_EQ(merged.error, Errc::transfer_pending);
  EXPECT_EQ(take_all(as_flat).people, 49u);
}

TEST_F(Exports, OfAllPeopleEndWhatACrashLeft) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  const access::Person& person = internal::Access::person(alice);
  // Her transfer was committed, and the last step is missing.
  ASSERT_TRUE(access::set_flags(person, keyring::flag_incoming, 0));
  {  // Somebody's enrolment stopped before her id was stored.
    keyring::Keyring& keyring = *person.home->region->keyring;
    const auto held = keyring.lock();
    ASSERT_TRUE(held);
    keyring::Ensure row;
    row.tag.fill(std::byte{7});
    ASSERT_TRUE(keyring.ensure(*held, person.home->people(), {&row, 1}));
  }
  const Taken taken = take_all(as_json);
  EXPECT_EQ(taken.error, std::nullopt);
  EXPECT_EQ(taken.people, 1u);
  EXPECT_EQ(ids_in(taken.bytes).count("alice"), 1u);
  EXPECT_EQ(get(alice, "ratings", "a"), "x");
}

// All that a secret could be found as.
bool appears(Bytes secret, const std::string& in) {
  const auto digit = [](std::uint32_t bits) {
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[bits & 63];
  };
  std::string base64;
  for (std::size_t i = 0; i + 3 <= secret.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | std::to_integer<std::uint32_t>(secret[i + j]);
    for (int shift = 18; shift >= 0; shift -= 6) base64 += digit(bits >> shift);
  }
  return in.find(as_text(secret)) != std::string::npos ||
         in.find(to_hex(secret)) != std::string::npos || in.find(base64) != std::string::npos;
}

TEST_F(Exports, HoldNoKeyAndNoHandle) {
  const Subject alice = enrol("alice");
  grant(alice);
  std::string canary(32, '\0');
  for (std::size_t i = 0; i < canary.size(); ++i) canary[i] = static_cast<char>(0xc0 + i);
  put(alice, "news", "canary", canary);
  put(alice, "logs", "a", "x");
  ASSERT_TRUE(tenant_->hold(alice, {"litigation", "case", {}}));
  const access::Person& person = internal::Access::person(alice);
  keyring::Keyring& keyring = *person.home->region->keyring;
  const keyring::SharedKeys hers = access::keys_of(person).value();
  const keyring::SharedKeys tenants = keyring.tenant_keys(person.home->ref).value();
  for (const ExportOptions& options : {as_json, as_flat}) {
    const Taken one = take(alice, options);
    const Taken all = take_all(options);
    for (const std::string& bytes : {one.bytes, all.bytes}) {
      EXPECT_TRUE(appears(as_bytes(canary), bytes));  // It would be found.
      for (const keyring::SharedKeys& keys : {hers, tenants}) {
        for (const keyring::Row& row : keys->rows()) {
          EXPECT_FALSE(appears(row.key.bytes(), bytes));
          EXPECT_FALSE(appears(row.handle, bytes));
          EXPECT_FALSE(appears(row.tag, bytes));
        }
      }
    }
  }
}

}  // namespace
}  // namespace efface::test
