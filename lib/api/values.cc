#include "api/handles.h"

namespace efface {

const char* name(MirrorState state) noexcept {
  switch (state) {
    case MirrorState::in_step:
      return "in_step";
    case MirrorState::behind:
      return "behind";
    case MirrorState::absent:
      break;
  }
  return "absent";
}

std::string_view Region::name() const noexcept { return state_->name; }
bool Region::is_open() const noexcept { return state_->open; }

Record::Record(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Record::Record(Record&&) noexcept = default;
Record& Record::operator=(Record&&) noexcept = default;
Record::~Record() = default;

Bytes Record::bytes() const& noexcept { return state_->record.fields.value; }

std::chrono::system_clock::time_point Record::written() const noexcept {
  return std::chrono::system_clock::time_point(
      std::chrono::milliseconds(state_->record.fields.written_ms));
}

std::optional<std::chrono::system_clock::time_point> Record::expires() const noexcept {
  const std::int64_t ms = state_->record.fields.expires_ms;
  if (ms == 0) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

Subject::Subject(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Subject::Subject(Subject&&) noexcept = default;
Subject& Subject::operator=(Subject&&) noexcept = default;
Subject::~Subject() = default;

Region Subject::home() const { return internal::Access::region(state_->person.home->region); }

Update::Update(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Update::Update(Update&&) noexcept = default;
Update& Update::operator=(Update&&) noexcept = default;
Update::~Update() = default;

Update Update::keep() noexcept { return Update(nullptr); }
Update Update::remove() noexcept {
  return Update(std::unique_ptr<State>(new State{internal::UpdateKind::remove, {}}));
}
Update Update::put(Bytes value) {
  auto state =
      std::make_unique<State>(State{internal::UpdateKind::put, codec::Plaintext(value.size())});
  std::copy(value.begin(), value.end(), state->value.data());
  return Update(std::move(state));
}

}  // namespace efface
