// A job that erases everybody in a list, some at a time, and keeps what proves it.
//
// offboarding DIRECTORY: whatever stands there is replaced.
#include <fstream>
#include <span>
#include <vector>

#include "example.h"

namespace {

using namespace examples;

std::string hex_of(Bytes bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[std::to_integer<unsigned>(b) >> 4];
    text += digits[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

struct Outcome {
  std::uint64_t erased = 0;
  std::uint64_t unknown = 0;  // Not there; or erased by a run that did not come to note it.
  std::uint64_t held = 0;     // On legal hold: erased when that is released.
};

// begin: erase_all
// Each that is erased has a line in the journal: which of the list, where it stands in the ledger
// of its region, and the salt that binds its receipt to the person. It names nobody. A run that was
// broken off is simply begun again: who is gone is counted as unknown.
Outcome erase_all(const Tenant& tenant, std::span<const std::string> list,
                  const std::filesystem::path& journal_path) {
  constexpr std::size_t people_per_epoch = 1'000;
  std::ofstream journal(journal_path, std::ios::app);
  Outcome outcome;
  for (std::size_t begin = 0; begin < list.size(); begin += people_per_epoch) {
    const auto some = list.subspan(begin, std::min(people_per_epoch, list.size() - begin));
    const std::vector<SubjectId> ids(some.begin(), some.end());
    const Erasure erasure = must(tenant.erase(ids));  // One epoch for all of them.
    for (const ReceiptTicket& ticket : erasure.receipts)
      journal << begin + ticket.which << ' ' << ticket.region << ' ' << ticket.entry << ' '
              << hex_of(ticket.salt) << '\n';
    check(journal.flush().good());
    outcome.erased += erasure.erased;
    outcome.unknown += erasure.unknown;
    outcome.held += erasure.held;
  }
  return outcome;
}
// end: erase_all

// begin: prove
// What an auditor is given for one line of the journal, and what she does with it: all she needs of
// the store is the region's verifier key.
void prove(const Store& store, const Tenant& tenant, const ReceiptTicket& ticket,
           std::string_view id) {
  const std::string key = must(store.verifier_key(must(store.region(ticket.region))));
  const Receipt receipt = must(verify_receipt(must(tenant.receipt(ticket)), key));
  must(verify_about(receipt, ticket.salt, tenant.name(), id));
  std::printf("%s of entry %llu: %s, %s\n", name(receipt.kind),
              static_cast<unsigned long long>(receipt.entry), name(receipt.state),
              name(receipt.assurance));
}
// end: prove

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Trial trial(argv[1]);
  const Store store = trial.create();
  const Region eu = must(store.region("eu"));
  const Tenant tenant = must(store.declare_tenant("acme", {&eu, 1}, Actor("offboarding")));
  std::vector<std::string> list;
  for (int i = 0; i < 2'500; ++i) list.push_back("customer-" + std::to_string(i));
  const std::vector<SubjectId> ids(list.begin(), list.end());
  must(tenant.find_or_enrol(std::span(ids).first(2'400), eu));
  must(tenant.hold(must(tenant.subject(ids[5])), {.basis = "litigation", .reason = "case 17"}));

  const auto journal = std::filesystem::path(argv[1]) / "journal";
  const Outcome first = erase_all(tenant, list, journal);
  check(first.erased == 2'399 && first.unknown == 100 && first.held == 1);
  const Outcome again = erase_all(tenant, list, journal);
  check(again.erased == 0 && again.held == 1);

  ReceiptTicket ticket;
  std::ifstream lines(journal);
  std::size_t which = 0;
  std::string salt;
  lines >> which >> ticket.region >> ticket.entry >> salt;
  for (std::size_t i = 0; i < ticket.salt.size(); ++i)
    ticket.salt[i] = std::byte(std::stoi(salt.substr(2 * i, 2), nullptr, 16));
  prove(store, tenant, ticket, list[which]);
  return 0;
}
