#include "tools/tickets.h"

#include <sstream>

#include "tools/file.h"
#include "tools/text.h"

namespace efface::cli {
namespace {

constexpr const char* file_name = "the file of tickets";

}  // namespace

void add_ticket_options(CLI::App& verb, TicketOptions& given) {
  text_option(verb, "--request", given.request,
              "No personal data: asked again, nothing is done twice (efface receipt)");
  text_option(verb, "--tickets", given.tickets,
              "Add where each receipt is, and its salt, to this file")
      .type_name("FILE");
}

void keep_tickets(const TicketOptions& given, const std::vector<ReceiptTicket>& tickets,
                  const PlaceOf& place) {
  if (given.tickets.empty()) return;
  AppendFile file(given.tickets, file_name);
  std::string lines;
  for (const ReceiptTicket& ticket : tickets)
    lines += Json({{"person", place(ticket)},
                   {"region", ticket.region},
                   {"entry", ticket.entry},
                   {"salt", hex_of(ticket.salt)}})
                 .dump() +
             "\n";
  file.append(lines);
}

std::uint64_t tickets_bytes(const TicketOptions& given) {
  return AppendFile(given.tickets, file_name).bytes();
}

std::set<std::pair<std::string, std::uint64_t>> tickets_since(const TicketOptions& given,
                                                              std::uint64_t from) {
  std::set<std::pair<std::string, std::uint64_t>> found;
  std::istringstream lines(AppendFile(given.tickets, file_name).read(from));
  for (std::string line; std::getline(lines, line);) {
    const Json ticket = Json::parse(line, nullptr, false);
    if (!ticket.is_object() || !ticket.contains("region") || !ticket.contains("entry")) continue;
    if (!ticket["region"].is_string() || !ticket["entry"].is_number_unsigned()) continue;
    found.emplace(ticket["region"].get<std::string>(), ticket["entry"].get<std::uint64_t>());
  }
  return found;
}

}  // namespace efface::cli
