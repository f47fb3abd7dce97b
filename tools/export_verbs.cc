#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "tools/key_file.h"
#include "tools/person.h"
#include "tools/progress.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct ExportVerbOptions : PersonOptions {
  std::string format = "json";
  std::string to_key;
  std::string key;
  std::string file = "-";
};

// Makes the file, which is not there. Errors: exists.
void write_new(const std::string& path, const WipedText& text, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0 && errno == EEXIST)
    throw refused(Errc::exists, "a key file is there already, and is not written over");
  if (fd < 0) throw system_failure("a key file cannot be made");
  const auto size = static_cast<ssize_t>(text.size());
  const bool written = ::write(fd, text.data(), text.size()) == size && ::fsync(fd) == 0;
  const bool closed = ::close(fd) == 0;
  if (!written || !closed) {
    Failure failure = system_failure("a key file cannot be written");
    ::unlink(path.c_str());
    throw failure;
  }
}

void keygen(const Common&, const ExportVerbOptions& given, Output& out) {
  const RecipientKeyPair keys = take(RecipientKeyPair::generate());
  WipedText open = hex_of_key(keys.public_key().bytes);
  const std::string shown(open.begin(), open.end());
  open.push_back('\n');
  take(keys.with_secret([&](std::span<const std::byte, key_bytes> secret) {
    WipedText text = hex_of_key(secret);
    text.push_back('\n');
    write_new(given.file, text, S_IRUSR | S_IWUSR);
  }));
  try {
    write_new(given.file + ".pub", open, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  } catch (...) {
    ::unlink(given.file.c_str());
    throw;
  }
  if (out.json())
    out.object({{"public_key", shown}});
  else
    out.line("public key " + shown);
}

ExportOptions options_of(const ExportVerbOptions& given) {
  ExportOptions options;
  if (given.format == "flatbuffers")
    options.format = ExportFormat::flatbuffers;
  else if (given.format != "json")
    throw usage("--format is json or flatbuffers");
  if (given.to_key.empty()) return options;
  options.recipient = recipient_key(given.to_key);
  return options;
}

// To stdout. What it did not take ends the export at once.
class Sink {
 public:
  explicit Sink(Output& out) noexcept : out_(out) {}
  Status operator()(Bytes bytes) const {
    out_.raw(bytes);
    if (std::ferror(stdout) == 0) return {};
    return Error(Errc::io, "stdout did not take all of the answer");
  }

 private:
  Output& out_;
};

void export_person(const Common& common, const ExportVerbOptions& given, Output& out) {
  const ExportOptions options = options_of(given);
  const OnePerson person(common, given);
  take(person.tenant().export_subject(person.subject(), options, Sink(out)));
}

void export_tenant(const Common& common, const ExportVerbOptions& given, Output& out) {
  const ExportOptions options = options_of(given);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  // As text a person is a line. What is sealed, or no text, is counted in bytes, to no known end.
  const bool in_lines = options.format == ExportFormat::json && !options.recipient;
  const bool draws = Progress::suits(out.json());
  Progress::State at;
  if (in_lines && draws) at.total = take(tenant.count({}));
  Progress progress(out.json(), {"export", in_lines ? "people" : "bytes"});
  const Sink sink(out);
  const std::uint64_t people = take(tenant.export_all(options, [&](Bytes bytes) {
    const std::string_view text = as_text(bytes);
    at.count += in_lines ? static_cast<std::uint64_t>(std::ranges::count(text, '\n')) : text.size();
    if (draws) progress.update(at);
    return sink(bytes);
  }));
  progress.clear();
  out.notice("exported " + count_of(people, "person", "people"), {{"exported", people}});
}

Result<std::size_t> read_some(Source& source, std::span<std::byte> into) {
  if (source.window().empty() && !source.more()) return std::size_t{0};
  const std::string_view window = source.window();
  const std::size_t many = std::min(window.size(), into.size());
  std::copy_n(as_bytes(window).begin(), many, into.begin());
  source.pass(many);
  return many;
}

void open(const Common&, const ExportVerbOptions& given, Output& out) {
  const RecipientKeyPair keys = recipient_keys(given.key);
  Source source(given.file);
  take(open_export([&](std::span<std::byte> into) { return read_some(source, into); }, keys,
                   Sink(out)));
}

void read(const Common&, const ExportVerbOptions& given, Output& out) {
  Source source(given.file);
  static_cast<void>(take(export_to_json(
      [&](std::span<std::byte> into) { return read_some(source, into); }, Sink(out))));
}

void add_export_options(CLI::App& verb, ExportVerbOptions& given) {
  text_option(verb, "--format", given.format, "json (default) or flatbuffers");
  text_option(verb, "--to-key", given.to_key,
              "Seal it to whoever has the secret of this public key")
      .type_name("FILE");
}

}  // namespace

void add_export_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<ExportVerbOptions>();
  using Verb = void (*)(const Common&, const ExportVerbOptions&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) {
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };
  CLI::App& group =
      *verbs.app.add_subcommand("export", "Write all that is known of people, and open it");
  group.require_subcommand(1);
  CLI::App& one = verbs.add(group, "person", "All that is known of a person, to stdout",
                            "efface export person acme @id.txt --to-key hers.pub > hers.sealed");
  hang(one, export_person);
  add_person_options(one, *given);
  add_export_options(one, *given);
  CLI::App& all = verbs.add(group, "tenant", "The same of all people of a tenant, one a line",
                            "efface export tenant acme --to-key acme.pub > acme.sealed");
  hang(all, export_tenant);
  text_option(all, "TENANT", given->tenant, "Whose people").required();
  add_export_options(all, *given);
  CLI::App& opened = verbs.add(group, "open", "Open what was sealed to a public key",
                               "efface export open --key mine < mine.sealed > mine.json");
  hang(opened, open);
  text_option(opened, "FILE", given->file, "The sealed export (default: stdin)");
  text_option(opened, "--key", given->key, "The file that keygen made")
      .type_name("FILE")
      ->required();
  CLI::App& told =
      verbs.add(group, "read", "An export in flatbuffers, as JSON", "efface export read hers.fb");
  hang(told, read);
  text_option(told, "FILE", given->file, "The export (default: stdin)");

  CLI::App& made = verbs.add(verbs.app, "keygen", "Make the two keys that exports are sealed to",
                             "efface keygen mine");
  hang(made, keygen);
  text_option(made, "FILE", given->file, "For the secret key; the public one goes to FILE.pub")
      .required();
}

}  // namespace efface::cli
