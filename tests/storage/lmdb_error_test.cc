// What LMDB's answers mean to who called us.
#include <gtest/gtest.h>

#include <cerrno>

#include "storage/environment_impl.h"

namespace efface::storage {
namespace {

TEST(LmdbErrors, SayWhatTheCallerCanDo) {
  const std::pair<int, Errc> meanings[] = {
      {MDB_MAP_FULL, Errc::full},     {MDB_PANIC, Errc::closed},
      {MDB_READERS_FULL, Errc::busy}, {EAGAIN, Errc::busy},
      {MDB_MAP_RESIZED, Errc::busy},  {MDB_TXN_FULL, Errc::too_large},
      {MDB_BAD_TXN, Errc::io},        {ENOSPC, Errc::no_space},
      {ENOMEM, Errc::out_of_memory},  {EIO, Errc::io}};
  for (const auto& [code, meant] : meanings) {
    const Error error = lmdb_error(code, "a test");
    EXPECT_EQ(error.code(), meant) << code;
    EXPECT_EQ(error.system_code(), code);
  }
}

TEST(LmdbErrors, OfAStructureThatIsNotWhatItWasAreCorruption) {
  for (const int code : {MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH,
                         MDB_CURSOR_FULL, MDB_PAGE_FULL, MDB_INCOMPATIBLE, MDB_NOTFOUND})
    EXPECT_EQ(lmdb_error(code, "a test").code(), Errc::corruption) << code;
}

}  // namespace
}  // namespace efface::storage
