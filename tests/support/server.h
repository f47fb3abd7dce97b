// A database server of a test's or a bench's own, and the user whom it runs as.
//
// PostgreSQL refuses to run as root: started by root, a server runs as "nobody", in a directory
// that is made for it.
//
// Errors  Any ends the program.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace efface::test {

// Below the parent, of the user whom servers run as, who can reach it. Short enough that it holds
// sockets.
std::filesystem::path make_server_directory(const std::filesystem::path& parent,
                                            const std::string& name);

// Runs it to its end, as that user; its output goes to the file.
void run_to_end(const std::vector<std::string>& command, const std::filesystem::path& output);

// From then on it runs, until the scope ends or the program does.
class Server {
 public:
  // end: the signal on which it stops in good order.
  Server(const std::vector<std::string>& command, const std::filesystem::path& output, int end);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool has_ended();  // By itself.

 private:
  pid_t process_;
  int end_;
};

}  // namespace efface::test
