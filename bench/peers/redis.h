// peers/redis.h -- a Redis server of the bench's own, on a socket, and one connection.
//
// Threads  One.
// Errors   Any ends the program.
#pragma once
#include <hiredis/hiredis.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/server.h"

namespace efface::bench {

using RedisAnswer = std::unique_ptr<redisReply, void (*)(redisReply*)>;

class Redis {
 public:
  Redis();
  ~Redis();

  std::string version() const;
  static const char* settings();
  std::filesystem::path log() const;  // What is appended to, now.

  using Command = std::vector<std::string_view>;
  RedisAnswer ask(const Command& command) const;
  std::uint64_t number(const Command& command) const;
  // Sent at once, answered one after the other.
  void append(const Command& command) const;
  RedisAnswer next() const;
  // In one transaction, so that one sync is enough.
  void begin() const;
  void commit(std::size_t commands) const;

  // Nothing of what was deleted is in a file from then on.
  void rewrite() const;

 private:
  RedisAnswer good(void* reply) const;

  std::filesystem::path directory_;
  std::unique_ptr<test::Server> server_;
  redisContext* connection_ = nullptr;
};

inline std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

}  // namespace efface::bench
