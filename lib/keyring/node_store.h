// keyring/node_store.h -- the seam between the key tree and what keeps its nodes.
//
// The tree knows only these two calls and that whoever made the store commits it: all puts together
// or none. LMDB is the first store behind it (lmdb_nodes.h).
#pragma once
#include "efface/result.h"
#include "keyring/node.h"

namespace efface::keyring {

class NodeReader {
 public:
  virtual ~NodeReader() = default;
  // The sealed node, valid until the next put. Errors: corruption when there is none.
  virtual Result<Bytes> get(NodeId id) const = 0;
};

class NodeWriter : public NodeReader {
 public:
  virtual Status put(NodeId id, Bytes sealed) = 0;
};

}  // namespace efface::keyring
