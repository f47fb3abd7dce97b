// support/people.h -- a store with one region, one tenant and one purpose, and people in it.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "efface/efface.h"

namespace efface::bench {

class People {
 public:
  struct Existing {};
  static constexpr Existing existing{};

  explicit People(std::string_view label);
  People(std::string_view label, Existing);  // Opens what one of that label left.

  const Tenant& tenant() const noexcept { return tenant_; }
  const Activity& activity() const noexcept { return activity_; }
  const Region& region() const noexcept { return region_; }
  const Store& store() const noexcept { return store_; }

  // People first to first + n - 1, with a scope for the purpose.
  std::vector<Subject> enrol(std::uint64_t first, std::size_t n) const;
  // Records first to first + n - 1 of a person; value_bytes each.
  void load(const Subject& subject, std::uint64_t first, std::size_t n,
            std::size_t value_bytes) const;

  RegionStats stats() const;
  std::uint64_t locked_bytes() const;  // Memory for keys, locked or not.

 private:
  std::unique_ptr<FileRootKeyStore> root_keys_;
  Store store_;
  Region region_;
  Tenant tenant_;
  Purpose purpose_;
  Activity activity_;
};

}  // namespace efface::bench
