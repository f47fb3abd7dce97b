#include <string>
#include <vector>

#include "tools/progress.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

constexpr int places_max = 1'000;

struct Kind {
  const char* name;
  ForensicsCount ForensicsCounts::* count;
};
constexpr Kind kinds[] = {{"records", &ForensicsCounts::records},
                          {"shared", &ForensicsCounts::shared},
                          {"files", &ForensicsCounts::files},
                          {"nodes", &ForensicsCounts::nodes},
                          {"roots", &ForensicsCounts::roots}};

Json json_of(const ForensicsCounts& counts) {
  Json object = Json::object();
  for (const Kind& kind : kinds) {
    const ForensicsCount& count = counts.*kind.count;
    object[kind.name] = {{"found", count.found}, {"opened", count.opened}};
  }
  return object;
}

// "records 3 of 5, nodes 2 of 2": what opened, of what was found.
std::string text_of(const ForensicsCounts& counts) {
  std::string text;
  for (const Kind& kind : kinds) {
    const ForensicsCount& count = counts.*kind.count;
    if (count.found == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::string(kind.name) + ' ' + std::to_string(count.opened) + " of " +
            std::to_string(count.found);
  }
  return text.empty() ? "nothing" : text;
}

void say_file(const ForensicsFile& file, Output& out) {
  const std::string path = file.path.string();
  if (out.json()) {
    Json object;
    if (is_utf8(path))
      object["path"] = path;
    else
      object["path_base64"] = base64(as_bytes(path));
    object["counts"] = json_of(file.counts);
    out.object(object);
  } else {
    out.line(on_one_line(path) + ": " + text_of(file.counts));
  }
}

void say_person(const ForensicsPerson& person, Output& out) {
  if (out.json()) {
    out.object({{"tenant", person.tenant},
                {"subject", person.subject},
                {"objects", person.objects},
                {"beyond_today", person.beyond_today}});
    return;
  }
  std::string line = person.tenant.empty() ? "(no tenant)" : on_one_line(person.tenant);
  line += '\t' + (person.subject.empty() ? std::string("(no id)") : on_one_line(person.subject));
  line += '\t' + count_of(person.objects, "object", "objects");
  if (person.beyond_today) line += "\tbeyond today";
  out.line(line);
}

void say(const ForensicsReport& report, Output& out) {
  if (out.json()) {
    out.object({{"files", report.files},
                {"bytes", report.bytes},
                {"unreadable", report.unreadable},
                {"counts", json_of(report.counts)},
                {"people", report.people},
                {"beyond_today", report.beyond_today},
                {"opened_beyond_today", report.opened_beyond_today},
                {"roots_unanswered", report.roots_unanswered}});
    return;
  }
  out.line("searched: " + count_of(report.files, "file", "files") + ", " +
           spell_bytes(report.bytes) + "; " + std::to_string(report.unreadable) + " unreadable");
  out.line("opened: " + text_of(report.counts) + "; of " +
           count_of(report.people, "person", "people"));
  out.line("beyond today: " + count_of(report.beyond_today, "key", "keys") +
           " that should be gone, " + count_of(report.opened_beyond_today, "object", "objects") +
           " opened by them");
  if (report.roots_unanswered != 0)
    out.line("not known: the root key store cannot be asked about " +
             count_of(report.roots_unanswered, "root key", "root keys"));
}

void forensics(const Common& common, const std::vector<std::string>& places, bool whose,
               Output& out) {
  Session session(common);
  ForensicsOptions options;
  Progress progress(out.json(), {"forensics", "bytes"});
  options.on_progress = shown_by(progress);
  options.on_file = [&](const ForensicsFile& file) {
    progress.clear();  // All is searched.
    say_file(file, out);
  };
  if (whose) options.whose = [&](const ForensicsPerson& person) { say_person(person, out); };
  const std::vector<std::filesystem::path> paths(places.begin(), places.end());
  const ForensicsReport report = take(session.store().forensics(paths, options));
  progress.clear();
  say(report, out);
  if (report.roots_unanswered != 0) out.end_with(on_warning);
  if (report.beyond_today != 0) out.end_with(on_danger);
}

}  // namespace

void add_forensics_verb(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto places = std::make_shared<std::vector<std::string>>();
  const auto whose = std::make_shared<bool>(false);
  CLI::App& verb =
      verbs.add(verbs.app, "forensics",
                "Search old copies, backups and disk images for what today's keys open",
                "efface forensics /mnt/backups old-disk.img");
  many_option(verb, "DIR", *places, "A directory, file or block device to search")
      .required()
      ->allow_extra_args()
      ->expected(1, places_max);
  verb.add_flag("--whose", *whose, "Also say the ids of those of whom something opens");
  verb.callback([&common, &action, places, whose] {
    action = [&common, places, whose](Output& out) { forensics(common, *places, *whose, out); };
  });
}

}  // namespace efface::cli
