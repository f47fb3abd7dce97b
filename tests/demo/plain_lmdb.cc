#include "demo/plain_lmdb.h"

#include <lmdb.h>

namespace efface::demo {
namespace {

constexpr std::uint32_t others = 1000;

MDB_val val(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }

bool put_all(MDB_txn* txn, MDB_dbi dbi, const Person& person) {
  for (const auto& [name, value] : person.records) {
    const std::string key_text = person.id + "/" + name;
    MDB_val key = val(key_text);
    MDB_val data = val(value);
    if (mdb_put(txn, dbi, &key, &data, 0) != MDB_SUCCESS) return false;
  }
  return true;
}

bool delete_all(MDB_txn* txn, MDB_dbi dbi, const Person& person) {
  for (const auto& [name, value] : person.records) {
    const std::string key_text = person.id + "/" + name;
    MDB_val key = val(key_text);
    if (mdb_del(txn, dbi, &key, nullptr) != MDB_SUCCESS) return false;
    if (mdb_get(txn, dbi, &key, &key) != MDB_NOTFOUND) return false;
  }
  return true;
}

template <class Work>
bool in_transaction(MDB_env* env, Work work) {
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  if (mdb_txn_begin(env, nullptr, 0, &txn) != MDB_SUCCESS) return false;
  if (mdb_dbi_open(txn, nullptr, 0, &dbi) != MDB_SUCCESS || !work(txn, dbi)) {
    mdb_txn_abort(txn);
    return false;
  }
  return mdb_txn_commit(txn) == MDB_SUCCESS;
}

}  // namespace

bool store_and_delete(const std::filesystem::path& directory, const Person& person) {
  std::filesystem::create_directory(directory);
  MDB_env* env = nullptr;
  if (mdb_env_create(&env) != MDB_SUCCESS) return false;
  mdb_env_set_mapsize(env, std::size_t{64} << 20);
  bool done = mdb_env_open(env, directory.c_str(), 0, 0600) == MDB_SUCCESS;
  done = done && in_transaction(env, [&](MDB_txn* txn, MDB_dbi dbi) {
           for (std::uint32_t i = 1; i <= others; ++i)
             if (!put_all(txn, dbi, make_person(i))) return false;
           return put_all(txn, dbi, person);
         });
  done = done && in_transaction(
                     env, [&](MDB_txn* txn, MDB_dbi dbi) { return delete_all(txn, dbi, person); });
  mdb_env_close(env);
  return done;
}

}  // namespace efface::demo
