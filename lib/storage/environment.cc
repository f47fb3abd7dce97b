#include "storage/environment.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "storage/environment_impl.h"
#include "storage/verify.h"

namespace efface::storage {
namespace {

constexpr std::string_view data_name = "data.mdb";
constexpr std::string_view lock_name = "lock.mdb";
constexpr mdb_mode_t file_mode = 0600;
constexpr std::size_t map_bytes_min = std::size_t{256} << 10;

// The data files that this process has open.
struct OpenFiles {
  std::mutex mutex;
  std::vector<os::FileId> ids;
};
OpenFiles& open_files() {
  static OpenFiles& files = *new OpenFiles;  // Never destroyed: a fork may come at any time.
  return files;
}

// A child has none of them open in the sense that matters: LMDB's locks are not inherited.
[[maybe_unused]] const bool watching_forks = [] {
  const int rc =
      pthread_atfork([] { open_files().mutex.lock(); }, [] { open_files().mutex.unlock(); },
                     [] {
                       open_files().ids.clear();
                       open_files().mutex.unlock();
                     });
  EFFACE_CHECK(rc == 0);
  return true;
}();

std::size_t round_to_pages(std::size_t bytes) noexcept {
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

Result<EnvironmentOptions> checked(const EnvironmentOptions& options) {
  constexpr std::size_t address_space_bytes = std::size_t{1} << 46;
  if (options.map_bytes == 0 || options.map_bytes > options.map_bytes_max ||
      options.map_bytes_max > address_space_bytes || options.readers_max == 0 ||
      options.deadline.count() < 0)
    return Error(Errc::invalid_argument, "options of an environment");
  EnvironmentOptions out = options;
  out.map_bytes = round_to_pages(std::max(options.map_bytes, map_bytes_min));
  out.map_bytes_max = std::max(round_to_pages(options.map_bytes_max), out.map_bytes);
  return out;
}

// LMDB's text could be made of anything: ours is fixed.
void assertion_failed(MDB_env*, const char*) {
  base::check_failed("LMDB found its own invariant broken", __FILE_NAME__, __LINE__);
}

// The descriptor of data.mdb is the only one that LMDB leaves open across exec.
Status close_on_exec(MDB_env* env) {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env, &fd);
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)  // There is no other flag.
    return os::system_error(errno, "fcntl of data.mdb");
  return {};
}

Result<os::FileId> data_id(MDB_env* env) {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env, &fd);
  struct stat found{};
  if (fstat(fd, &found) != 0) return os::system_error(errno, "fstat of data.mdb");
  return os::FileId{found.st_dev, found.st_ino};
}

// The table, as a transaction of LMDB's own sees it for the first time.
Status open_table(MDB_env* env) {
  MDB_txn* txn = nullptr;
  int rc = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (rc != MDB_SUCCESS) return lmdb_error(rc, "the first read transaction");
  MDB_dbi table = 0;
  rc = mdb_dbi_open(txn, nullptr, 0, &table);
  if (rc == MDB_SUCCESS)
    rc = mdb_txn_commit(txn);
  else
    mdb_txn_abort(txn);
  if (rc != MDB_SUCCESS) return lmdb_error(rc, "opening of the table");
  EFFACE_CHECK(table == main_table);
  return {};
}

Result<EnvironmentHandle> open_handle(const os::Directory& directory,
                                      const EnvironmentOptions& options, std::size_t map_bytes) {
  MDB_env* created = nullptr;
  int rc = mdb_env_create(&created);
  if (rc != MDB_SUCCESS) return lmdb_error(rc, "mdb_env_create");
  EnvironmentHandle env(created);
  rc = mdb_env_set_assert(env.get(), assertion_failed);
  if (rc == MDB_SUCCESS) rc = mdb_env_set_mapsize(env.get(), map_bytes);
  if (rc == MDB_SUCCESS) rc = mdb_env_set_maxreaders(env.get(), options.readers_max);
  if (rc != MDB_SUCCESS) return lmdb_error(rc, "settings of an environment");
  // MDB_NOTLS: a read transaction belongs to whoever holds it, not to a thread.
  rc = mdb_env_open(env.get(), directory.handle_path().c_str(), MDB_NOTLS, file_mode);
  if (rc != MDB_SUCCESS) return lmdb_error(rc, "mdb_env_open");
  EFFACE_TRY(close_on_exec(env.get()));
  EFFACE_TRY(open_table(env.get()));
  return env;
}

// LMDB leaves out the last pages when a transaction took and freed them, so a short file may be
// whole; but where one of them is in use, reading it would be SIGBUS. Only the walk tells. Rare.
Status check_tail(const os::File& data, std::uint64_t file_bytes, MDB_env* env) {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env, &info);
  mdb_env_stat(env, &stat);
  if (file_bytes / stat.ms_psize > info.me_last_pgno) return {};
  return verify_structure(data);
}

// LMDB would follow a symlink and take a file with any mode. Nothing of this process holds locks on
// lock.mdb here, so that opening and closing it loses none.
Status check_lock_file(const os::Directory& directory) {
  EFFACE_ASSIGN(const bool there, directory.contains(lock_name));
  if (!there) return {};
  EFFACE_ASSIGN([[maybe_unused]] const os::File file,
                os::File::open(directory, lock_name, os::File::Access::read_write));
  return {};
}

Status check_file_system(const os::Directory& directory) {
  if (!os::supports_shared_maps(directory.fd()))
    return Error(Errc::unsafe_filesystem, "neither ext4, xfs, btrfs, tmpfs nor overlay");
  return {};
}

// LMDB writes both metas without a sync, so that before the first commit a crash may leave neither.
Status commit_first(MDB_env* env) {
  const Touched done = commit_nothing(env);
  if (done.code != MDB_SUCCESS) return lmdb_error(done.code, "the first commit");
  return {};
}

void destroy(EnvironmentImpl* impl) noexcept {
  if (!impl->is_forked()) delete impl;  // Else it is the parent's, reader slots and all.
}

}  // namespace

Result<Registration> Registration::claim(os::FileId id) {
  OpenFiles& files = open_files();
  const std::lock_guard lock(files.mutex);
  if (std::ranges::find(files.ids, id) != files.ids.end())
    return Error(Errc::busy, "this process has the environment open");
  files.ids.push_back(id);
  return Registration(id);
}

Registration::Registration(Registration&& other) noexcept
    : id_(std::exchange(other.id_, std::nullopt)) {}

Registration::~Registration() {
  if (!id_) return;
  OpenFiles& files = open_files();
  const std::lock_guard lock(files.mutex);
  std::erase(files.ids, *id_);
}

Status Environment::create(const os::Directory& directory, const EnvironmentOptions& options) {
  EFFACE_ASSIGN(const EnvironmentOptions settings, checked(options));
  EFFACE_TRY(check_file_system(directory));
  for (std::string_view name : {data_name, lock_name}) {
    EFFACE_ASSIGN(const bool there, directory.contains(name));
    if (there) return Error(Errc::exists, "an environment stands here");
  }
  {
    EFFACE_ASSIGN(const EnvironmentHandle env,
                  open_handle(directory, settings, settings.map_bytes));
    EFFACE_TRY(commit_first(env.get()));
  }  // Closed before we open lock.mdb: closing that would drop LMDB's locks.
  for (std::string_view name : {data_name, lock_name}) {
    EFFACE_ASSIGN(const os::File file,
                  os::File::open(directory, name, os::File::Access::read_write));
    EFFACE_TRY(file.sync());
  }
  return directory.sync();
}

Result<Environment> Environment::open(const os::Directory& directory,
                                      const EnvironmentOptions& options) {
  EFFACE_ASSIGN(const EnvironmentOptions settings, checked(options));
  EFFACE_ASSIGN(const os::File data, os::File::open(directory, data_name, os::File::Access::read));
  EFFACE_TRY(check_file_system(directory));
  EFFACE_ASSIGN(const os::FileId id, data.id());
  EFFACE_ASSIGN(Registration registration, Registration::claim(id));
  EFFACE_TRY(check_lock_file(directory));
  EFFACE_TRY(verify_metas(data));
  if (settings.verify_structure && !settings.others_write) EFFACE_TRY(verify_structure(data));

  EFFACE_ASSIGN(const std::uint64_t file_bytes, data.size());
  std::size_t map_bytes = settings.map_bytes;
  while (map_bytes < settings.map_bytes_max && file_bytes > map_bytes / 5 * 4)
    map_bytes = std::min(2 * map_bytes, settings.map_bytes_max);
  EFFACE_ASSIGN(EnvironmentHandle env, open_handle(directory, settings, map_bytes));
  EFFACE_ASSIGN(const os::FileId opened_id, data_id(env.get()));
  if (opened_id != id) return Error(Errc::unsafe_path, "data.mdb was replaced while it was opened");
  if (!settings.verify_structure && !settings.others_write)
    EFFACE_TRY(check_tail(data, file_bytes, env.get()));
  int dead = 0;
  const int rc = mdb_reader_check(env.get(), &dead);
  if (rc != MDB_SUCCESS) return lmdb_error(rc, "mdb_reader_check");
  return Environment(std::shared_ptr<EnvironmentImpl>(
      new EnvironmentImpl(std::move(env), settings, std::move(registration)), destroy));
}

Environment::Environment(std::shared_ptr<EnvironmentImpl> impl) noexcept : impl_(std::move(impl)) {}
Environment::Environment(Environment&&) noexcept = default;
Environment& Environment::operator=(Environment&&) noexcept = default;
Environment::~Environment() = default;

Result<ReadTxn> Environment::read() const {
  EFFACE_ASSIGN(std::unique_ptr<ReadTxn::Impl> begun, impl_->begin_read());
  return ReadTxn(std::move(begun));
}

Result<WriteTxn> Environment::write(Space space) const {
  EFFACE_ASSIGN(std::unique_ptr<WriteTxn::Impl> begun, impl_->begin_write(space));
  return WriteTxn(std::move(begun));
}

Result<Environment::Stats> Environment::stats() const {
  constexpr MDB_dbi free_table = 0;
  EFFACE_ASSIGN(const ReadTxn snapshot, read());
  MDB_stat records{};
  MDB_stat free_list{};
  int rc = mdb_stat(snapshot.impl_->txn, main_table, &records);
  if (rc == MDB_SUCCESS) rc = mdb_stat(snapshot.impl_->txn, free_table, &free_list);
  if (rc != MDB_SUCCESS) return impl_->failed(rc, "mdb_stat");
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(impl_->env(), &fd);
  struct stat file{};
  if (fstat(fd, &file) != 0) return os::system_error(errno, "fstat of data.mdb");
  const auto pages = [](const MDB_stat& table) {
    return table.ms_branch_pages + table.ms_leaf_pages + table.ms_overflow_pages;
  };
  constexpr std::uint64_t meta_pages = 2;
  return Stats{
      .entries = records.ms_entries,
      .file_bytes = static_cast<std::uint64_t>(file.st_size),
      .used_bytes = (meta_pages + pages(records) + pages(free_list)) * impl_->page_bytes(),
      .map_bytes = impl_->map_bytes(),
      .last_transaction = snapshot.transaction_id(),
      .readers = impl_->info().me_numreaders,
      .stale_readers = stale_readers(impl_->env()),
  };
}

Status Environment::expand(std::uint64_t map_bytes) const { return impl_->expand(map_bytes); }

bool Environment::can_grow() const noexcept { return impl_->can_grow(); }

std::optional<std::uint64_t> Environment::last_transaction() const noexcept {
  return impl_->last_transaction();
}

bool Environment::latched() const noexcept { return impl_->is_latched(); }

}  // namespace efface::storage
