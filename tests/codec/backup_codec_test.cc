#include "codec/backup_codec.h"

#include <gtest/gtest.h>

#include "codec/sample.h"

namespace efface::codec {
namespace {

BackupFields sample() {
  BackupFields fields{.format = 1, .made_ms = 1'700'000'000'000, .store_hash = {}, .regions = {}};
  fields.store_hash.fill(std::byte{0x11});
  for (const char* name : {"eu-west", "us-east"}) {
    BackupRegionFields& region = fields.regions.emplace_back();
    region.name = name;
    region.id.fill(std::byte{0x22});
    region.keyring_sequence = 12;
    region.epoch = 3;
    region.info_hash.fill(std::byte{0x33});
    region.data_bytes = 8192;
    region.data_hash.fill(std::byte{0x44});
  }
  return fields;
}

TEST(BackupManifest, ReadsAsItWasWritten) {
  const Plaintext bytes = encode(sample());
  const auto read = decode_backup(bytes.bytes());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, sample());
}

TEST(BackupManifest, CutShortAnywhereIsCorrupt) {
  const Plaintext bytes = encode(sample());
  for (std::size_t size = 0; size < bytes.bytes().size(); ++size) {
    const Plaintext cut = test::copy_of(bytes.bytes().first(size));
    const auto read = decode_backup(cut.bytes());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), Errc::corruption);
  }
}

}  // namespace
}  // namespace efface::codec
