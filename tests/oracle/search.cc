// The fixed point: every key that is known at a place is tried on every image of that place; what
// opens gives keys of other places.
#include <algorithm>
#include <bit>
#include <deque>
#include <functional>

#include "oracle/images.h"
#include "oracle/live_tree.h"
#include "oracle/record_plain.h"

namespace disclosure {
namespace {

constexpr std::uint32_t kept_by_hold = 0xfffffffe;  // In a record's place of a bucket.

struct At {
  std::size_t region;
  Place place;
  friend auto operator<=>(const At&, const At&) = default;
};

std::uint64_t hash_of(const Place& place) {
  return (std::uint64_t{place.tree} << 32 ^ place.index) * 0x9E3779B97F4A7C15u + place.level;
}

struct AtHash {
  std::size_t operator()(const At& at) const noexcept { return hash_of(at.place) + at.region; }
};
struct PlaceHash {
  std::size_t operator()(const Place& place) const noexcept { return hash_of(place); }
};
struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept { return little<std::size_t>(key, 0); }
};

// A header that was half overwritten shows an id that never was. Those that are come up all the
// time.
std::vector<Id> regions_of(const std::map<Id, std::size_t>& headers) {
  std::size_t most = 0;
  for (const auto& [id, count] : headers) most = std::max(most, count);
  std::vector<Id> regions;
  for (const auto& [id, count] : headers)
    if (count >= most / 50) regions.push_back(id);
  return regions;
}

template <class Value>
void sort_distinct(std::vector<Value>& values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

template <class Value>
bool contains(const std::vector<Value>& sorted, const Value& value) {
  return std::ranges::binary_search(sorted, value);
}

}  // namespace

class Search {
 public:
  Search(const Images& images, const RootKeys& keys, const Options& options)
      : images_(images.impl_->all()),
        regions_(regions_of(images.impl_->headers)),
        root_keys_(keys),
        options_(options),
        opened_(images_.nodes.size(), false) {}

  Result run();

 private:
  struct Work {
    At at;
    Key key;
    std::optional<std::size_t> from_node;
    std::optional<std::size_t> from_root;
  };
  using RowName = std::tuple<std::size_t, Tree, std::uint32_t, Id, std::uint16_t, Id, Key>;

  // Images that are tried with the same keys once those at their own places have been.
  struct Together {
    std::vector<std::size_t> images;
    std::vector<Work> keys;
    std::unordered_set<Key, KeyHash> seen;
    std::size_t keys_tried = 0;
  };
  At together_of(const At& at) const;
  std::optional<Key> unwrap_by_one(const Id& store, std::uint64_t epoch, Bytes wrapped,
                                   Bytes context);
  std::optional<Key> unwrap_by_several(const Id& store, std::uint64_t epoch, Bytes wrapped,
                                       Bytes context);
  void unwrap_roots();
  void guess();
  void learn(Work work);
  void drain();
  bool cross();  // Answers whether anything opened.
  bool may_open(std::size_t image, const Key& key) const;
  void try_on(std::size_t image, const Work& work);
  void take_children(const At& at, Bytes plain, std::size_t node);
  void take_rows(const At& at, Bytes plain, std::size_t node);
  void open_terms();
  void open_files();
  void open_records();
  void open_record(const RecordImage& image);
  bool open_with(const RecordImage& image, const Row& scope, std::uint32_t bucket,
                 const Key& bucket_key);
  void sum_up();

  ImageSet images_;
  std::vector<Id> regions_;
  const RootKeys& root_keys_;
  Options options_;
  std::vector<bool> opened_;
  std::unordered_map<Place, std::vector<std::size_t>, PlaceHash> images_at_;
  std::unordered_map<At, std::unordered_set<Key, KeyHash>, AtHash> known_;
  std::deque<Work> work_;
  std::map<At, Together> together_;  // Grows while it is gone through.
  bool images_are_shared_out_ = false;
  std::map<RowName, std::size_t> row_index_;
  std::map<Id, std::vector<std::size_t>> scopes_;  // Rows of people, by handle.
  std::map<std::tuple<Id, std::uint32_t, std::uint32_t>, std::vector<std::size_t>> buckets_;
  std::map<std::tuple<Id, std::uint32_t, Id>, std::vector<std::size_t>> holds_;  // By tag.
  std::vector<std::byte> plain_;
  Result result_;
};

At Search::together_of(const At& at) const {
  if (options_.reach == Reach::everywhere) return {at.region, {}};
  return {at.region, {at.place.tree, 0, 0}};
}

Result Search::run() {
  for (std::size_t i = 0; i < images_.nodes.size(); ++i)
    images_at_[images_.nodes[i].place].push_back(i);
  unwrap_roots();
  guess();
  drain();
  if (options_.reach != Reach::its_place)
    while (cross()) drain();
  open_terms();
  open_files();
  if (options_.open_records) open_records();
  sum_up();
  return std::move(result_);
}

void Search::drain() {
  while (!work_.empty()) {
    const Work next = work_.front();
    work_.pop_front();
    const auto images = images_at_.find(next.at.place);
    if (images == images_at_.end()) continue;
    for (const std::size_t image : images->second)
      if (!opened_[image]) try_on(image, next);
  }
}

bool Search::cross() {
  if (!images_are_shared_out_) {
    for (std::size_t i = 0; i < images_.nodes.size(); ++i)
      for (std::size_t region = 0; region < regions_.size(); ++region)
        together_[together_of({region, images_.nodes[i].place})].images.push_back(i);
    images_are_shared_out_ = true;
  }
  bool opened = false;
  for (auto& [at, group] : together_) {
    for (; group.keys_tried < group.keys.size(); ++group.keys_tried) {
      const Work work = group.keys[group.keys_tried];
      for (const std::size_t image : group.images) {
        if (opened_[image] || !may_open(image, work.key)) continue;
        try_on(image, work);
        opened = opened || opened_[image];
      }
    }
  }
  return opened;
}

// A node begins with how much is in it, and a key takes 32 bytes of it, a row more. Under a wrong
// key that is so once in some 30 million times.
bool Search::may_open(std::size_t image, const Key& key) const {
  const Bytes sealed = images_.nodes[image].sealed.subspan(4);
  return sealed.size() > seal_bytes && first_word(key, sealed) <= sealed.size() / 32;
}

// What a store's key of that epoch opens: version 1 | suite 1 | nonce, ciphertext, tag.
std::optional<Key> Search::unwrap_by_one(const Id& store, std::uint64_t epoch, Bytes wrapped,
                                         Bytes context) {
  if (wrapped.size() != 2 + 32 + seal_bytes) return std::nullopt;
  Concatenation number;
  number.add_little(epoch);
  const auto associated = hash<32>(
      {}, {bytes_of("efface.root"), wrapped.first(2), Bytes(store), number.bytes(), context});
  for (const RootKeys::Held& held : root_keys_.held())
    if (held.epoch == epoch && held.store == store &&
        open_sealed(held.key, associated, wrapped.subspan(2), plain_))
      return key_at(plain_, 0);
  return std::nullopt;
}

// version 1 | kind 1 | count 1 | zero 1 | wrap id 16 | parts: store 16 | size 2 | bytes. Any part
// of replicas is the key; of a composite it takes them all.
std::optional<Key> Search::unwrap_by_several(const Id& store, std::uint64_t epoch, Bytes wrapped,
                                             Bytes context) {
  constexpr std::size_t header_bytes = 20, part_bytes = 18;
  if (wrapped.size() < header_bytes) return std::nullopt;
  const bool any_will_do = wrapped[1] == std::byte{2};
  const auto bound = hash<32>({}, {bytes_of("efface.root.part"), wrapped.subspan(1, 1),
                                   Bytes(store), wrapped.subspan(4, 16), context});
  Key sum{};
  auto count = std::to_integer<std::size_t>(wrapped[2]);
  for (Bytes rest = wrapped.subspan(header_bytes); count > 0; --count) {
    if (rest.size() < part_bytes) return std::nullopt;
    const std::size_t size = little<std::uint16_t>(rest, 16);
    if (rest.size() < part_bytes + size) return std::nullopt;
    const auto part = unwrap_by_one(id_at(rest, 0), epoch, rest.subspan(part_bytes, size), bound);
    if (part && any_will_do) return part;
    if (!part && !any_will_do) return std::nullopt;
    if (part) std::ranges::transform(sum, *part, sum.begin(), std::bit_xor<>());
    rest = rest.subspan(part_bytes + size);
  }
  return any_will_do ? std::nullopt : std::optional(sum);
}

// version 1 | suite 1 | zero 2 | bucket count 4 | epoch 8 | root id 16 | store id 16 | wrapped key.
void Search::unwrap_roots() {
  for (const Bytes image : images_.roots) {
    if (image.size() <= 48) continue;
    const auto epoch = little<std::uint64_t>(image, 8);
    const Id root_id = id_at(image, 16);
    const Id store = id_at(image, 32);
    const Bytes wrapped = image.subspan(48);
    for (std::size_t region = 0; region < regions_.size(); ++region) {
      Concatenation context;
      context.add(regions_[region]).add(root_id);
      auto key = unwrap_by_one(store, epoch, wrapped, context.bytes());
      if (!key) key = unwrap_by_several(store, epoch, wrapped, context.bytes());
      if (!key) continue;
      result_.roots_.push_back({regions_[region], root_id, epoch, fingerprint(*key)});
      const Place root{0, height_of(little<std::uint32_t>(image, 4)), 0};
      learn({{region, root}, *key, std::nullopt, result_.roots_.size() - 1});
    }
  }
}

void Search::guess() {
  if (options_.guess == nullptr) return;
  for (std::size_t region = 0; region < regions_.size(); ++region)
    for (std::size_t image = 0; image < images_.nodes.size(); ++image) {
      const At at{region, images_.nodes[image].place};
      const Key key = options_.guess(regions_[region], at.place);
      if (may_open(image, key)) try_on(image, {at, key, {}, {}});
    }
}

void Search::learn(Work work) {
  if (!known_[work.at].insert(work.key).second) return;
  if (options_.reach != Reach::its_place) {
    Together& group = together_[together_of(work.at)];
    if (group.seen.insert(work.key).second) group.keys.push_back(work);
  }
  work_.push_back(std::move(work));
}

// version 1 | suite 1 | kind 1 | zero 1 | nonce, ciphertext, tag.
void Search::try_on(std::size_t image, const Work& work) {
  const auto& [place, sealed] = images_.nodes[image];
  std::array<std::byte, 29> associated;
  std::byte* at = std::ranges::copy(sealed.first(4), associated.data()).out;
  at = std::ranges::copy(regions_[work.at.region], at).out;
  std::memcpy(at, &place.tree, 4);
  std::memcpy(at + 4, &place.level, 1);
  std::memcpy(at + 5, &place.index, 4);
  if (!open_sealed(work.key, associated, sealed.subspan(4), plain_)) return;
  opened_[image] = true;
  result_.nodes_.push_back(
      {regions_[work.at.region], place, fingerprint(work.key), work.from_node, work.from_root});
  const std::vector<std::byte> plain = plain_;
  if (place.level > 0)
    take_children({work.at.region, place}, plain, result_.nodes_.size() - 1);
  else
    take_rows({work.at.region, place}, plain, result_.nodes_.size() - 1);
}

// count 4 | bucket count 4 | 61 keys
void Search::take_children(const At& at, Bytes plain, std::size_t node) {
  const std::uint32_t count = std::min(little<std::uint32_t>(plain, 0), fan_out);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Place child{at.place.tree, static_cast<std::uint8_t>(at.place.level - 1),
                      at.place.index * fan_out + i};
    learn({{at.region, child}, key_at(plain, preamble_bytes + i * 32), node, std::nullopt});
  }
}

// count 4 | bucket count 4 | rows: tag 16 | key 32 | handle 16 | label 2 | flags 2 | aux 4
void Search::take_rows(const At& at, Bytes plain, std::size_t node) {
  const std::size_t count = std::min<std::size_t>(little<std::uint32_t>(plain, 0),
                                                  (plain.size() - preamble_bytes) / row_bytes);
  std::vector<Row> rows;
  std::map<Id, std::uint32_t> numbers;  // Of tenants: aux of their rows of label 0.
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes bytes = plain.subspan(preamble_bytes + i * row_bytes, row_bytes);
    Row row;
    row.region = regions_[at.region];
    row.tree = at.place.tree == 0       ? Tree::top
               : at.place.tree % 2 == 0 ? Tree::subjects
                                        : Tree::retention;
    row.tenant = at.place.tree / 2;
    row.tag = id_at(bytes, 0);
    row.key = key_at(bytes, 16);
    row.handle = id_at(bytes, 48);
    row.label = little<std::uint16_t>(bytes, 64);
    row.flags = little<std::uint16_t>(bytes, 66);
    row.aux = little<std::uint32_t>(bytes, 68);
    if (row.tree == Tree::top && row.label == 0) numbers[row.tag] = row.aux;
    rows.push_back(std::move(row));
  }
  for (Row& row : rows) {
    if (row.tree == Tree::top) {
      const auto number = numbers.find(row.tag);
      row.tenant = number == numbers.end() ? 0 : number->second;
      if (row.tenant != 0 && (row.label == 1 || row.label == 2)) {
        const Place root{2 * row.tenant + row.label - 1, height_of(row.aux), 0};
        learn({{at.region, root}, row.key, node, std::nullopt});
      }
    }
    const RowName name{at.region, row.tree, row.tenant, row.tag, row.label, row.handle, row.key};
    const auto [known, fresh] = row_index_.try_emplace(name, result_.rows_.size());
    if (fresh) {
      if (row.tree == Tree::subjects) scopes_[row.handle].push_back(result_.rows_.size());
      if (row.tree == Tree::subjects && row.label == label_hold)
        holds_[{row.region, row.tenant, row.tag}].push_back(result_.rows_.size());
      if (row.tree == Tree::retention && row.label == 0)
        buckets_[{row.region, row.tenant, row.aux}].push_back(result_.rows_.size());
      result_.rows_.push_back(std::move(row));
    }
    result_.rows_[known->second].nodes.push_back(node);
  }
}

void Search::open_terms() {
  for (const TermsImage& image : images_.terms) {
    for (const Row& row : result_.rows_) {
      if (row.tree != Tree::top || row.label != 0 || row.aux != image.tenant) continue;
      Concatenation associated;
      const std::array number{std::byte{'t'}, static_cast<std::byte>(image.tenant >> 24),
                              static_cast<std::byte>(image.tenant >> 16),
                              static_cast<std::byte>(image.tenant >> 8),
                              static_cast<std::byte>(image.tenant)};
      associated.add(row.region).add(number);
      if (open_sealed(row.key, associated.bytes(), image.sealed, plain_))
        result_.terms_.push_back(image.tenant);
    }
  }
}

// version 1 | suite 1 | zero 2 | nonce, ciphertext, tag; under a key of the file's own, which
// follows from that of the person's row.
void Search::open_files() {
  for (const FileImage& image : images_.files) {
    const auto people = scopes_.find(id_at(image.key, 5));
    if (people == scopes_.end()) continue;
    for (const std::size_t p : people->second) {
      const Row& person = result_.rows_[p];
      const Key key =
          hash<32>(person.key, {bytes_of("efface.file"), Bytes(person.region), image.key});
      Concatenation associated;
      associated.add(image.value.first(4)).add(image.key);
      if (!open_sealed(key, associated.bytes(), image.value.subspan(4), plain_)) continue;
      OpenedFile file{person.region, person.tenant, person.handle, {}};
      read_dossier(plain_, file.texts);
      result_.files_.push_back(std::move(file));
      break;
    }
  }
}

void Search::open_records() {
  const std::size_t before = images_.records.size();
  for (const RecordImage& image : images_.records) open_record(image);
  result_.records_shut_ = before - result_.records_.size();
}

void Search::open_record(const RecordImage& image) {
  const auto scopes = scopes_.find(id_at(image.key, 0));
  if (scopes == scopes_.end()) return;
  const auto bucket = little<std::uint32_t>(image.value, 12);
  for (const std::size_t s : scopes->second) {
    const Row& scope = result_.rows_[s];
    const std::vector<std::size_t>& rows = bucket == kept_by_hold
                                               ? holds_[{scope.region, scope.tenant, scope.tag}]
                                               : buckets_[{scope.region, scope.tenant, bucket}];
    for (const std::size_t b : rows)
      if (open_with(image, scope, bucket, result_.rows_[b].key)) return;
  }
}

// version 1 | suite 1 | flags 2 | purpose 2 | zero 2 | generation 4 | bucket 4 | nonce,
// ciphertext, tag.
bool Search::open_with(const RecordImage& image, const Row& scope, std::uint32_t bucket,
                       const Key& bucket_key) {
  const Bytes clear = image.value.first(16);
  Concatenation numbers;
  const std::uint16_t purpose = purpose_of(scope.label);
  const std::uint32_t generation = scope.label == 0 ? 0 : scope.aux;
  numbers.add_little(scope.tenant).add_little(purpose);
  numbers.add_little(generation).add_little(bucket);
  const auto half = [&](const Key& key) {
    return hash<32>(
        key, {bytes_of("efface.dek"), Bytes(scope.region), Bytes(scope.handle), numbers.bytes()});
  };
  Key dek = half(scope.key);
  const Key other = half(bucket_key);
  for (std::size_t i = 0; i < dek.size(); ++i) dek[i] ^= other[i];
  Concatenation associated;
  associated.add(clear).add(scope.region).add_little(scope.tenant).add(image.key);
  if (!open_sealed(dek, associated.bytes(), image.value.subspan(16), plain_)) return false;
  OpenedRecord record{scope.region, scope.tenant, scope.handle, id_at(image.key, 16),
                      purpose,      bucket,       {},           {}};
  const bool compressed = little<std::uint16_t>(clear, 2) == 1;
  read_record(plain_, compressed, record.name, record.value);
  result_.records_.push_back(std::move(record));
  return true;
}

void Search::sum_up() {
  std::map<std::pair<Id, Place>, std::size_t> opened_at;
  for (const OpenedNode& node : result_.nodes_) ++opened_at[{node.region, node.place}];
  for (const auto& [at, images] : opened_at) result_.superseded_ += images - 1;
  result_.nodes_shut_ = images_.nodes.size() - result_.nodes_.size();
  for (const auto& [at, keys] : known_)
    for (const Key& key : keys) result_.keys_.push_back(fingerprint(key));
  for (const Row& row : result_.rows_) {
    result_.keys_.push_back(fingerprint(row.key));
    result_.tags_.push_back(row.tag);
    result_.handles_.push_back(row.handle);
    if (row.tree == Tree::top && row.label == 3) result_.pseudonym_keys_.push_back(row.key);
  }
  for (const OpenedRecord& record : result_.records_) {
    result_.record_handles_.push_back(record.handle);
    result_.values_.push_back(fingerprint(bytes_of(record.value)));
  }
  for (const OpenedFile& file : result_.files_) {
    result_.file_handles_.push_back(file.handle);
    for (const std::string& text : file.texts)
      result_.texts_on_file_.push_back(fingerprint(bytes_of(text)));
  }
  sort_distinct(result_.file_handles_);
  sort_distinct(result_.texts_on_file_);
  sort_distinct(result_.keys_);
  sort_distinct(result_.tags_);
  sort_distinct(result_.handles_);
  sort_distinct(result_.record_handles_);
  sort_distinct(result_.values_);
  sort_distinct(result_.terms_);
  sort_distinct(result_.pseudonym_keys_);
}

Result search(const Images& images, const RootKeys& keys, const Options& options) {
  return Search(images, keys, options).run();
}

Fingerprint fingerprint(Bytes key) { return hash<32>({}, {key}); }

Id subject_tag(const Key& pseudonym_key, std::string_view id) {
  return hash<16>(pseudonym_key, {bytes_of("efface.subject"), bytes_of(id)});
}

bool Result::reaches_key(const Fingerprint& key) const { return contains(keys_, key); }
bool Result::reaches_tag(const Id& tag) const { return contains(tags_, tag); }
bool Result::reaches_handle(const Id& handle) const { return contains(handles_, handle); }
bool Result::opens_record(const Id& handle) const { return contains(record_handles_, handle); }
bool Result::opens_terms(std::uint32_t tenant) const { return contains(terms_, tenant); }
bool Result::opens_value(std::string_view value) const {
  return contains(values_, fingerprint(bytes_of(value)));
}
bool Result::opens_file(const Id& handle) const { return contains(file_handles_, handle); }
bool Result::opens_text_on_file(std::string_view text) const {
  return contains(texts_on_file_, fingerprint(bytes_of(text)));
}
bool Result::could_tell(std::string_view subject_id) const {
  return opens_value(subject_id) || std::ranges::any_of(pseudonym_keys_, [&](const Key& key) {
           return reaches_tag(subject_tag(key, subject_id));
         });
}

}  // namespace disclosure
