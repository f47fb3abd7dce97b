#include "peers/redis.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "support/data.h"
#include "support/must.h"

namespace efface::bench {
namespace {

namespace fs = std::filesystem;

constexpr int tries = 600;                   // Of connecting, 50 ms apart.
constexpr std::size_t files_of_one_log = 3;  // Its beginning, what follows, and their list.

void free_reply(redisReply* reply) { freeReplyObject(reply); }

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

Redis::Redis() : directory_(test::make_server_directory(scratch(), "redis")) {
  const std::string socket = directory_ / "socket";
  server_ = std::make_unique<test::Server>(
      std::vector<std::string>{EFFACE_BENCH_REDIS, "--port", "0", "--unixsocket", socket, "--dir",
                               directory_.string(), "--appendonly", "yes", "--appendfsync",
                               "always", "--save", "", "--auto-aof-rewrite-percentage", "100",
                               "--auto-aof-rewrite-min-size", "1gb"},
      directory_ / "output", SIGTERM);
  for (int i = 0; i < tries; ++i) {
    connection_ = redisConnectUnix(socket.c_str());
    if (connection_ != nullptr && connection_->err == 0) return;
    if (connection_ != nullptr) redisFree(connection_);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  give_up("redis", "does not answer");
}

Redis::~Redis() { redisFree(connection_); }

std::string Redis::version() const {
  const RedisAnswer info = ask({"INFO", "server"});
  const std::string_view text = text_of(*info);
  const std::size_t at = text.find("redis_version:") + 14;
  return "Redis " + std::string(text.substr(at, text.find('\r', at) - at));
}

const char* Redis::settings() {
  return "on a socket; appendonly yes, appendfsync always, no snapshots; batches in MULTI and "
         "EXEC, sent at once";
}

fs::path Redis::log() const {
  for (const auto& entry : fs::directory_iterator(directory_ / "appendonlydir"))
    if (entry.path().native().ends_with(".incr.aof")) return entry.path();
  give_up("redis", "has no log");
}

RedisAnswer Redis::good(void* reply) const {
  RedisAnswer answer(static_cast<redisReply*>(reply), free_reply);
  if (!answer) give_up("redis", connection_->errstr);
  if (answer->type == REDIS_REPLY_ERROR) give_up("redis", answer->str);
  return answer;
}

void Redis::append(const Command& command) const {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view part : command) {
    texts.push_back(part.data());
    sizes.push_back(part.size());
  }
  if (redisAppendCommandArgv(connection_, static_cast<int>(texts.size()), texts.data(),
                             sizes.data()) != REDIS_OK)
    give_up("redis", connection_->errstr);
}

RedisAnswer Redis::next() const {
  void* reply = nullptr;
  if (redisGetReply(connection_, &reply) != REDIS_OK) give_up("redis", connection_->errstr);
  return good(reply);
}

RedisAnswer Redis::ask(const Command& command) const {
  append(command);
  return next();
}

std::uint64_t Redis::number(const Command& command) const {
  const RedisAnswer answer = ask(command);
  if (answer->type != REDIS_REPLY_INTEGER) give_up("redis", "the answer is no number");
  return static_cast<std::uint64_t>(answer->integer);
}

void Redis::begin() const { append({"MULTI"}); }

void Redis::commit(std::size_t commands) const {
  append({"EXEC"});
  for (std::size_t i = 0; i < commands + 1; ++i) next();  // QUEUED.
  const RedisAnswer all = next();
  if (all->type != REDIS_REPLY_ARRAY || all->elements != commands)
    give_up("redis", "a transaction was not done");
  for (std::size_t i = 0; i < all->elements; ++i)
    if (all->element[i]->type == REDIS_REPLY_ERROR) give_up("redis", all->element[i]->str);
}

void Redis::rewrite() const {
  ask({"BGREWRITEAOF"});
  const auto is_rewriting = [&] {
    const RedisAnswer info = ask({"INFO", "persistence"});
    const std::string_view text = text_of(*info);
    return text.find("aof_rewrite_in_progress:0") == std::string_view::npos ||
           text.find("aof_rewrite_scheduled:0") == std::string_view::npos;
  };
  while (is_rewriting() || files_in(directory_ / "appendonlydir") > files_of_one_log)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace efface::bench
