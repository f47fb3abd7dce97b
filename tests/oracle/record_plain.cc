#include "oracle/record_plain.h"

#include <zstd.h>

#include "oracle/flat_table.h"

namespace disclosure {
namespace {

namespace record {  // Of record.fbs, in order.
constexpr std::size_t name = 0;
constexpr std::size_t value = 1;
}  // namespace record
namespace dossier {  // Of dossier.fbs.
constexpr std::size_t events = 0;
constexpr std::size_t holds = 2;
constexpr std::size_t aliases = 5;
}  // namespace dossier
namespace event {
constexpr std::size_t text_version = 3;
constexpr std::size_t channel = 4;
}  // namespace event
namespace hold {
constexpr std::size_t basis = 1;
constexpr std::size_t reason = 2;
}  // namespace hold
namespace alias {
constexpr std::size_t id = 0;
}  // namespace alias

}  // namespace

bool read_record(Bytes plain, bool compressed, std::string& name, std::string& value) {
  std::vector<std::byte> decompressed;
  if (compressed) {
    constexpr std::uint32_t plain_bytes_max = 17u << 20;
    if (plain.size() < 4) return false;
    const auto size = little<std::uint32_t>(plain, 0);
    if (size > plain_bytes_max) return false;
    decompressed.resize(size);
    if (ZSTD_decompress(decompressed.data(), decompressed.size(), plain.data() + 4,
                        plain.size() - 4) != size)
      return false;
    plain = decompressed;
  }
  const auto table = FlatTable::root(plain);
  if (!table) return false;
  auto found_name = table->text(record::name);
  auto found_value = table->text(record::value);
  if (!found_name || !found_value) return false;
  name = *std::move(found_name);
  value = *std::move(found_value);
  return true;
}

bool read_dossier(Bytes plain, std::vector<std::string>& texts) {
  const auto table = FlatTable::root(plain);
  if (!table) return false;
  bool all = true;
  const auto take = [&](std::initializer_list<std::size_t> fields) {
    return [&all, &texts, fields](const FlatTable& each) {
      for (const std::size_t field : fields) {
        const auto text = each.text(field);
        all = all && text.has_value();
        if (text && !text->empty()) texts.push_back(*text);
      }
    };
  };
  all = table->each_table(dossier::events, take({event::text_version, event::channel})) && all;
  all = table->each_table(dossier::holds, take({hold::basis, hold::reason})) && all;
  return table->each_table(dossier::aliases, take({alias::id})) && all;
}

}  // namespace disclosure
