#include "access/sealing.h"

#include "access/mutant.h"
#include "base/check.h"
#include "efface/limits.h"
#include "records/sealed.h"

namespace efface::access {
namespace {

Status check_sizes(Bytes context, std::size_t plain_bytes) {
  if (context.size() > limits::seal_context_bytes_max)
    return Error(Errc::too_large, "the context of sealed bytes is longer than 1,024 bytes");
  if (plain_bytes > limits::value_bytes_max)
    return Error(Errc::too_large, "what is sealed is larger than 16 MiB");
  return {};
}

// Beside the scope itself, by which she is counted.
Result<keyring::SharedKeys> keys_to_seal(const Activity& activity, const Person& person,
                                         const Admission& admission) {
  const keyring::Label purpose = activity.purpose.number;
  const keyring::Label label = keyring::scope_label(purpose, keyring::sealing_key);
  if (admission.keys->find(label) != nullptr) return admission.keys;
  std::array<keyring::Ensure, 2> rows;
  rows[0].label = purpose;
  rows[1].label = label;
  for (keyring::Ensure& row : rows) {
    row.tag = person.tag;
    row.aux = first_generation;
    row.needs_person = true;
  }
  keyring::Keyring& keyring = *person.home->region->keyring;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_TRY(keyring.ensure(held, person.home->people(), rows));
  if (rows[1].person_missing) return Error(Errc::subject_erased, "the person has been erased");
  EFFACE_TRY(check_same(*rows[1].keys, person));
  return rows[1].keys;
}

Result<codec::Plaintext> open_admitted(const Activity& activity, const Person& person,
                                       const keyring::Keys& keys, Bytes context, Bytes sealed) {
  EFFACE_ASSIGN(const records::ClearHeader header, records::read_sealed_header(sealed));
  if (mutant != Mutant::any_purpose_opens && header.purpose != activity.purpose.number)
    return Error(Errc::purpose_not_permitted, "the bytes were sealed for another purpose");
  const keyring::Row* row = keys.find(keyring::scope_label(header.purpose, keyring::sealing_key));
  if (row == nullptr || !records::is_marked_for(row->handle, sealed))
    return Error(Errc::seal_unknown, "the bytes are somebody else's, or their key is destroyed");
  EFFACE_ASSIGN(const BucketKey bucket, bucket_key_of(person, keys, header.bucket));
  const records::ScopeKeys with{person.home->region->id, person.home->ref.number, keys, *row,
                                header.bucket,           bucket.row->key.bytes()};
  EFFACE_ASSIGN(codec::Plaintext plain, records::open_bytes(with, context, sealed));
  const std::int64_t expires = records::expiry_ms(header.bucket);
  if (expires != 0 && records::to_ms(activity.tenant->now()) >= expires)
    return Error(Errc::expired, "the retention of the bytes is over");
  return plain;
}

}  // namespace

Result<std::vector<std::byte>> seal(const Activity& activity, const Person& person, Bytes context,
                                    Bytes plain, std::optional<Days> retention) {
  EFFACE_TRY(check_sizes(context, plain.size()));
  return until_still(
      activity, person, Use::write,
      [&](const Admission& admission) -> Result<std::vector<std::byte>> {
        EFFACE_ASSIGN(const records::Bucket day, bucket_of(activity, retention));
        EFFACE_ASSIGN(const auto bucket, bucket_for_writing(*person.tenant, *person.home, day));
        EFFACE_ASSIGN(const auto keys, keys_to_seal(activity, person, admission));
        const keyring::Label label =
            keyring::scope_label(activity.purpose.number, keyring::sealing_key);
        return records::seal_bytes(
            {person.home->region->id, person.home->ref.number, *keys, *keys->find(label), day,
             bucket->find(keyring::bucket_key)->key.bytes()},
            context, plain);
      });
}

Result<codec::Plaintext> open(const Activity& activity, const Person& person, Bytes context,
                              Bytes sealed) {
  EFFACE_TRY(check_sizes(context, 0));
  return until_still(activity, person, Use::read, [&](const Admission& admission) {
    return open_admitted(activity, person, *admission.keys, context, sealed);
  });
}

}  // namespace efface::access
