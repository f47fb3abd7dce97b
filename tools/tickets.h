// tools/tickets.h -- requests, and where the receipts of what they did are.
//
// Shape   --request TEXT; --tickets FILE gets a JSON object a line: {"person","region","entry",
//         "salt"}. Only its owner reads it (0600): with the salt one shows that it is about her.
// Errors  io.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <utility>
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

// Adds them to the file that is named, if any is, synced. place: of a ticket's person, from 1.
using PlaceOf = std::function<std::uint64_t(const ReceiptTicket&)>;
void keep_tickets(
    const TicketOptions& given, const std::vector<ReceiptTicket>& tickets,
    const PlaceOf& place = [](const ReceiptTicket&) { return std::uint64_t{1}; });

// How long the file is; and the region and entry of each ticket in it from there on. What is no
// ticket, a line that was torn say, is passed over.
std::uint64_t tickets_bytes(const TicketOptions& given);
std::set<std::pair<std::string, std::uint64_t>> tickets_since(const TicketOptions& given,
                                                              std::uint64_t from);

}  // namespace efface::cli
