#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/run.h"
#include "tools/csv.h"
#include "tools/entries.h"
#include "tools/failure.h"
#include "tools/progress.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/zsh_completion.h"

namespace {

using namespace efface::cli;  // NOLINT: the parts under test.
using efface::test::content_of;
using efface::test::TempDirectory;
using efface::test::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Row {
  std::uint64_t line, line_last;
  std::string raw;
  std::vector<std::string> fields;
  bool bad;
};

std::vector<Row> rows_of(std::string_view text) {
  const TempDirectory directory("csv");
  write_file(directory / "in.csv", text);
  Source source((directory / "in.csv").string());
  CsvReader reader(source);
  std::vector<Row> rows;
  for (CsvRow row; reader.next(row);)
    rows.push_back({row.line,
                    row.line_last,
                    std::string(row.raw),
                    {row.fields.begin(), row.fields.end()},
                    row.fault != nullptr});
  EXPECT_EQ(source.window(), "");
  return rows;
}

TEST(Times, AreReadAsTheyAreWritten) {
  using namespace std::chrono_literals;
  using std::chrono::hours;
  using std::chrono::sys_days;
  const auto at = [](const char* text) { return time_point(text).value_or(efface::TimePoint()); };
  EXPECT_EQ(at("2024-02-29"), efface::TimePoint(sys_days(2024y / 2 / 29)));
  EXPECT_EQ(at("2026-05-25T09:30:07Z"),
            efface::TimePoint(sys_days(2026y / 5 / 25)) + 9h + 30min + 7s);
  EXPECT_EQ(spell_time(at("2026-05-25T09:30:07Z") + 9ms), "2026-05-25T09:30:07.009Z");
  EXPECT_EQ(spell_date(sys_days(1999y / 12 / 31)), "1999-12-31");
  for (const char* bad :
       {"", "2026", "2026-02-29", "2026-13-01", "2026-00-10", "1969-12-31", "2026-1-01x",
        "2026-01-01T", "2026-01-01T24:00:00Z", "2026-01-01T10:60:00Z", "2026-01-01T10:00:00",
        "2026-01-01 10:00:00Z", "2026-01-01T+1:00:00Z", "2300-01-01", "2026-01-01T10:00:00Zx"})
    EXPECT_EQ(time_point(bad), std::nullopt) << bad;
  EXPECT_EQ(window("12h"), hours(12));
  EXPECT_EQ(window("0h"), hours(0));
  EXPECT_EQ(window("2w"), hours(14 * 24));
  for (const char* bad : {"", "h", "12", "-1h", "1.5h", "1m", "99999999999h", "999999d"})
    EXPECT_EQ(window(bad), std::nullopt) << bad;
  EXPECT_EQ(spell_age(59min + 59s), "59 minutes");
  EXPECT_EQ(spell_age(47h), "47 hours");
  EXPECT_EQ(spell_age(48h), "2 days");
  EXPECT_EQ(spell_age(-5min), "0 minutes");
}

TEST(Csv, GivesFieldsAndTheLinesOwnBytes) {
  const auto rows = rows_of("a,b\r\n\"x,\"\"y\"\"\",\r\n\n\"1\n2\",\"\"\nlast");
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_THAT(rows[0].fields, ElementsAre("a", "b"));
  EXPECT_EQ(rows[0].raw, "a,b");
  EXPECT_THAT(rows[1].fields, ElementsAre("x,\"y\"", ""));
  EXPECT_EQ(rows[1].raw, "\"x,\"\"y\"\"\",");
  EXPECT_THAT(rows[2].fields, ElementsAre(""));
  EXPECT_THAT(rows[3].fields, ElementsAre("1\n2", ""));
  EXPECT_EQ(rows[3].line, 4u);
  EXPECT_EQ(rows[3].line_last, 5u);
  EXPECT_EQ(rows[4].line, 6u);
  EXPECT_EQ(rows[4].line_last, 6u);
  EXPECT_EQ(rows[4].raw, "last");
}

TEST(Csv, GoesOnAtTheLineAfterTheOneWhereABadRowBegan) {
  const auto rows = rows_of("a\"b\n\"c\nd\ne");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_TRUE(rows[0].bad);
  EXPECT_TRUE(rows[1].bad);
  EXPECT_EQ(rows[2].line, 3u);
  EXPECT_EQ(rows[2].raw, "d");
  EXPECT_EQ(rows[3].raw, "e");
}

TEST(Csv, ReadsTheSameWhereverAWindowEnds) {
  // Rows of every length around and far over what is read at once.
  std::string text;
  std::vector<std::string> raws;
  for (std::size_t size = 1; size < 700'000; size = size * 3 + 1)
    for (const char* quote : {"", "\""}) {
      raws.push_back(quote + std::string(size, 'x') + quote + ",\"\"\"" + std::string(size, '\n') +
                     "\"");
      text += raws.back() + "\r\n";
    }
  const auto rows = rows_of(text);
  ASSERT_EQ(rows.size(), raws.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_TRUE(rows[i].raw == raws[i]) << i;
    ASSERT_EQ(rows[i].fields.size(), 2u) << i;
    EXPECT_EQ(rows[i].fields[0].find_first_not_of('x'), std::string::npos) << i;
    EXPECT_EQ(rows[i].fields[1][0], '"') << i;
  }
}

TEST(Csv, PassesALineThatIsTooLongAndKeepsTheNext) {
  const auto rows = rows_of(std::string((16 << 20) + 5, 'x') + "\nshort\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].bad);
  EXPECT_EQ(rows[1].raw, "short");
  EXPECT_EQ(rows[1].line, 2u);
}

TEST(NameTemplate, RefusesBracesThatDoNotMatch) {
  for (const char* text : {"", "{", "}", "{}", "a{b", "{a}}"})
    EXPECT_THROW(NameTemplate{text}, Failure) << text;
  const NameTemplate good("x{a}{{{b c}");
  ASSERT_EQ(good.parts().size(), 4u);
  EXPECT_EQ(good.parts()[2].text, "{");
  EXPECT_FALSE(good.parts()[2].is_column);
  EXPECT_EQ(good.parts()[3].text, "b c");
}

TEST(Retention, IsANumberOfDaysWeeksOrYears) {
  EXPECT_EQ(retention("30d")->count(), 30u);
  EXPECT_EQ(retention("6w")->count(), 42u);
  EXPECT_EQ(retention("2y")->count(), 730u);
  EXPECT_EQ(retention("100y")->count(), 36'500u);
  for (const char* text : {"", "d", "0d", "-1d", "1", "1m", "1.5y", "101y", "99999999999d", " 1d"})
    EXPECT_FALSE(retention(text)) << text;
}

TEST(Base64, AgreesWithTheVectorsOfRfc4648) {
  EXPECT_EQ(base64(efface::as_bytes("")), "");
  EXPECT_EQ(base64(efface::as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(efface::as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(efface::as_bytes("foobar")), "Zm9vYmFy");
}

TEST(Distance, CountsEditsAndSwapsOfNeighbours) {
  EXPECT_EQ(distance("get", "get"), 0u);
  EXPECT_EQ(distance("gte", "get"), 1u);
  EXPECT_EQ(distance("", "get"), 3u);
  EXPECT_EQ(distance("kitten", "sitting"), 3u);
}

constexpr Progress::Work importing{"import", "records", "bytes"};

// What a progress of that style writes over ten seconds, a second apart.
std::string drawn(Progress::Style style, const Progress::Work& work = importing) {
  const TempDirectory directory("progress");
  const std::string path = (directory / "out").string();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(path.c_str(), "w"),
                                                            std::fclose);
  const Progress::Clock::time_point start;
  Progress progress(out.get(), style, work, start);
  for (int second = 1; second <= 10; ++second)
    progress.update({.count = static_cast<std::uint64_t>(second) * 1000,
                     .measure = static_cast<std::uint64_t>(second) * 50,
                     .total = 1000},
                    start + std::chrono::seconds(second));
  progress.clear();
  return content_of(path);
}

TEST(Progress, IsABarWithRateAndTimeLeftOnATerminal) {
  const std::string text = drawn(Progress::Style::bar);
  EXPECT_THAT(text,
              HasSubstr("\r[############            ] 50 %, 10000 records, 1000/s, 0:10 left"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\x1b[K"));  // Nothing is left of it.
}

TEST(Progress, IsALineNowAndThenElsewhere) {
  EXPECT_EQ(drawn(Progress::Style::lines),
            "import: 10 %, 2000 records, 1000/s, 0:18 left\n"
            "import: 20 %, 4000 records, 1000/s, 0:16 left\n"
            "import: 30 %, 6000 records, 1000/s, 0:14 left\n"
            "import: 40 %, 8000 records, 1000/s, 0:12 left\n"
            "import: 50 %, 10000 records, 1000/s, 0:10 left\n");
  EXPECT_THAT(drawn(Progress::Style::objects),
              HasSubstr("{\"progress\":{\"records\":2000,\"records_per_second\":1000,"
                        "\"bytes\":100,\"bytes_total\":1000}}\n"));
}

TEST(Progress, SaysNoShareWhenTheSizeIsUnknown) {
  EXPECT_EQ(progress_text(importing, {.count = 50, .measure = 9, .total = {}},
                          std::chrono::seconds(5), true),
            "50 records, 10/s");
}

TEST(Progress, IsDrawnForACallThatSaysHowFarItIs) {
  const TempDirectory directory("progress");
  const std::string path = (directory / "out").string();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(path.c_str(), "w"),
                                                            std::fclose);
  Progress progress(out.get(), Progress::Style::bar, {"maintain", "steps"},
                    Progress::Clock::now() - std::chrono::seconds(10));
  const efface::OnProgress told = shown_by(progress);
  told({.done = 5, .total = 10});
  progress.clear();
  EXPECT_THAT(content_of(path), HasSubstr("] 50 %, 5 steps, "));
}

TEST(Progress, IsOfWhatIsCountedWhereNothingElseMeasuresIt) {
  const Progress::State half{.count = 500, .measure = 0, .total = 1000};
  EXPECT_EQ(progress_text({"erase", "people"}, half, std::chrono::seconds(5), false),
            "50 %, 500 people, 100/s, 0:05 left");
  EXPECT_EQ(progress_text({"backup", "bytes"}, {.count = 2 << 20, .measure = 0, .total = 4 << 20},
                          std::chrono::seconds(2), false),
            "50 %, 2.0 MiB, 1.0 MiB/s, 0:02 left");
  EXPECT_THAT(drawn(Progress::Style::objects, {"erase", "people"}),
              HasSubstr("{\"progress\":{\"people\":2000,\"people_per_second\":1000,"
                        "\"people_total\":1000}}\n"));
}

TEST(ZshText, StaysTextInEachPlace) {
  EXPECT_EQ(zsh_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(zsh_quoted("$(x) `y` \\"), "'$(x) `y` \\'");
  EXPECT_EQ(zsh_explained("30d: [a] or \\"), "30d\\: \\[a\\] or \\\\");
  EXPECT_EQ(zsh_message("[REGION=]FILE: where"), "[REGION=]FILE\\: where");
  EXPECT_EQ(zsh_described("it's [a]: \\"), "it's [a]\\: \\\\");
}

TEST(ZshText, OffersFilesWhereAValueIsOne) {
  EXPECT_EQ(zsh_action("FILE", ""), "_files");
  EXPECT_EQ(zsh_action("DIR", ""), "_files -/");
  EXPECT_EQ(zsh_action("[REGION=]STORE", ""), "{compset -P \"*=\"; _files}");
  EXPECT_EQ(zsh_action("NAME[=DIR]", ""), "{compset -P \"*=\"; _files -/}");
  EXPECT_EQ(zsh_action("SUBJECT", "An id, - or @FILE"), "{compset -P @ && _files}");
  EXPECT_EQ(zsh_action("yes|no", ""), "(yes no)");
  EXPECT_EQ(zsh_action("LABEL", "Who acts"), " ");
}

}  // namespace
