// tools/root_keys.h -- the root key stores of a command line.
//
// Shape     FILE
//           pkcs11:module=FILE;token=LABEL;serial=TEXT;name=TEXT;pin-source=FILE
//           tpm:tcti=TEXT;index=NUMBER;auth-source=FILE;owner-auth-source=FILE
//           composite:A+B, of these, and replicated:A+B, where one may be absent=ID
//           A region's is [REGION=]STORE.
// Lifetime  RootKeys outlives the store that is opened with it.
// Errors    usage; those of the root key stores.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "efface/root_key_store.h"
#include "tools/wiped.h"

namespace efface::cli {

// As EFFACE_ROOT_KEY has them: files separated by ':', or, where it holds something else, lines.
std::vector<std::string> split_root_keys(std::string_view text);

// REGION and its root key store, in the order in which they are given.
using RegionRootKeys = std::vector<std::pair<std::string, std::string>>;
RegionRootKeys root_keys_of(const std::vector<std::string>& given,
                            const std::vector<std::string>& regions);

// The files among what a text names; that a text is nothing but one.
std::vector<std::string> root_key_files(const std::string& text);
bool is_root_key_file(std::string_view text) noexcept;

class RootKeys {
 public:
  // No passphrase file: none has a passphrase.
  // shared: with other processes.
  RootKeys(const std::string& passphrase_file, bool accept_l0, bool shared = false);
  // create: makes what is missing, and answers the files that it made.
  std::vector<std::string> add(const std::string& region, const std::string& text, bool create);
  // Null: it has none.
  RootKeyStore* of(std::string_view region) const noexcept;
  // The stores that it is made of; none of one alone.
  std::vector<RootKeyStore*> members_of(std::string_view region) const;

 private:
  struct Held {
    std::string region;
    std::vector<std::unique_ptr<RootKeyStore>> members;
    std::unique_ptr<RootKeyStore> whole;
  };
  std::unique_ptr<RootKeyStore> open(const std::string& text, bool create,
                                     std::vector<std::string>& made) const;
  std::unique_ptr<RootKeyStore> open_file(const std::string& path, bool create,
                                          std::vector<std::string>& made) const;

  WipedText passphrase_;
  bool accept_l0_;
  bool shared_;
  std::vector<Held> held_;
};

}  // namespace efface::cli
