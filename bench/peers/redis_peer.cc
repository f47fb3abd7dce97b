// peers/redis_peer.cc -- Redis, a hash for each person.
#include <algorithm>
#include <cstring>

#include "peers/peer.h"
#include "peers/redis.h"
#include "support/must.h"

namespace efface::bench {
namespace {

class RedisPeer final : public Peer {
 public:
  Facts facts() const override {
    return {"redis", redis_.version(), std::string(Redis::settings()) + "; everything is in memory",
            "", "UNLINK of her hash, BGREWRITEAOF, until the files before it are removed"};
  }

  void put(std::span<const Item> items) override {
    redis_.begin();
    for (const Item& item : items)
      redis_.append(
          {"HSET", person_id(item.person), record_name(item.record), as_text(item.value)});
    redis_.commit(items.size());
  }

  std::size_t get(std::uint64_t person, std::uint64_t record, std::span<std::byte> into) override {
    const RedisAnswer answer = redis_.ask({"HGET", person_id(person), record_name(record)});
    if (answer->type != REDIS_REPLY_STRING) give_up("get", "it is not there");
    std::memcpy(into.data(), answer->str, std::min(answer->len, into.size()));
    return answer->len;
  }

  void erase(std::span<const std::uint64_t> people) override {
    redis_.begin();
    for (const std::uint64_t person : people) redis_.append({"UNLINK", person_id(person)});
    redis_.commit(people.size());
    redis_.rewrite();
  }

  std::uint64_t count(std::uint64_t person) override {
    return redis_.number({"HLEN", person_id(person)});
  }

  void settle() override {}

 private:
  Redis redis_;
};

}  // namespace

std::unique_ptr<Peer> make_peer() { return std::make_unique<RedisPeer>(); }

}  // namespace efface::bench
