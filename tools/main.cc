// efface, the command line: everything that the public interface can do, without writing C++.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "tools/usage.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

// As the parser writes help, but for how many of an argument there may be.
class Help final : public CLI::Formatter {
 public:
  std::string make_option_usage(const CLI::Option* option) const override {
    if (option->get_expected_max() <= 1) return CLI::Formatter::make_option_usage(option);
    return '[' + option->get_name(true) + "...]";
  }
};

int fail(const Output& out, const Failure& failure) {
  out.error(failure);
  return static_cast<int>(failure.status());
}

int act(Common& common, const Action& action) {
  Output out(common.json);
  try {
    common.complete();
    action(out);
    out.finish();
    return out.status();
  } catch (const Failure& failure) {
    return fail(out, failure);
  } catch (const std::bad_alloc&) {
    return fail(out, refused(Errc::out_of_memory, "not enough memory"));
  } catch (const std::exception&) {
    return fail(out, Failure("internal", "an error that should not be", Exit::broken));
  }
}

int run(std::vector<std::string> arguments) {
  Common common;
  Action action;
  CLI::App app("efface keeps personal data, and can forget a person.", "efface");
  app.set_version_flag("--version", "efface " EFFACE_VERSION);
  app.require_subcommand(1);
  app.formatter(std::make_shared<Help>());  // Its verbs inherit it.
  app.footer(
      "Exit status: 0 done, 1 refused or not found, 2 usage, 3 I/O or corruption.\n"
      "efface VERB --help shows each verb with an example.");
  const Verbs verbs{app, common, action};
  add_store_verbs(verbs);
  add_tenant_verbs(verbs);
  add_purpose_verbs(verbs);
  add_import_verb(verbs);
  add_record_verbs(verbs);
  add_consent_verbs(verbs);
  add_suppression_verbs(verbs);
  add_hold_verbs(verbs);
  add_erase_verb(verbs);
  add_identity_verbs(verbs);
  add_export_verbs(verbs);
  add_residency_verbs(verbs);
  add_upkeep_verbs(verbs);
  add_backup_verbs(verbs);
  add_root_verbs(verbs);
  add_ledger_verbs(verbs);
  add_incident_verbs(verbs);
  add_verify_verb(verbs);
  add_doctor_verbs(verbs);
  add_forensics_verb(verbs);
  add_top_verb(verbs);
  add_pages_verbs(verbs);

  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Output out(json);
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
  } catch (const CLI::CallForVersion& version) {
    out.line(version.what());
    return static_cast<int>(Exit::done);
  } catch (const CLI::Success&) {
    out.line(app.help());
    return static_cast<int>(Exit::done);
  } catch (const CLI::ParseError& error) {
    return fail(out, explain(app, error));
  } catch (const Failure& failure) {
    return fail(out, failure);
  }
  return act(common, action);
}

}  // namespace
}  // namespace efface::cli

int main(int argc, char** argv) {
  // A crash must not write what is in memory to a disk. Where that cannot be had, it still runs.
  const rlimit none{0, 0};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
  return efface::cli::run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
