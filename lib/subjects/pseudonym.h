// subjects/pseudonym.h -- the tags under which tenants and people stand in the key trees.
//
// A person's tag is a keyed hash of her id under her tenant's pseudonym key, and stands only inside
// sealed leaves: as a key of the database it would let anyone with an old page ask for ever whether
// she was here.
#pragma once
#include <string_view>

#include "crypto/prf.h"
#include "efface/types.h"
#include "keyring/row.h"

namespace efface::subjects {

inline keyring::Tag subject_tag(const keyring::Row& pseudonym_key, SubjectId id) noexcept {
  return crypto::prf128(pseudonym_key.key.bytes(), {as_bytes("efface.subject"), as_bytes(id.text)});
}

inline keyring::Tag tenant_tag(const Id16& region, std::string_view name) noexcept {
  return crypto::hash128({as_bytes("efface.tenant"), Bytes(region), as_bytes(name)});
}

}  // namespace efface::subjects
