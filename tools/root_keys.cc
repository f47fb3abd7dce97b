#include "tools/root_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "efface/efface.h"
#include "tools/failure.h"
#include "tools/input.h"
#include "tools/text.h"
#if EFFACE_HAS_TPM
#include "efface/tpm_root_key_store.h"
#endif

namespace efface::cli {
namespace {

constexpr std::string_view pkcs11 = "pkcs11:";
constexpr std::string_view tpm = "tpm:";
constexpr std::string_view composite = "composite:";
constexpr std::string_view replicated = "replicated:";
constexpr std::string_view absent = "absent=";
constexpr std::array schemes{pkcs11, tpm, composite, replicated};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// What stands before the first '=', if it could be a region; nothing for a bare store.
std::pair<std::string_view, std::string_view> region_and_store(std::string_view given) {
  const std::size_t equals = given.find('=');
  if (equals == std::string_view::npos || !is_label(given.substr(0, equals))) return {{}, given};
  return {given.substr(0, equals), given.substr(equals + 1)};
}

std::vector<std::string> members(std::string_view text) {
  for (const std::string_view scheme : {composite, replicated})
    if (text.starts_with(scheme)) return split(text.substr(scheme.size()), '+');
  return {};
}

// key=value;key=value
using Settings = std::map<std::string, std::string, std::less<>>;
Settings settings_of(std::string_view text, std::initializer_list<std::string_view> known) {
  Settings settings;
  for (const std::string& part : split(text, ';')) {
    const std::size_t equals = part.find('=');
    const std::string key = part.substr(0, equals);
    if (equals == std::string::npos || std::find(known.begin(), known.end(), key) == known.end())
      throw usage("--root-key: an unknown part of a token's description");
    if (!settings.emplace(key, part.substr(equals + 1)).second)
      throw usage("--root-key: a part of a token's description is given twice");
  }
  return settings;
}
std::string text_in(const Settings& settings, std::string_view key) {
  const auto at = settings.find(key);
  return at == settings.end() ? std::string() : at->second;
}
WipedText secret_in(const Settings& settings, std::string_view key) {
  const std::string path = text_in(settings, key);
  return path.empty() ? WipedText() : passphrase(path);
}

// Makes it only where there is none.
template <class Store, class Options>
std::unique_ptr<RootKeyStore> open_or_create(const Options& options, bool create) {
  auto opened = Store::open(options);
  if (!opened && create && opened.error().code() == Errc::root_key_missing)
    return take(Store::create(options));
  return take(std::move(opened));
}

std::unique_ptr<RootKeyStore> open_pkcs11(std::string_view text, bool create) {
  const Settings settings = settings_of(text, {"module", "token", "serial", "name", "pin-source"});
  const WipedText pin = secret_in(settings, "pin-source");
  Pkcs11RootKeyStoreOptions options;
  options.module = text_in(settings, "module");
  options.token_label = text_in(settings, "token");
  options.token_serial = text_in(settings, "serial");
  options.pin = bytes_of(pin);
  if (settings.contains("name")) options.name = text_in(settings, "name");
  return open_or_create<Pkcs11RootKeyStore>(options, create);
}

#if EFFACE_HAS_TPM
std::unique_ptr<RootKeyStore> open_tpm(std::string_view text, bool create) {
  const Settings settings =
      settings_of(text, {"tcti", "index", "auth-source", "owner-auth-source"});
  const WipedText auth = secret_in(settings, "auth-source");
  const WipedText owner_auth = secret_in(settings, "owner-auth-source");
  TpmRootKeyStoreOptions options;
  if (settings.contains("tcti")) options.tcti = text_in(settings, "tcti");
  if (settings.contains("index")) {
    std::string digits = text_in(settings, "index");
    const int base = digits.starts_with("0x") ? 16 : 10;
    if (base == 16) digits.erase(0, 2);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), options.index, base);
    if (failed != std::errc() || end != digits.data() + digits.size())
      throw usage("--root-key tpm: an index is a number, as 0x01800010");
  }
  options.auth = bytes_of(auth);
  options.owner_auth = bytes_of(owner_auth);
  return open_or_create<TpmRootKeyStore>(options, create);
}
#else
std::unique_ptr<RootKeyStore> open_tpm(std::string_view, bool) {
  throw refused(Errc::unsupported, "this efface was built without TPM support");
}
#endif

RootKeyStore::StoreId id_of(std::string_view hex) {
  RootKeyStore::StoreId id{};
  const auto nibble = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    throw usage("--root-key: an absent replica is named by the 32 digits of its id");
  };
  if (hex.size() != 2 * id.size()) nibble('?');
  for (std::size_t i = 0; i < id.size(); ++i)
    id[i] = static_cast<std::byte>(nibble(hex[2 * i]) * 16 + nibble(hex[2 * i + 1]));
  return id;
}

}  // namespace

bool is_root_key_file(std::string_view text) noexcept {
  return std::none_of(schemes.begin(), schemes.end(),
                      [&](std::string_view scheme) { return text.starts_with(scheme); });
}

std::vector<std::string> split_root_keys(std::string_view text) {
  if (text.find('\n') != std::string_view::npos || !is_root_key_file(region_and_store(text).second))
    return split(text, '\n');
  return split(text, ':');
}

RegionRootKeys root_keys_of(const std::vector<std::string>& given,
                            const std::vector<std::string>& regions) {
  RegionRootKeys out;
  for (const std::string& one : given) {
    const auto [named, store] = region_and_store(one);
    if (named.empty() && regions.size() != 1)
      throw usage("with several regions each --root-key names its own: REGION=FILE");
    std::string region = named.empty() ? regions.front() : std::string(named);
    if (store.empty()) throw usage("--root-key takes a file");
    for (const auto& [other, unused] : out)
      if (other == region) throw usage("two --root-key for one region");
    out.emplace_back(std::move(region), store);
  }
  return out;
}

std::vector<std::string> root_key_files(const std::string& text) {
  std::vector<std::string> files;
  if (is_root_key_file(text)) files.push_back(text);
  for (const std::string& member : members(text))
    if (is_root_key_file(member) && !member.starts_with(absent)) files.push_back(member);
  return files;
}

RootKeys::RootKeys(const std::string& passphrase_file, bool accept_l0, bool shared)
    : passphrase_(passphrase_file.empty() ? WipedText() : passphrase(passphrase_file)),
      accept_l0_(accept_l0),
      shared_(shared) {}

std::unique_ptr<RootKeyStore> RootKeys::open_file(const std::string& path, bool create,
                                                  std::vector<std::string>& made) const {
  const FileRootKeyStoreOptions options{.path = path,
                                        .passphrase = bytes_of(passphrase_),
                                        .accept_l0 = accept_l0_,
                                        .shared = shared_};
  std::error_code unseen;
  if (!create || std::filesystem::exists(std::filesystem::symlink_status(path, unseen)))
    return take(FileRootKeyStore::open(options));
  auto store = take(FileRootKeyStore::create(options));
  made.push_back(path);
  return store;
}

std::unique_ptr<RootKeyStore> RootKeys::open(const std::string& text, bool create,
                                             std::vector<std::string>& made) const {
  if (text.starts_with(pkcs11)) return open_pkcs11(text.substr(pkcs11.size()), create);
  if (text.starts_with(tpm)) return open_tpm(text.substr(tpm.size()), create);
  if (!is_root_key_file(text)) throw usage("--root-key: several stores are not nested here");
  return open_file(text, create, made);
}

std::vector<std::string> RootKeys::add(const std::string& region, const std::string& text,
                                       bool create) {
  std::vector<std::string> made;
  Held held{region, {}, nullptr};
  if (!text.starts_with(composite) && !text.starts_with(replicated)) {
    held.whole = open(text, create, made);
    held_.push_back(std::move(held));
    return made;
  }
  std::vector<RootKeyStore*> here;
  std::vector<RootKeyStore::StoreId> away;
  for (const std::string& member : members(text)) {
    if (member.starts_with(absent)) {
      away.push_back(id_of(std::string_view(member).substr(absent.size())));
      continue;
    }
    held.members.push_back(open(member, create, made));
    here.push_back(held.members.back().get());
  }
  if (text.starts_with(replicated))
    held.whole = take(ReplicatedRootKeyStore::over(here, away));
  else if (away.empty())
    held.whole = take(CompositeRootKeyStore::over(here));
  else
    throw usage("--root-key composite: all of its members are needed");
  held_.push_back(std::move(held));
  return made;
}

RootKeyStore* RootKeys::of(std::string_view region) const noexcept {
  for (const Held& held : held_)
    if (held.region == region) return held.whole.get();
  return nullptr;
}

std::vector<RootKeyStore*> RootKeys::members_of(std::string_view region) const {
  std::vector<RootKeyStore*> all;
  for (const Held& held : held_)
    if (held.region == region)
      for (const auto& member : held.members) all.push_back(member.get());
  return all;
}

}  // namespace efface::cli
