#include "tools/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "efface/limits.h"
#include "tools/failure.h"
#include "tools/text.h"

namespace efface::cli {
namespace {

void check_id(std::string_view id, std::uint64_t line) {
  if (id.empty()) throw refused(Errc::invalid_argument, "an empty id").at_line(line);
  if (id.size() > limits::subject_id_bytes_max)
    throw refused(Errc::too_large, "the id is too long").at_line(line);
  if (!is_utf8(id)) throw refused(Errc::invalid_argument, "the id is not UTF-8").at_line(line);
}

}  // namespace

Source::Source(const std::string& path, std::size_t window_bytes_min)
    : fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      window_bytes_min_(window_bytes_min) {
  if (fd_ < 0) throw system_failure("a file cannot be opened");
  struct stat status{};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  open_to_others_ = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  if (fd_ != STDIN_FILENO) bytes_total_ = static_cast<std::uint64_t>(status.st_size);
}

Source::~Source() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

std::string_view Source::window() const noexcept {
  return {buffer_.data() + begin_, end_ - begin_};
}

bool Source::more() {
  if (end_ == buffer_.size()) {
    // Half empty: move what is left to the front. Else grow.
    const std::size_t left = end_ - begin_;
    if (2 * begin_ < buffer_.size() || buffer_.empty())
      buffer_.resize(std::max(window_bytes_min_, buffer_.size() * 2));
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), left, buffer_.begin());
    begin_ = 0;
    end_ = left;
  }
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw system_failure("the input cannot be read");
  end_ += static_cast<std::size_t>(got);
  return got > 0;
}

void Source::pass(std::size_t bytes) noexcept {
  begin_ += bytes;
  bytes_passed_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

std::optional<WipedText> next_line(Source& source, std::size_t bytes_max) {
  std::size_t looked = 0;
  for (;;) {
    const std::string_view window = source.window();
    const std::size_t end = window.find('\n', looked);
    const bool ended = end != std::string_view::npos;
    looked = window.size();
    // A line end of two bytes may follow.
    if ((ended ? end : looked) > bytes_max + 1)
      throw refused(Errc::too_large, "a line of the input is too long");
    if (!ended && source.more()) continue;
    std::string_view line = source.window().substr(0, end);
    if (!ended && line.empty()) return std::nullopt;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > bytes_max) throw refused(Errc::too_large, "a line of the input is too long");
    WipedText text(line.begin(), line.end());
    source.pass(ended ? end + 1 : looked);
    return text;
  }
}

Source& standard_input() {
  static Source source("-");
  return source;
}

WipedText subject_id(const std::string& argument) {
  if (argument != "-" && !argument.starts_with('@')) return {argument.begin(), argument.end()};
  std::optional<WipedText> line;
  if (argument == "-") {
    line = next_line(standard_input(), limits::subject_id_bytes_max);
  } else {
    Source file(argument.substr(1));
    line = next_line(file, limits::subject_id_bytes_max);
  }
  if (!line) throw refused(Errc::invalid_argument, "the input that should hold an id is empty");
  return std::move(*line);
}

void each_subject_id(const std::string& path,
                     const std::function<void(std::string_view id, std::uint64_t line)>& each) {
  std::optional<Source> file;
  Source& source = path == "-" ? standard_input() : file.emplace(path);
  for (std::uint64_t line = 1;; ++line) {
    std::optional<WipedText> id;
    try {
      id = next_line(source, limits::subject_id_bytes_max);
    } catch (Failure& failure) {
      failure.at_line(line);
      throw;
    }
    if (!id) return;
    check_id(view(*id), line);
    each(view(*id), line);
  }
}

WipedText value_from_stdin(std::size_t bytes_max) {
  Source& source = standard_input();
  while (source.more())
    if (source.window().size() > bytes_max)
      throw refused(Errc::too_large, "the value is over the limit");
  const std::string_view all = source.window();
  return {all.begin(), all.end()};
}

WipedText passphrase(const std::string& path) {
  Source file(path);
  if (file.open_to_others())
    throw refused(Errc::unsafe_path, "the passphrase file has a mode for group or others");
  std::optional<WipedText> line = next_line(file, limits::passphrase_bytes_max);
  if (!line || line->empty())
    throw refused(Errc::invalid_argument, "the first line of the passphrase file is empty");
  return std::move(*line);
}

}  // namespace efface::cli
