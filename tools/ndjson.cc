#include "tools/ndjson.h"

#include <nlohmann/json.hpp>

#include "efface/limits.h"

namespace efface::cli {

// Keeps the wanted fields of the outermost object, each as it is written.
class NdjsonEntries::Sax final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Sax(std::vector<Wanted>& wanted) noexcept : wanted_(wanted) {}
  const char* fault() const noexcept { return fault_; }

  bool null() override { return value({}, false); }
  bool boolean(bool given) override { return value(given ? "true" : "false", true); }
  bool number_integer(number_integer_t given) override {
    return value(std::to_string(given), true);
  }
  bool number_unsigned(number_unsigned_t given) override {
    return value(std::to_string(given), true);
  }
  bool number_float(number_float_t, const string_t& written) override {
    return value(written, true);
  }
  bool string(string_t& given) override { return value(given, true); }
  bool binary(binary_t&) override { return value({}, false); }
  bool start_object(std::size_t) override {
    if (depth_ == 1 && !value({}, false)) return false;
    ++depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (!value({}, false)) return false;
    ++depth_;
    return true;
  }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    current_ = nullptr;
    for (Wanted& wanted : wanted_)
      if (wanted.field == name) current_ = &wanted;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    if (fault_ == nullptr) fault_ = "not JSON";
    return false;
  }

 private:
  bool end() noexcept {
    --depth_;
    return true;
  }
  bool refuse(const char* fault) noexcept {
    fault_ = fault;
    return false;
  }
  bool value(std::string_view text, bool scalar) {
    if (depth_ == 0) return refuse("not a JSON object");
    if (depth_ > 1 || current_ == nullptr) return true;
    if (!scalar) return refuse("a field of --subject or --name is neither text nor number");
    if (current_->found++ > 0) return refuse("a field of --subject or --name is given twice");
    current_->text.assign(text.begin(), text.end());
    return true;
  }

  std::vector<Wanted>& wanted_;
  Wanted* current_ = nullptr;
  std::size_t depth_ = 0;
  const char* fault_ = nullptr;
};

NdjsonEntries::NdjsonEntries(Source& source, std::string_view subject_field,
                             const NameTemplate& name)
    : source_(source) {
  want(subject_field);
  for (const NameTemplate::Part& part : name.parts())
    name_.push_back({part.text, part.is_column ? want(part.text) : 0, part.is_column});
}

std::size_t NdjsonEntries::want(std::string_view field) {
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (wanted_[i].field == field) return i;
  wanted_.push_back({std::string(field), {}, 0});
  return wanted_.size() - 1;
}

bool NdjsonEntries::take_line(Entry& entry) {
  source_.pass(pending_bytes_);
  pending_bytes_ = 0;
  entry = {};
  entry.line = entry.line_last = ++line_;
  bool too_long = false;
  std::size_t looked = 0;
  for (;;) {
    const std::size_t end = source_.window().find('\n', looked);
    if (end != std::string_view::npos) {
      pending_bytes_ = end + 1;
      entry.raw = source_.window().substr(0, end);
      break;
    }
    looked = source_.window().size();
    if (looked > limits::value_bytes_max + 1) {
      too_long = true;
      source_.pass(looked);
      looked = 0;
    }
    if (source_.more()) continue;
    pending_bytes_ = source_.window().size();
    entry.raw = source_.window();
    if (entry.raw.empty() && !too_long) return false;
    break;
  }
  if (entry.raw.ends_with('\r')) entry.raw.remove_suffix(1);
  if (too_long || entry.raw.size() > limits::value_bytes_max) entry.fault = "the line is too long";
  return true;
}

bool NdjsonEntries::next(Entry& entry) {
  if (!take_line(entry)) return false;
  if (entry.fault != nullptr) return true;
  for (Wanted& wanted : wanted_) wanted.found = 0;
  Sax sax(wanted_);
  if (!nlohmann::json::sax_parse(entry.raw, &sax)) {
    entry.fault = sax.fault() != nullptr ? sax.fault() : "not JSON";
    return true;
  }
  for (const Wanted& wanted : wanted_) {
    if (wanted.found > 0) continue;
    entry.fault = "a field of --subject or --name is missing";
    return true;
  }
  entry.subject = view(wanted_.front().text);
  expanded_.clear();
  for (const Part& part : name_)
    append(expanded_, part.is_column ? view(wanted_[part.wanted].text) : part.text);
  entry.name = view(expanded_);
  check(entry);
  return true;
}

}  // namespace efface::cli
