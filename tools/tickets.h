// tools/tickets.h -- requests, and where the receipts of what they did are.
//
// Shape   --request TEXT; --tickets FILE gets a JSON object a line: {"person","region","entry",
//         "salt"}. Only its owner reads it (0600): with the salt one shows that it is about her.
// Errors  io.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "efface/efface.h"
#include "tools/session.h"

namespace efface::cli {

struct TicketOptions {
  std::string request;
  std::string tickets;

  ReceiptOptions receipt() const { return {.request = as_bytes(request)}; }
};

void add_ticket_options(CLI::App& verb, TicketOptions& given);

// Adds them to the file that is named, if any is. place: of a ticket's person, from 1.
using PlaceOf = std::function<std::uint64_t(const ReceiptTicket&)>;
void keep_tickets(
    const TicketOptions& given, const std::vector<ReceiptTicket>& tickets,
    const PlaceOf& place = [](const ReceiptTicket&) { return std::uint64_t{1}; });

}  // namespace efface::cli
