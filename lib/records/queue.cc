#include "records/queue.h"

#include <algorithm>

#include "base/check.h"
#include "efface/limits.h"

namespace efface::records {
namespace {

std::size_t bytes_of(const Waiting& batch) noexcept {
  std::size_t bytes = 0;
  for (const Change& change : batch.changes) bytes += sizeof change.key + change.value.size();
  return bytes;
}

}  // namespace

Result<bool> Queue::add(std::unique_ptr<Waiting>& batch, FunctionRef<Status()> still_valid) {
  const std::size_t records = batch->changes.size();
  const std::size_t bytes = bytes_of(*batch);
  if (records > limits::relaxed_records_max || bytes > limits::relaxed_bytes_max) return false;
  std::map<RecordKey, const Change*> own;
  for (const Change& change : batch->changes) own.insert_or_assign(change.key, &change);
  const std::lock_guard lock(mutex_);
  if (shut_ != 0 || records > limits::relaxed_records_max - records_ ||
      bytes > limits::relaxed_bytes_max - bytes_)
    return false;
  EFFACE_TRY(still_valid());
  batches_.push_back(nullptr);
  // From here on nothing throws.
  while (!own.empty()) {
    auto node = own.extract(own.begin());
    const Change* const newest = node.mapped();
    const auto put = newest_.insert(std::move(node));
    if (!put.inserted) put.position->second = newest;
  }
  batches_.back() = std::move(batch);
  records_ += records;
  bytes_ += bytes;
  waiting_.store(batches_.size(), std::memory_order_release);
  return true;
}

bool Queue::has(const keyring::Handle& handle) const {
  if (empty()) return false;
  RecordKey first{};
  std::ranges::copy(handle, first.begin());
  const std::lock_guard lock(mutex_);
  const auto at = newest_.lower_bound(first);
  return at != newest_.end() && std::equal(handle.begin(), handle.end(), at->first.begin());
}

std::optional<std::vector<std::byte>> Queue::find(const RecordKey& key) const {
  if (empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto at = newest_.find(key);
  if (at == newest_.end()) return std::nullopt;
  return at->second->value;
}

std::vector<Waiting*> Queue::all() const {
  std::vector<Waiting*> all;
  const std::lock_guard lock(mutex_);
  all.reserve(batches_.size());
  for (const auto& batch : batches_) all.push_back(batch.get());
  return all;
}

void Queue::forget(const Waiting& batch) noexcept {
  for (const Change& change : batch.changes)
    if (const auto at = newest_.find(change.key); at != newest_.end() && at->second == &change)
      newest_.erase(at);
  records_ -= batch.changes.size();
  bytes_ -= bytes_of(batch);
}

void Queue::remove_oldest(std::size_t n) noexcept {
  const std::lock_guard lock(mutex_);
  for (; n != 0; --n) {
    const Waiting& batch = *batches_.front();
    if (batch.refused && !refusal_) refusal_ = batch.refused;
    forget(batch);
    batches_.pop_front();
  }
  waiting_.store(batches_.size(), std::memory_order_release);
}

std::size_t Queue::remove_of(const void* owner) noexcept {
  const std::lock_guard lock(mutex_);
  const std::size_t removed = std::erase_if(batches_, [&](const std::unique_ptr<Waiting>& batch) {
    if (batch->owner != owner) return false;
    forget(*batch);
    return true;
  });
  waiting_.store(batches_.size(), std::memory_order_release);
  return removed;
}

std::optional<Error> Queue::take_refusal() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(refusal_, std::nullopt);
}

Queue::Shut::Shut(Queue& queue) noexcept : queue_(queue) {
  const std::lock_guard lock(queue_.mutex_);
  ++queue_.shut_;
}

Queue::Shut::~Shut() {
  const std::lock_guard lock(queue_.mutex_);
  --queue_.shut_;
}

}  // namespace efface::records
