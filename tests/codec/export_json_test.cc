#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codec/allocation_count.h"
#include "codec/export_codec.h"
#include "codec/export_sample.h"
#include "codec/sample.h"

namespace efface::codec {
namespace {

using nlohmann::json;
using test::Collected;

std::string json_of(const ExportRecord& record) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  EXPECT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  EXPECT_TRUE(writer->record(record));
  EXPECT_TRUE(writer->end());
  return out.text();
}
json value_of(Bytes value) {
  return json::parse(json_of({.purpose = "p",
                              .legal_basis = "contract",
                              .name = "n",
                              .value = value}))["records"][0]["value"];
}
std::string written_at(std::int64_t ms) {
  return json::parse(json_of({.purpose = "p",
                              .legal_basis = "contract",
                              .name = "n",
                              .written_ms = ms}))["records"][0]["written"];
}

// docs/format/export.md shows most of it.
TEST(JsonExport, SaysAllThatIsKnownInDocumentedWords) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  ASSERT_TRUE(test::write_alice(*writer));
  EXPECT_EQ(
      out.text(),
      R"({"format":"efface.export","version":1,"tenant":"shop","region":"eu",)"
      R"("subject":{"id":"alice","aliases":["alice@example.org","device-7"],)"
      R"("restricted":true,"held":true,"erasure_asked":true,"events_dropped":3},)"
      R"("records":[{"purpose":"orders","legal_basis":"contract","name":"e-mail",)"
      R"("value":{"text":"alice@example.org"},"written":"2023-11-14T22:13:20.000Z",)"
      R"("expires":"2027-01-15T08:00:00.001Z","origin":"sign-up form",)"
      R"("recipients":["post","newsletter"],"also_permitted":["billing"],)"
      R"("automated_decision":true,"kept_by_hold":true},)"
      R"({"purpose":"orders","legal_basis":"contract","name":"picture",)"
      R"("value":{"base64":"/9gAAQ=="},"written":"2023-11-14T22:13:20.000Z","expires":null,)"
      R"("origin":null,"recipients":[],"also_permitted":[],"automated_decision":false,)"
      R"("kept_by_hold":false}],)"
      R"("events":[{"kind":"consent_granted","purpose":"newsletter",)"
      R"("at":"2020-09-13T12:26:40.999Z","text_version":"v3","channel":"web","actor":"sign-up"},)"
      R"({"kind":"restricted","purpose":null,"at":"2022-04-15T05:20:00.000Z",)"
      R"("text_version":null,"channel":null,"actor":"desk"}],)"
      R"("holds":[{"number":1,"basis":"litigation","reason":"case 12/2026",)"
      R"("since":"2023-11-14T22:13:20.000Z","until":"2027-01-15T08:00:00.000Z"},)"
      R"({"number":4,"basis":"audit","reason":"r","since":"1970-01-01T00:00:00.001Z",)"
      R"("until":null}],"counts":{"records":2,"events":2,"holds":2}})"
      "\n");
}

// The members of an object are those that its part of the schema requires, and no others.
void expect_members(const json& object, const json& part) {
  std::vector<std::string> members;
  for (const auto& [member, value] : object.items()) members.push_back(member);
  std::vector<std::string> required = part["required"];
  std::ranges::sort(required);
  EXPECT_EQ(members, required);  // nlohmann's are sorted.
  EXPECT_EQ(part["additionalProperties"], false);
  EXPECT_EQ(part["properties"].size(), required.size());
}

TEST(JsonExport, HasTheMembersThatTheSchemaRequiresAndNoOthers) {
  std::ifstream file(EFFACE_EXPORT_SCHEMA);
  const json schema = json::parse(file);
  Collected out;
  const auto writer = json_export_writer(out.sink());
  ASSERT_TRUE(test::write_alice(*writer));
  const json alice = json::parse(out.text());
  expect_members(alice, schema);
  expect_members(alice["subject"], schema["properties"]["subject"]);
  expect_members(alice["counts"], schema["properties"]["counts"]);
  for (const auto& [array, part] :
       {std::pair{"records", "record"}, {"events", "event"}, {"holds", "hold"}})
    for (const json& item : alice[array]) expect_members(item, schema["$defs"][part]);
}

TEST(JsonExport, SaysOfAPersonWithNothingThatThereIsNothing) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  ASSERT_TRUE(test::write_bob(*writer));
  const json bob = json::parse(out.text());
  EXPECT_EQ(bob["subject"]["id"], "bob");
  EXPECT_EQ(bob["records"], json::array());
  EXPECT_EQ(bob["events"], json::array());
  EXPECT_EQ(bob["holds"], json::array());
  EXPECT_EQ(bob["counts"], json::parse(R"({"records":0,"events":0,"holds":0})"));
}

TEST(JsonExport, SkipsTheArraysBetweenRecordsAndHolds) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  ASSERT_TRUE(writer->hold({.number = 1, .basis = "b", .reason = "r"}));
  ASSERT_TRUE(writer->end());
  const json alice = json::parse(out.text());
  EXPECT_EQ(alice["events"], json::array());
  EXPECT_EQ(alice["holds"].size(), 1U);
}

TEST(JsonExport, WritesOnePersonALine) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  ASSERT_TRUE(test::write_alice(*writer));
  ASSERT_TRUE(test::write_bob(*writer));
  ASSERT_TRUE(test::write_alice(*writer));
  std::vector<std::string> ids;
  std::string lines = out.text();
  for (std::size_t end; (end = lines.find('\n')) != std::string::npos; lines.erase(0, end + 1))
    ids.push_back(json::parse(lines.substr(0, end))["subject"]["id"]);
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(ids, (std::vector<std::string>{"alice", "bob", "alice"}));
}

TEST(JsonExport, EscapesWhatTheRfcSaysAndNothingElse) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string text{'a', static_cast<char>(c), 'b'};
    const std::string out =
        json_of({.purpose = "p", .legal_basis = "contract", .name = "n", .value = as_bytes(text)});
    const bool escaped = c < 0x20 || c == '"' || c == '\\';
    EXPECT_EQ(out.find("\"text\":\"" + text + "\"") == std::string::npos, escaped) << c;
    for (const char o : out) EXPECT_TRUE(o == '\n' || static_cast<unsigned char>(o) >= 0x20);
    EXPECT_EQ(out.find('\n'), out.size() - 1);
    EXPECT_EQ(json::parse(out)["records"][0]["value"]["text"], text) << c;
  }
}

TEST(JsonExport, EscapesTextsOfEveryKind) {
  const std::string odd = "quote \" back \\ line \n bell \a end";
  const std::array<std::string_view, 1> odds{odd};
  const json record = json::parse(json_of({.purpose = "p",
                                           .legal_basis = "contract",
                                           .name = odd,
                                           .origin = odd,
                                           .recipients = odds}))["records"][0];
  EXPECT_EQ(record["name"], odd);
  EXPECT_EQ(record["origin"], odd);
  EXPECT_EQ(record["recipients"][0], odd);
}

TEST(JsonExport, KeepsTextsOfEveryScriptAsTheyAre) {
  const std::string text = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xa8";
  EXPECT_EQ(value_of(as_bytes(text))["text"], text);
}

TEST(JsonExport, GivesValuesThatAreNoTextInBase64) {
  // RFC 4648, section 10, behind a byte that no UTF-8 has.
  EXPECT_EQ(value_of(as_bytes("\xff"))["base64"], "/w==");
  EXPECT_EQ(value_of(as_bytes("\xff"
                              "f"))["base64"],
            "/2Y=");
  EXPECT_EQ(value_of(as_bytes("\xff"
                              "fo"))["base64"],
            "/2Zv");
  EXPECT_EQ(value_of(as_bytes("\xff"
                              "foobar"))["base64"],
            "/2Zvb2Jhcg==");
  for (const std::string_view bad :
       {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"}) {
    EXPECT_FALSE(value_of(as_bytes(bad)).contains("text"));
    EXPECT_TRUE(value_of(as_bytes(bad)).contains("base64"));
  }
  EXPECT_EQ(value_of({})["text"], "");
}

TEST(JsonExport, SaysTimesOfTheYears0To9999) {
  EXPECT_EQ(written_at(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(written_at(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(written_at(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(written_at(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(written_at(-62'167'219'200'000), "0000-01-01T00:00:00.000Z");
}

TEST(JsonExport, RefusesTimesAndTextsThatJsonCannotSay) {
  const auto refusal = [](const ExportRecord& record) {
    const auto writer = json_export_writer([](Bytes) -> Status { return {}; });
    EXPECT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
    const Status status = writer->record(record);
    EXPECT_FALSE(writer->end());
    return status ? Errc{} : status.error().code();
  };
  EXPECT_EQ(refusal({.written_ms = 253'402'300'800'000}), Errc::corruption);
  EXPECT_EQ(refusal({.written_ms = -62'167'219'200'001}), Errc::corruption);
  EXPECT_EQ(refusal({.expires_ms = INT64_MAX}), Errc::corruption);
  EXPECT_EQ(refusal({.expires_ms = INT64_MIN}), Errc::corruption);
  EXPECT_EQ(refusal({.name = "\xff"}), Errc::corruption);
  EXPECT_EQ(refusal({.origin = "\xff"}), Errc::corruption);
}

TEST(JsonExport, GivesTheSinkLargeValuesWithoutHoldingThem) {
  Plaintext text(16 << 20);
  std::fill_n(text.data(), text.size(), std::byte{'x'});
  Plaintext picture = test::copy_of(text.bytes());
  picture.data()[0] = std::byte{0xff};
  Plaintext quotes = test::copy_of(text.bytes());
  std::fill_n(quotes.data(), quotes.size(), std::byte{'"'});
  std::size_t written = 0;
  std::size_t copied_piece_bytes_max = 0;
  const auto writer = json_export_writer([&](Bytes more) -> Status {
    written += more.size();
    const bool inside = more.data() >= text.data() && more.data() < text.data() + text.size();
    if (!inside) copied_piece_bytes_max = std::max(copied_piece_bytes_max, more.size());
    return {};
  });
  ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  const std::size_t before = test::allocation_count();
  for (const Plaintext* const value : {&text, &picture, &quotes})
    ASSERT_TRUE(writer->record(
        {.purpose = "p", .legal_basis = "contract", .name = "n", .value = value->bytes()}));
  EXPECT_EQ(test::allocation_count(), before);
  ASSERT_TRUE(writer->end());
  EXPECT_GT(written, text.size() + 4 * (picture.size() / 3) + 2 * quotes.size());
  EXPECT_LE(copied_piece_bytes_max, export_buffer_bytes);
}

TEST(JsonExport, AnswersTheSinksErrorAndWritesNoMore) {
  std::size_t calls = 0;
  const auto writer = json_export_writer([&](Bytes) -> Status {
    ++calls;
    return Error(Errc::no_space, "full");
  });
  const Plaintext value = test::repetitive(100'000);
  ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  for (int i = 0; i < 3; ++i) {
    const Status status = writer->record({.value = value.bytes()});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Errc::no_space);
  }
  EXPECT_FALSE(writer->end());
  EXPECT_EQ(calls, 1U);
}

TEST(ExportDeathTest, BreaksOnAnOrderThatNoReaderKnows) {
  const auto sink = [](Bytes) -> Status { return {}; };
  for (const auto make : {json_export_writer, flat_export_writer}) {
    EXPECT_DEATH(static_cast<void>(make(sink)->record({})), "");
    EXPECT_DEATH(static_cast<void>(make(sink)->end()), "");
    const auto writer = make(sink);
    ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
    EXPECT_DEATH(static_cast<void>(writer->begin({})), "");
    ASSERT_TRUE(writer->event({.kind = "restricted", .actor = "desk"}));
    EXPECT_DEATH(static_cast<void>(writer->record({})), "");
  }
}

}  // namespace
}  // namespace efface::codec
