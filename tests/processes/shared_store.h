// processes/shared_store.h -- a store of two regions that processes share, and one process's view
// of it.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "processes/peer.h"
#include "support/root_keys_over.h"
#include "support/store_fixture.h"

namespace efface::test {

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

inline std::string text_of(const Error& error) {
  return std::string(name(error.code())) + " (" + error.note() + ")";
}

// What one process has open. Made in that process.
class View {
 public:
  using Wrap = std::function<std::shared_ptr<RootKeyStore>(std::shared_ptr<RootKeyStore>)>;

  explicit View(const std::filesystem::path& home,
                std::chrono::milliseconds deadline = std::chrono::milliseconds(10'000),
                const Wrap& wrap = {})
      : home_(home) {
    options_.directory = home / "store";
    options_.shared = true;
    options_.deadline = deadline;
    options_.require_locked_memory = false;
    options_.accept_l0 = true;
    for (const char* region : {"eu", "us"}) {
      FileRootKeyStoreOptions keys = root_key_options(home / region);
      keys.shared = true;
      auto opened = FileRootKeyStore::open(keys);
      if (!opened) {
        status_ = opened.error();
        return;
      }
      std::shared_ptr<RootKeyStore> store = *std::move(opened);
      if (wrap && region[0] == 'e') store = wrap(store);
      keys_.push_back(store);
      options_.regions.push_back({region, keys_.back().get(), {}});
    }
    auto store = Store::open(options_);
    if (!store) {
      status_ = store.error();
      return;
    }
    store_.emplace(*std::move(store));
  }

  const Status& status() const { return status_; }
  Store& store() { return *store_; }
  Region region(const char* called = "eu") { return store_->region(called).value(); }
  Tenant& tenant() {
    if (!tenant_) tenant_.emplace(store_->tenant("acme", Actor("test")).value());
    return *tenant_;
  }
  Result<Activity> try_activity(const char* called = "ratings") {
    const auto purpose = tenant().purpose(called);
    if (!purpose) return purpose.error();
    return tenant().activity(*purpose);
  }
  Activity activity(const char* purpose = "ratings") { return try_activity(purpose).value(); }
  Result<Subject> find(const std::string& id) { return tenant().subject(SubjectId(id)); }
  Status put(const std::string& id, std::string_view value) {
    auto now = try_activity();
    if (!now) return now.error();
    return now->put(SubjectId(id), region(), RecordName("r"), as_bytes(value));
  }
  std::string get(const std::string& id) {
    const auto subject = find(id);
    if (!subject) return name(subject.error().code());
    return get(*subject);
  }
  std::string get(const Subject& subject) {
    auto now = try_activity();
    if (!now) return name(now.error().code());
    return text_of(now->get(subject, RecordName("r")));
  }
  std::string erase(const std::string& id) {
    const SubjectId ids[] = {SubjectId(id)};
    const auto erased = tenant().erase(ids);
    if (!erased) return name(erased.error().code());
    return erased->erased == 1 ? "erased" : "unknown";
  }

 private:
  std::filesystem::path home_;
  OpenOptions options_;
  std::vector<std::shared_ptr<RootKeyStore>> keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
  Status status_;
};

// A store with a tenant in both regions and a purpose, which nobody has open.
class SharedStore : public testing::Test {
 protected:
  void SetUp() override {
    // In a process of its own: this one has opened nothing when it forks again.
    Peer maker([&](const Channel&) {
      std::vector<std::unique_ptr<FileRootKeyStore>> keys;
      OpenOptions options;
      options.directory = home_ / "store";
      options.require_locked_memory = false;
      options.accept_l0 = true;
      options.map_bytes_max = map_bytes_max_;
      for (const char* region : {"eu", "us"}) {
        keys.push_back(FileRootKeyStore::create(root_key_options(home_ / region)).value());
        options.regions.push_back({region, keys.back().get(), {}});
      }
      auto store = Store::create(options);
      if (!store) return 1;
      const Region both[] = {store->region("eu").value(), store->region("us").value()};
      auto tenant = store->declare_tenant("acme", both, Actor("test"));
      if (!tenant) return 2;
      return tenant->declare_purpose({"ratings"}) ? 0 : 3;
    });
    ASSERT_EQ(maker.join(), 0);
  }

  View open() { return View(home_.path()); }

  TempDirectory home_{"shared"};
  std::uint64_t map_bytes_max_ = std::uint64_t{1} << 40;
};

}  // namespace efface::test
