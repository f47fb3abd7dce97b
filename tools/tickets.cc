#include "tools/tickets.h"

#include <fcntl.h>
#include <unistd.h>

#include "tools/text.h"

namespace efface::cli {

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
  const int fd =
      ::open(given.tickets.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw system_failure("the tickets cannot be written");
  std::string lines;
  for (const ReceiptTicket& ticket : tickets)
    lines += Json({{"person", place(ticket)},
                   {"region", ticket.region},
                   {"entry", ticket.entry},
                   {"salt", hex_of(ticket.salt)}})
                 .dump() +
             "\n";
  const bool written =
      ::write(fd, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()) &&
      ::fsync(fd) == 0;
  ::close(fd);
  if (!written) throw system_failure("the tickets cannot be written");
}

}  // namespace efface::cli
