#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tools/screen.h"
#include "tools/top.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct TopOptions {
  std::string interval;
  bool once = false;
};

std::chrono::seconds interval_of(const std::string& text) {
  std::uint32_t seconds = 1;
  if (text.empty()) return std::chrono::seconds(seconds);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 1 || seconds > 3600)
    throw usage("--interval is a number of seconds, from 1 to 3600");
  return std::chrono::seconds(seconds);
}

Sample sample_of(const Store& store) {
  return {take(store.stats()), std::chrono::system_clock::now()};
}

void say(Output& out, const Sample& now, const Sample* before) {
  if (out.json())
    out.object(top_object(now, before));
  else
    out.raw(as_bytes(top_frame(now, before)));
  out.finish();
}

void top(const Common& common, const TopOptions& given, Output& out) {
  const std::chrono::seconds interval = interval_of(given.interval);
  std::optional<Screen> screen;
  Session session(common);
  const Store& store = session.store();
  Sample now = sample_of(store);
  if (given.once) {
    say(out, now, nullptr);
    return;
  }
  if (!out.json()) screen.emplace();
  std::optional<Sample> before;
  for (;;) {
    const Sample* const last = before ? &*before : nullptr;
    if (screen)
      screen->draw(top_frame(now, last));
    else
      say(out, now, last);
    if (screen && !screen->wait(interval)) return;
    if (!screen) std::this_thread::sleep_for(interval);
    before = std::exchange(now, sample_of(store));
  }
}

}  // namespace

void add_top_verb(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<TopOptions>();
  CLI::App& verb =
      verbs.add(verbs.app, "top", "The numbers of a store as they change, until q is pressed",
                "efface top --shared --store people --root-key /mnt/keys/eu-west.root");
  verb.add_flag("--once", given->once, "Say them once, and end");
  text_option(verb, "--interval", given->interval, "Look anew after so many seconds (default: 1)")
      .type_name("SECONDS");
  verb.callback([&common, &action, given] {
    action = [&common, given](Output& out) { top(common, *given, out); };
  });
}

}  // namespace efface::cli
