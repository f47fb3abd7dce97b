// subjects/dossier.h -- what is on file about a person, read, added to, and written again.
//
// A DossierFile owns the texts that it was read from; those that are added are borrowed until it is
// encoded.
//
// Threads  A value.
#pragma once
#include "codec/dossier_codec.h"
#include "keyring/row.h"
#include "subjects/terms.h"

namespace efface::subjects {

// What was asked for under a hold.
enum class Asked : std::uint8_t { erasure = 1, scope = 2 };

class DossierFile {
 public:
  DossierFile() = default;
  // Nothing on file is an empty dossier.
  static Result<DossierFile> read(std::optional<codec::Plaintext> file);
  codec::Plaintext encode() const { return codec::encode(fields_); }

  const codec::DossierFields& fields() const noexcept { return fields_; }
  void add_event(EventKind kind, PurposeNumber purpose, TimePoint when, std::string_view actor,
                 const Evidence& evidence = {});
  // Errors: too_large.
  Result<HoldNumber> add_hold(const HoldTerms& terms, TimePoint now);
  bool remove_hold(HoldNumber number);
  // Holds that ended by their date; answers how many.
  std::size_t remove_ended(TimePoint now);
  void ask(Asked what, const keyring::Handle& handle, Bytes token = {});
  bool erasure_asked() const noexcept;
  void forget_asked() noexcept { fields_.asked.clear(); }
  Status add_alias(Bytes id);                         // Errors: too_large.
  void take_over(const codec::DossierFields& other);  // Her events, of a person merged into this.

 private:
  codec::Plaintext file_;
  codec::DossierFields fields_;
};

}  // namespace efface::subjects
