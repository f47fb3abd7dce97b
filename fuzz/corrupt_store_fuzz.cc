// A store whose files were damaged, opened and used: its keyring, its records, its root key file,
// its descriptions. Whatever was done to them, each call answers, with an error or not. Behind
// seals that hold, what is answered is right, too.
//
// Shape  Damage after damage, each 5 bytes and what it writes: block 2, of those of 16 bytes that
//        hold something, in all the files together; place in it 1; kind 1: written over, added,
//        zeroed from there on, cut there, or copied from the next block; bytes 1; as many bytes.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "efface/efface.h"
#include "input.h"
#include "support/saved_files.h"
#include "support/temp_directory.h"

namespace efface::fuzz {
namespace {

using Files = std::vector<std::string>;

constexpr std::size_t block_bytes = 16;
constexpr int damages_max = 8;

std::string value_of(std::string_view id, std::string_view name) {
  std::string value(name == "large" ? 4200 : 60, '.');
  value.replace(0, id.size(), id);
  return value;
}
constexpr std::array<std::string_view, 2> names{"large", "small"};

class CorruptStore {
 public:
  CorruptStore() {
    make();
    close();
    saved_.emplace(home_.path());
    for (std::size_t file = 0; file < saved_->files().size(); ++file) {
      const auto& bytes = saved_->files()[file].bytes;
      for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
        const std::size_t end = std::min(at + block_bytes, bytes.size());
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        const auto last = bytes.begin() + static_cast<std::ptrdiff_t>(end);
        if (std::any_of(first, last, [](char c) { return c != 0; })) blocks_.push_back({file, at});
      }
    }
    saved_->put_back();
    EFFACE_CHECK(use());  // Or there would be nothing to break.
    close();
  }

  void run(Input& input) {
    saved_->put_back();
    Files files;
    for (const auto& file : saved_->files()) files.push_back(file.bytes);
    for (int i = 0; i < damages_max && !input.empty(); ++i) damage(files, input);
    for (std::size_t i = 0; i < files.size(); ++i)
      if (files[i] != saved_->files()[i].bytes) test::SavedFiles::put(saved_->files()[i], files[i]);
    static_cast<void>(use());
    close();
  }

 private:
  struct Block {
    std::size_t file;
    std::size_t at;
  };

  OpenOptions options() {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", root_keys_.get(), {}}};
    options.verify_structure = true;
    options.require_locked_memory = false;
    options.accept_l0 = true;
    return options;
  }
  void make() {
    FileRootKeyStoreOptions options;
    options.path = home_ / "root.key";
    options.accept_l0 = true;
    root_keys_ = FileRootKeyStore::create(options).value();
    store_.emplace(Store::create(this->options()).value());
    const Region regions[] = {store_->region("eu").value()};
    tenant_.emplace(store_->declare_tenant("acme", regions, Actor("fuzz")).value());
    EFFACE_CHECK(tenant_->declare_purpose({"ratings"}).has_value());
    for (const std::string_view id : {"ada", "bob", "eve"})
      for (const std::string_view name : names)
        EFFACE_CHECK(
            activity()
                .put(SubjectId(id), regions[0], RecordName(name), as_bytes(value_of(id, name)))
                .has_value());
    EFFACE_CHECK(
        tenant_->hold(tenant_->subject(SubjectId("ada")).value(), {"court", "a reason", {}})
            .has_value());
    EFFACE_CHECK(tenant_->erase(tenant_->subject(SubjectId("eve")).value()).has_value());
  }
  void close() {
    tenant_.reset();
    store_.reset();
    root_keys_.reset();
  }
  Activity activity() { return tenant_->activity(tenant_->purpose("ratings").value()).value(); }

  void damage(Files& files, Input& input) const {
    const std::size_t index = input.number<std::uint16_t>() % blocks_.size();
    const Block block = blocks_[index];
    std::string& file = files[block.file];
    const std::size_t at = block.at + input.below(block_bytes);
    const std::uint32_t kind = input.below(5);
    const Bytes bytes = input.take(input.byte());
    if (at >= file.size()) return;
    const std::size_t size = std::min(bytes.size(), file.size() - at);
    char* const out = file.data() + at;
    for (std::size_t i = 0; i < size; ++i) {
      const char chosen = static_cast<char>(bytes[i]);
      if (kind == 0) out[i] = chosen;
      if (kind == 1) out[i] = static_cast<char>(out[i] + chosen);
      if (kind == 2) out[i] = 0;
    }
    if (kind == 3) file.resize(at);
    const Block next = blocks_[(index + 1) % blocks_.size()];
    if (kind == 4 && next.file == block.file) {
      const std::size_t copied = std::min(block_bytes, file.size() - next.at);
      std::copy_n(saved_->files()[next.file].bytes.data() + next.at,
                  std::min(copied, file.size() - block.at), file.data() + block.at);
    }
  }

  // Whether all of it went well.
  bool use() {
    FileRootKeyStoreOptions options;
    options.path = home_ / "root.key";
    options.accept_l0 = true;
    auto root_keys = FileRootKeyStore::open(options);
    if (!root_keys) return false;
    root_keys_ = *std::move(root_keys);
    auto store = Store::open(this->options());
    if (!store) return false;
    store_.emplace(*std::move(store));
    const bool checked = store_->check().has_value();
    const bool said = store_->stats().has_value() && store_->diagnose().has_value();
    auto tenant = store_->tenant("acme", Actor("fuzz"));
    if (!tenant || !tenant->purpose("ratings")) return false;
    tenant_.emplace(*std::move(tenant));
    bool good = checked && said;
    for (const std::string_view id : {"ada", "bob"}) good = read(id) && good;
    EFFACE_CHECK(!authentic || !tenant_->subject(SubjectId("eve")));
    good = write() && erase() && good;
    good = store_->maintain().has_value() && good;
    return read("ada") && good;
  }

  bool read(std::string_view id) {
    const auto who = tenant_->subject(SubjectId(id));
    if (!who) return false;
    bool good = true;
    for (const std::string_view name : names) {
      const auto found = activity().get(*who, RecordName(name));
      good = found && *found && good;
      if (authentic && found && *found)
        EFFACE_CHECK(as_text((**found).bytes()) == value_of(id, name));
    }
    const auto scanned = activity().scan(*who, {}, [](std::string_view name, Bytes value) {
      touch(as_bytes(name));
      touch(value);
      return Flow::more;
    });
    const Status looked = tenant_->dossier(*who, [](const Dossier& dossier) {
      for (const Event& event : dossier.events) touch(as_bytes(event.actor));
      for (const Hold& hold : dossier.holds) touch(as_bytes(hold.reason));
    });
    const Status exported = tenant_->export_subject(*who, {}, [](Bytes bytes) -> Status {
      touch(bytes);
      return {};
    });
    return scanned && looked && exported && good;
  }

  bool write() {
    const Region region = store_->region("eu").value();
    return activity().put(SubjectId("ada"), region, RecordName("new"), as_bytes("n")).has_value() &&
           activity().put(SubjectId("new"), region, RecordName("new"), as_bytes("n")).has_value();
  }

  bool erase() {
    auto bob = tenant_->subject(SubjectId("bob"));
    if (!bob) return false;
    if (!tenant_->erase(*std::move(bob))) return false;
    EFFACE_CHECK(!authentic || !tenant_->subject(SubjectId("bob")));
    return true;
  }

  test::TempDirectory home_{"fuzz"};
  std::unique_ptr<FileRootKeyStore> root_keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
  std::optional<test::SavedFiles> saved_;
  std::vector<Block> blocks_;
};

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static efface::fuzz::CorruptStore store;
  efface::fuzz::Input input(data, size);
  store.run(input);
  return 0;
}
