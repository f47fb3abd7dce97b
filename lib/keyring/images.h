// keyring/images.h -- old pages of keyrings, and how far today's keys reach into them.
//
// What opens an old image of a node is the key of the node that stands in its place today, or one
// that stands in another image that was opened; what opens an old root record is the root key store
// as it is today. Keyring::reach follows all of it to its end. Under the rules of key_tree.h it
// meets no row that is not there today: every removal gave fresh keys to all nodes above. A row
// that it does meet, and that is not there, was removed and not forgotten.
#pragma once
#include <optional>

#include "keyring/keyring.h"
#include "keyring/node.h"

namespace efface::keyring {

// Where images were found, and who wants to know what became of them.
class NodeImages {
 public:
  virtual ~NodeImages() = default;
  // Calls look for each image of a node in that place; look may ask for those of another place.
  virtual Status each_node(const NodeId& id,
                           FunctionRef<Status(std::size_t image, Bytes sealed)> look) = 0;
  virtual Status each_root(FunctionRef<Status(std::size_t image, Bytes record)> look) = 0;
  // Told of an image that was opened; perhaps more than once.
  virtual void node_opened(std::size_t image) = 0;
  virtual void root_opened(std::size_t image) = 0;
  // Told of one of which the root key store could not say, now, whether it opens it.
  virtual void root_unanswered(std::size_t image) = 0;
  // Told of a row that was reached and is not there today; perhaps more than once. tenant: its
  // number, 0 for a row of the region's own.
  struct Beyond {
    std::uint32_t tree;
    std::uint32_t tenant;
    RowView row;
  };
  virtual Status beyond(const Beyond& found) = 0;
};

// ---- what something found on a page may be, by its key, its size and how it begins ----
// value: at least its first four bytes.
std::optional<NodeId> node_of(Bytes key, std::size_t value_bytes, Bytes value) noexcept;
bool is_root_record(Bytes key, std::size_t value_bytes, Bytes value) noexcept;
bool is_file(Bytes key, std::size_t value_bytes, Bytes value) noexcept;  // On a person.
Handle person_of_file(Bytes key) noexcept;
std::uint32_t tenant_of_file(Bytes key) noexcept;

// Whether a file on a person, in any version of it, opens with the key of her row.
bool opens_file(const Id16& region, Bytes key, crypto::KeyView with, Bytes sealed);

}  // namespace efface::keyring
