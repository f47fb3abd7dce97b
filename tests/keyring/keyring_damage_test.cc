// A keyring in which something is not as it was written: what Keyring::check calls it, and what
// opening and asking answer.
#include <fstream>
#include <map>
#include <tuple>

#include "keyring/keyring_fixture.h"

namespace efface::keyring::test {
namespace {

using Value = std::optional<std::string>;  // None: there is no such entry.

std::string big_endian(std::uint64_t number, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; number >>= 8U) out[i] = static_cast<char>(number & 0xffU);
  return out;
}
std::string of_bytes(Bytes bytes) { return std::string(as_text(bytes)); }
std::string changed(std::string bytes, std::size_t at, char to) {
  bytes.at(at) = to;
  return bytes;
}
std::string flipped(std::string bytes, std::size_t at) {
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
  return bytes;
}

void put_value(storage::WriteTxn& txn, std::string_view key, const Value& value) {
  if (value)
    EXPECT_TRUE(txn.put(as_bytes(key), as_bytes(*value)));
  else
    EXPECT_TRUE(txn.remove(as_bytes(key)));
}

class Damage : public KeyringTest {
 protected:
  void SetUp() override {
    KeyringTest::SetUp();
    acme_ = add_tenant("acme");
  }
  KeyringCheck check() {
    auto found = keyring_->check([](std::uint64_t) {});
    EXPECT_TRUE(found) << said(found);
    return found ? *std::move(found) : KeyringCheck{};
  }
  using Counts = std::map<std::string, std::uint64_t>;
  Counts damage() {
    Counts counts;
    for (const auto& [what, count] : check().damage) counts[what] = count;
    return counts;
  }
  Value value_of(std::string_view key) {
    Value value;
    tamper([&](storage::WriteTxn& txn) {
      if (const auto found = *txn.get(as_bytes(key))) value = of_bytes(*found);
    });
    return value;
  }
  void enter(std::size_t count, ledger::Kind kind = ledger::Kind::configured) {
    std::vector<ledger::Entry> decisions(count);
    for (ledger::Entry& decision : decisions) decision.kind = kind;
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->enter(*held, decisions));
  }
  // While a child has it so, and then it is as it was.
  Counts damage_with(std::string_view key, const Value& before, const Value& now) {
    tamper_beside([&](storage::WriteTxn& txn) { put_value(txn, key, now); });
    const Counts found = damage();
    tamper_beside([&](storage::WriteTxn& txn) { put_value(txn, key, before); });
    return found;
  }
  void expect_open(std::string_view key, const Value& before, const Value& now,
                   std::string_view answer) {
    tamper([&](storage::WriteTxn& txn) { put_value(txn, key, now); });
    EXPECT_EQ(said(try_open()), answer) << key << " of " << (now ? now->size() : 0) << " bytes";
    tamper([&](storage::WriteTxn& txn) { put_value(txn, key, before); });
  }
  TenantRef acme_;
};

TEST_F(Damage, IsEveryEntryThatNothingLeadsTo) {
  const TenantRef gone = add_tenant("gone");
  Removal removal;
  removal.tenant = gone;
  removal.what = Removal::What::tenant;
  ASSERT_TRUE(keyring_->erase({&removal, 1}));
  const std::string living = big_endian(acme_.number, 4);
  const std::string swept = big_endian(gone.number, 4);  // Which is off-boarded, and still to be.
  const std::string nobody = big_endian(77, 4);
  const std::string reclaim = of_bytes(encode_reclaim({}));
  const std::map<std::string, std::string> strays = {
      {"mx", "x"},
      {"mlx", "x"},
      {"rr", "x"},
      {"oo", "x"},
      {"ss", "x"},
      {"t" + nobody, "x"},
      {"t", "x"},
      {"d", "x"},
      {"e" + living, "x"},
      {"d" + nobody + std::string(16, 'h'), "x"},
      {"z", "x"},
      {"e" + nobody + big_endian(1, 8), "x"},
      {"n1", "x"},
      {"l" + big_endian(1000, 8), "x"},
      {"l1", "x"},
      {"h1", "x"},
      {"i1", "x"},
      {"q1", reclaim},
      {"t" + living + "x", "x"},
  };
  tamper([&](storage::WriteTxn& txn) {
    for (const auto& [key, value] : strays) put_value(txn, key, value);
    put_value(txn, "e" + living + big_endian(1, 8), "a notice");
    put_value(txn, "e" + swept + big_endian(1, 8), "a notice");
    put_value(txn, "t" + swept, "its terms");
    put_value(txn, "d" + swept + std::string(16, 'h'), "on somebody");
    put_value(txn, "n" + nobody + std::string(1, '\0') + living, "a node");
    const std::string tree = big_endian(2 * acme_.number, 4);
    put_value(txn, "n" + tree + "\x09" + big_endian(0, 4), "above its root");
    put_value(txn, "n" + tree + std::string(1, '\0') + big_endian(1000, 4), "beside its leaves");
  });
  open();
  EXPECT_EQ(damage(), (Counts{{"stray_entry", strays.size()}, {"stray_node", 3}}));
  EXPECT_EQ(said(keyring_->next_reclaim()), "");  // That with a number comes first.
}

TEST_F(Damage, OfATopTreeBeneathAValidSealIsSeen) {
  const auto with_label = [](Node& leaf, Label label) {
    std::uint32_t at = 0;
    while (leaf.row(at).label() != label) ++at;
    return at;
  };
  const std::vector<std::pair<std::function<void(Node&)>, Counts>> cases = {
      {[](Node& leaf) { EXPECT_TRUE(leaf.add(leaf.row(0).copy())); }, {{"row", 1}}},
      {[&](Node& leaf) { leaf.remove(with_label(leaf, subject_root)); }, {{"row", 1}}},
      {[&](Node& leaf) { leaf.remove(with_label(leaf, tenant_terms)); }, {{"row", 1}}},
      {[&](Node& leaf) {
         leaf.relabel(with_label(leaf, retention_root), retention_root, 0, (1U << 30U) + 1);
       },
       {{"row", 1}}},
      {[&](Node& leaf) { leaf.relabel(with_label(leaf, subject_root), subject_root, 0, 2); },
       {{"node", 1}}},
  };
  for (const auto& [change, expected] : cases) {
    std::optional<std::vector<std::byte>> before;
    const auto key = node_key({top_tree, 0, 0});
    tamper([&](storage::WriteTxn& txn) {
      const Bytes node = **txn.get(key);
      before.emplace(node.begin(), node.end());
      change_top(txn, change);
    });
    open();
    Counts found = damage();
    found.erase("stray_node");  // Of a tree that nothing leads to then.
    found.erase("stray_entry");
    EXPECT_EQ(found, expected);
    tamper([&](storage::WriteTxn& txn) { EXPECT_TRUE(txn.put(key, *before)); });
  }
}

TEST_F(Damage, OfATreeBeneathAValidSealIsSeen) {
  const auto tags = some_tags(600);
  enrol(acme_, tags);
  const auto change = [&](const std::function<void(Node&, const TreeRoot&)>& inner,
                          const std::function<void(Node&, const TreeRoot&)>& leaf) {
    std::vector<std::pair<NodeId, std::vector<std::byte>>> before;
    tamper([&](storage::WriteTxn& txn) {
      const TreeRoot root = people_of(txn, acme_);
      const NodeId at =
          KeyTree::root_node(tree_number({acme_, TreeKind::subjects}), root.bucket_count);
      ASSERT_EQ(at.level, 1);
      const NodeId first{at.tree, 0, 0};
      for (const NodeId id : {at, first}) {
        const Bytes node = **txn.get(node_key(id));
        before.emplace_back(id, std::vector<std::byte>(node.begin(), node.end()));
      }
      Node above = node_in(txn, at, std::as_const(root.key).bytes());
      const auto key = crypto::SecretKey::copy_of(above.child(0));
      Node below = node_in(txn, first, key.bytes());
      leaf(below, root);
      inner(above, root);
      put_node(txn, first, below, key.bytes());
      put_node(txn, at, above, std::as_const(root.key).bytes());
    });
    open();
    const Counts found = damage();
    tamper([&](storage::WriteTxn& txn) {
      for (const auto& [id, bytes] : before) EXPECT_TRUE(txn.put(node_key(id), bytes));
    });
    return found;
  };
  const auto nothing = [](Node&, const TreeRoot&) {};
  EXPECT_EQ(change(nothing, nothing), (Counts{}));
  EXPECT_EQ(change([](Node& node, const TreeRoot&) { node.set_bucket_count(3); }, nothing),
            (Counts{{"node", 1}}));
  EXPECT_EQ(change(
                [](Node& node, const TreeRoot&) {
                  node.set_child(node.count(), crypto::SecretKey::random().bytes());
                },
                nothing),
            (Counts{{"node", 1}}));
  const auto misplace = [](Node& node, const TreeRoot& root) {
    Row row;
    row.key = crypto::SecretKey::random();
    do row.tag = crypto::random_id();
    while (KeyTree::bucket_of(row.tag, root.bucket_count) == 0);
    EXPECT_TRUE(node.add(row));
  };
  EXPECT_EQ(change(nothing, misplace), (Counts{{"row", 1}}));
}

TEST_F(Damage, OfWhatStandsBesideTheTreesIsSeen) {
  const auto tags = some_tags(1);
  const Handle hers = enrol(acme_, tags)[0];
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->put_note(*held, 7, as_bytes("a note")));
  }
  const std::string number = big_endian(acme_.number, 4);
  const std::string file = "d" + number + of_bytes(hers);
  const std::string terms = "t" + number;
  const std::string note = "b" + big_endian(7, 8);
  const Value terms_before = value_of(terms);
  const Value note_before = value_of(note);
  open();
  EXPECT_EQ(damage_with(terms, terms_before, std::nullopt), (Counts{{"terms", 1}}));
  EXPECT_EQ(damage_with(terms, terms_before, "x"), (Counts{{"terms", 1}}));
  EXPECT_EQ(damage_with(file, std::nullopt, "x"), (Counts{{"file", 1}}));
  EXPECT_EQ(damage_with(file, std::nullopt, std::string(60, '\7')), (Counts{{"file", 1}}));
  EXPECT_EQ(damage_with(note, note_before, "x"), (Counts{{"note", 1}}));
  EXPECT_EQ(damage_with("b1", std::nullopt, "x"), (Counts{{"note", 1}, {"stray_entry", 1}}));
  const std::string key = "q" + big_endian(1'000'000, 8);
  const std::string entry = of_bytes(encode_reclaim({}));
  for (const std::string& now : {std::string("x"), changed(entry, 0, 9), changed(entry, 1, 0),
                                 changed(entry, 1, 9), changed(entry, 8, 1)})
    EXPECT_EQ(damage_with(key, std::nullopt, now), (Counts{{"reclaim", 1}}));
  tamper_beside([&](storage::WriteTxn& txn) {
    put_value(txn, terms, "x");
    put_value(txn, file, "x");
    put_value(txn, key, "x");
    put_value(txn, "e" + number + "1", "x");
  });
  EXPECT_EQ(said(keyring_->tenants()), "corruption");
  EXPECT_EQ(said(keyring_->terms_of(acme_)), "corruption");
  EXPECT_EQ(said(keyring_->notices(acme_)), "corruption");
  EXPECT_EQ(said(keyring_->next_reclaim()), "corruption");
  const auto keys = *keyring_->keys({acme_, TreeKind::subjects}, tags[0]);
  EXPECT_EQ(said(keyring_->file(acme_, *keys->find(person))), "corruption");
}

// Of 512 entries two subtrees of 256 are kept.
TEST_F(Damage, OfTheLedgerIsSeen) {
  enter(513, ledger::Kind::capsule_made);  // That of a capsule that has no day.
  EXPECT_EQ(keyring_->ledger_head()->horizon_day, 0u);
  const std::string first = "h\x08" + big_endian(0, 8);
  const std::string second = "h\x08" + big_endian(1, 8);
  const std::string row = "l" + big_endian(300, 8);
  const Value whole[] = {value_of(first), value_of(second), value_of(row), value_of("ml")};
  ASSERT_TRUE(whole[0] && whole[1]);
  open();
  const Counts tree{{"ledger_tree", 1}};
  EXPECT_EQ(damage(), (Counts{}));
  EXPECT_EQ(damage_with(first, whole[0], flipped(*whole[0], 3)), tree);
  EXPECT_EQ(damage_with(second, whole[1], std::nullopt), tree);
  EXPECT_EQ(damage_with(second, whole[1], "x"), tree);
  EXPECT_EQ(damage_with(row, whole[2], "x")["ledger_entry"], 1u);
  EXPECT_EQ(damage_with(row, whole[2], whole[2]->substr(0, 41))["ledger_entry"], 1u);
  EXPECT_EQ(damage_with("ml", whole[3], "x")["ledger_tree"], 1u);
  tamper_beside([&](storage::WriteTxn& txn) {
    put_value(txn, first, "x");
    put_value(txn, row, "x");
  });
  EXPECT_EQ(said(keyring_->prove_since(300)), "corruption");
  EXPECT_EQ(said(keyring_->prove(400)), "corruption");
  EXPECT_EQ(said(keyring_->each_entry(299, [](std::uint64_t, Bytes) { return Flow::more; })),
            "corruption");
  keyring_.reset();
  EXPECT_EQ(said(try_open()), "corruption");
}

TEST_F(Damage, KeepsAKeyringShut) {
  const Value header = value_of("m");
  const Value record = value_of("r");
  const Value head = value_of("ml");
  ASSERT_TRUE(header && record && head);
  const Value none;
  const std::vector<std::tuple<std::string, Value, Value, std::string_view>> cases = {
      {"m", header, none, "corruption"},
      {"m", header, "EFKEY", "corruption"},
      {"m", header, changed(*header, 0, 'x'), "corruption"},
      {"m", header, changed(*header, 8, 2), "format_new"},
      {"m", header, changed(*header, 8, 0), "format_old"},
      {"m", header, *header + "x", "corruption"},
      {"m", header, flipped(*header, 13), "region_mismatch"},
      {"r", record, none, "corruption"},
      {"r", record, "x", "corruption"},
      {"r", record, *record + std::string(RootKeyStore::wrapped_bytes_max, 'x'), "corruption"},
      {"r", record, changed(*record, 0, 9), "corruption"},
      {"r", record, changed(*record, 1, 9), "corruption"},
      {"r", record, changed(*record, 2, 9), "corruption"},
      {"r", record, changed(*record, 4, 0), "corruption"},
      {"r", record, changed(*record, 7, '\x7f'), "corruption"},
      {"r", record, flipped(*record, 33), "root_key_mismatch"},
      {"o", none, "x", "corruption"},
      {"o", none, std::string(28, '\7'), "corruption"},
      {"s", value_of("s"), "x", "corruption"},
      {"mf", none, "x", "corruption"},
      {"ml", head, none, "keyring_stale"},
      {"ml", head, "x", "corruption"},
      {"ml", head, changed(*head, 0, 9), "corruption"},
      {"ml", head, changed(*head, 8, '\x7f'), "corruption"},
      {"ml", head, flipped(*head, 16), "corruption"},
      {"ml", head, flipped(*head, 30), "corruption"},
      {"ml", head, flipped(*head, 50), "corruption"},
  };
  for (const auto& [key, before, now, answer] : cases) expect_open(key, before, now, answer);
  open();
  EXPECT_EQ(damage(), (Counts{}));
}

TEST_F(Damage, OfARequestLeadsNowhere) {
  const Id16 request = crypto::random_id();
  std::vector<ledger::Entry> decisions(1);
  decisions[0].kind = ledger::Kind::configured;
  decisions[0].request = request;
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->enter(*held, decisions));
    ASSERT_TRUE(keyring_->enter(*held, {}));  // Nothing.
  }
  EXPECT_EQ(**keyring_->find_request(request), keyring_->ledger_head()->tree.size - 1);
  tamper_beside([&](storage::WriteTxn& txn) {
    put_value(txn, "i" + of_bytes(request), "x");
    put_value(txn, "q", "x");
  });
  EXPECT_EQ(said(keyring_->find_request(request)), "corruption");
  EXPECT_EQ(said(keyring_->ledger_item(0)), "corruption");
  EXPECT_EQ(said(keyring_->prove_since(1000)), "receipt_unknown");
  EXPECT_EQ(said(keyring_->prove(1000)), "receipt_unknown");
  std::size_t looked = 0;
  EXPECT_TRUE(keyring_->each_entry(0, [&](std::uint64_t, Bytes) -> Result<Flow> {
    ++looked;
    return Flow::stop;
  }));
  EXPECT_EQ(looked, 1u);
  EXPECT_EQ(
      said(keyring_->each_entry(
          0, [](std::uint64_t, Bytes) -> Result<Flow> { return Error(Errc::io, "told to fail"); })),
      "io");
}

// ---- the ledger's copy ----

class LedgersCopy : public Damage {
 protected:
  void SetUp() override {
    options_.now = [] { return std::chrono::system_clock::time_point(std::chrono::seconds(-5)); };
    Damage::SetUp();
    with_copy();
    open();
    enter(3);
  }
  LedgerCopy copy() {
    return LedgerCopy::open(os::Directory::open(home_.path()).value(), "ledger", options_.region)
        .value();
  }
  void with_copy() { options_.ledger_copy = std::make_shared<LedgerCopy>(copy()); }
  // A frame more, after the last.
  void append(const Id16& chain, Bytes entry) {
    std::vector<std::byte> frame;
    add_frame(frame, chain, entry);
    const LedgerCopy to = copy();
    ASSERT_TRUE(to.write(*to.size(), frame));
  }
};

TEST_F(LedgersCopy, IsCutWhereWhatFollowsDoesNotFollow) {
  const std::uint64_t whole = *copy().size();
  keyring_.reset();
  append(crypto::random_id(), as_bytes("nonsense"));
  open();
  EXPECT_EQ(*copy().size(), whole);
  EXPECT_EQ(damage(), (Counts{}));
  EXPECT_EQ(ledger::decode(keyring_->ledger_item(2)->bytes)->time_ms, 0u);  // No time before 1970.
}

TEST_F(LedgersCopy, ThatGoesOnMakesTheKeyringStaleUnlessItIsRestored) {
  const Id16 chain = keyring_->ledger_head()->chain;
  keyring_.reset();
  ledger::Entry entry;
  entry.kind = ledger::Kind::configured;
  const auto bytes = ledger::encode(entry);
  append(next_chain(chain, bytes), bytes);
  append(crypto::random_id(), bytes);  // And one that does not follow.
  EXPECT_EQ(said(try_open()), "keyring_stale");
  options_.restoring = true;
  open();
  EXPECT_EQ(keyring_->missing_entries()->size(), 1u);
  // Without a copy nothing is known to be missing.
  keyring_.reset();
  options_.ledger_copy.reset();
  open();
  EXPECT_TRUE(keyring_->missing_entries()->empty());
}

TEST_F(LedgersCopy, WhoseLastEntriesMakeNoSenseIsNotRestoredFrom) {
  const Id16 chain = keyring_->ledger_head()->chain;
  keyring_.reset();
  append(next_chain(chain, as_bytes("nonsense")), as_bytes("nonsense"));
  options_.restoring = true;
  EXPECT_EQ(said(try_open()), "corruption");
}

TEST_F(LedgersCopy, ThatEndsBeforeWhatTheRootKeyStoreRemembersIsNotRestoredFrom) {
  const Id16 chain_then = keyring_->ledger_head()->chain;
  keyring_.reset();
  std::filesystem::copy(home_ / "keyring", home_ / "then");
  const std::uint64_t then = *copy().size();
  open();
  enter(3);
  open();  // The anchor has them.
  enter(2);
  keyring_.reset();
  std::filesystem::remove_all(home_ / "keyring");
  std::filesystem::rename(home_ / "then", home_ / "keyring");
  std::filesystem::permissions(home_ / "keyring", std::filesystem::perms::owner_all);
  options_.restoring = true;
  std::filesystem::copy_file(home_ / "ledger", home_ / "whole");
  const std::uint64_t now = *copy().size();
  ASSERT_EQ((now - then) % 5, 0u);
  ASSERT_TRUE(copy().cut(then + (now - then) / 5));
  EXPECT_EQ(said(try_open()), "keyring_stale");
  ASSERT_TRUE(copy().cut(then));
  EXPECT_EQ(said(try_open()), "keyring_stale");
  Id16 chain = chain_then;  // It goes on in another way than is remembered.
  for (int i = 0; i < 5; ++i) {
    ledger::Entry other;
    other.kind = ledger::Kind::swept;
    const auto bytes = ledger::encode(other);
    chain = next_chain(chain, bytes);
    append(chain, bytes);
  }
  EXPECT_EQ(said(try_open()), "ledger_mismatch");
  std::filesystem::copy_file(home_ / "whole", home_ / "ledger",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(said(try_open()), "");
}

TEST_F(LedgersCopy, IsTheRegionsOwnOfThisFormat) {
  keyring_.reset();
  options_.ledger_copy.reset();
  const auto opened_with = [&](std::streamoff at, char to) {
    const auto path = home_ / "other";
    std::filesystem::copy_file(home_ / "ledger", path);
    {
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(at);
      file.put(to);
    }
    const std::string answer(said(
        LedgerCopy::open(os::Directory::open(home_.path()).value(), "other", options_.region)));
    std::filesystem::remove(path);
    return answer;
  };
  EXPECT_EQ(opened_with(0, 'E'), "");
  EXPECT_EQ(opened_with(0, 'x'), "corruption");
  EXPECT_EQ(opened_with(8, 2), "format_new");
  EXPECT_EQ(opened_with(8, 0), "region_mismatch");
  EXPECT_EQ(opened_with(31, 1), "region_mismatch");
}

TEST_F(LedgersCopy, ThatSomebodyCutBeforeItsHeaderIsMadeAnew) {
  const std::uint64_t whole = *copy().size();
  keyring_.reset();
  options_.ledger_copy.reset();
  std::filesystem::resize_file(home_ / "ledger", 5);
  with_copy();
  open();
  EXPECT_EQ(*copy().size(), whole);
  EXPECT_EQ(damage(), (Counts{}));
}

}  // namespace
}  // namespace efface::keyring::test
