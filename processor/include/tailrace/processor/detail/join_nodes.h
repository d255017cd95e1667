// Operators of joins of two streams: typed skins over StreamJoinSide.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/joiner_call.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/stream_join.h"

namespace tailrace::processor::detail {

// Keeps each record for the other side (KStreamJoinWindow). The record passes on first, so it does not meet itself when a
// stream is joined with itself.
template <class K, class V>
class JoinWindowNode final : public Operator<K, V, K, V> {
 public:
  JoinWindowNode(std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : store_name_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  absl::Status Init(TaskContext& context) override {
    store_ = &context.window_store(store_name_);
    return Operator<K, V, K, V>::Init(context);
  }
  void Process(const Record<K, V>& record) override {
    this->Forward(record);
    if (record.key == nullptr) return;
    kafka::NullableBytes value;
    if (record.value != nullptr) value = value_serde_.Serialize(*record.value, value_scratch_);
    // A null value moves the time of a store in memory only (InMemoryWindowStore.put, RocksDBWindowStore.put).
    if (record.value != nullptr || store_->spec().in_memory) store_->AdvanceStreamTime(record.timestamp_ms);
    const absl::Status status =
        store_->Put(key_serde_.Serialize(*record.key, key_scratch_), record.timestamp_ms, value, record.timestamp_ms);
    if (!status.ok()) this->context().Fail(status);
  }

 private:
  const std::string store_name_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  state::WindowStore* store_ = nullptr;
  std::string key_scratch_;
  std::string value_scratch_;
};

// Where the results of both sides meet. It keeps the times that the sides share, since each of them has it as its child.
template <class K, class VR>
class JoinMergeNode final : public Operator<K, VR, K, VR> {
 public:
  void Process(const Record<K, VR>& record) override { this->Forward(record); }
  StreamJoinTime& time() { return time_; }

 private:
  StreamJoinTime time_;
};

// One side: `kLeft` for the stream on which Join was called (KStreamKStreamJoinLeftSide, KStreamKStreamJoinRightSide).
template <class K, class V1, class V2, class VR, class F, JoinKind kKind, bool kLeft>
class StreamJoinNode final : public Operator<K, std::conditional_t<kLeft, V1, V2>, K, VR> {
  using This = std::conditional_t<kLeft, V1, V2>;
  using Other = std::conditional_t<kLeft, V2, V1>;
  using Base = Operator<K, This, K, VR>;
  static constexpr bool kKeepsAlone = kLeft ? kKind != JoinKind::kInner : kKind == JoinKind::kOuter;

 public:
  StreamJoinNode(StreamJoinSide::Options options, F joiner, AnySerde<K> key_serde, AnySerde<V1> left_serde,
                 AnySerde<V2> right_serde)
      : side_(std::move(options)), joiner_(std::move(joiner)), key_serde_(std::move(key_serde)),
        left_serde_(std::move(left_serde)), right_serde_(std::move(right_serde)) {}

  void AddChild(Node* child) override {
    Base::AddChild(child);
    time_ = &static_cast<JoinMergeNode<K, VR>*>(child)->time();
  }
  absl::Status Init(TaskContext& context) override {
    TAILRACE_CHECK(time_ != nullptr, "both sides of a join have a merge below them");
    TAILRACE_RETURN_IF_ERROR(Base::Init(context));
    return side_.Init(context, *time_);
  }

  void Process(const Record<K, This>& record) override {
    side_.Observe(record.timestamp_ms);
    if (kKeepsAlone && record.key == nullptr && record.value != nullptr)
      return Emit(nullptr, record.value, nullptr, record.timestamp_ms, record.headers);
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    EmitClosed(record.timestamp_ms, record.headers);
    const std::string_view key = key_serde_.Serialize(*record.key, key_scratch_);
    const bool met = side_.Join(key, record.timestamp_ms, [&](std::string_view bytes, int64_t other_ms) {
      Read(other_serde(), bytes, other_);
      Emit(record.key, record.value, &other_, std::max(record.timestamp_ms, other_ms), record.headers);
    });
    if constexpr (kKeepsAlone) {
      if (met || side_.Wait(key, this_serde().Serialize(*record.value, value_scratch_), record.timestamp_ms)) return;
      Emit(record.key, record.value, nullptr, record.timestamp_ms, record.headers);
    }
  }

  void AdvanceTime(int64_t time_ms) override {
    side_.Observe(time_ms);
    side_.LookAgain();
    EmitClosed(side_.stream_time_ms(), nullptr);
  }

 private:
  void EmitClosed(int64_t time_ms, const kafka::Headers* headers) {
    side_.EmitClosed(time_ms, [&](std::string_view key, bool left, std::string_view value, int64_t timestamp_ms) {
      if constexpr (kKind != JoinKind::kInner) EmitAlone(key, left, value, timestamp_ms, headers);
    });
  }
  const AnySerde<This>& this_serde() const {
    if constexpr (kLeft) return left_serde_;
    else return right_serde_;
  }
  const AnySerde<Other>& other_serde() const {
    if constexpr (kLeft) return right_serde_;
    else return left_serde_;
  }
  template <class T>
  static void Read(const AnySerde<T>& serde, std::string_view bytes, T& value) {
    TAILRACE_CHECK(serde.Deserialize(bytes, value), "a serde cannot read what it wrote");
  }

  void EmitAlone(std::string_view key, bool left, std::string_view value, int64_t timestamp_ms, const kafka::Headers* headers) {
    Read(key_serde_, key, alone_key_);
    if (left == kLeft) {
      Read(this_serde(), value, this_);
      Emit(&alone_key_, &this_, nullptr, timestamp_ms, headers);
    } else {
      Read(other_serde(), value, other_);
      Emit(&alone_key_, nullptr, &other_, timestamp_ms, headers);
    }
  }
  void Emit(const K* key, const This* mine, const Other* other, int64_t timestamp_ms, const kafka::Headers* headers) {
    if constexpr (kLeft) {
      const auto& joined = CallJoiner<kKind, K, V1, V2>(joiner_, key, mine, other);
      this->Forward({key, PointerTo(joined), timestamp_ms, headers});
    } else {
      const auto& joined = CallJoiner<kKind, K, V1, V2>(joiner_, key, other, mine);
      this->Forward({key, PointerTo(joined), timestamp_ms, headers});
    }
  }

  StreamJoinSide side_;
  F joiner_;
  AnySerde<K> key_serde_;
  AnySerde<V1> left_serde_;
  AnySerde<V2> right_serde_;
  StreamJoinTime* time_ = nullptr;
  K alone_key_{};
  This this_{};
  Other other_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

// A stream that meets itself, with one store (KStreamKStreamSelfJoin); the operator above it fills the store afterwards.
template <class K, class V, class VR, class F, JoinKind kKind>
class StreamSelfJoinNode final : public Operator<K, V, K, VR> {
 public:
  StreamSelfJoinNode(StreamSelfJoin join, F joiner, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : join_(std::move(join)), joiner_(std::move(joiner)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  absl::Status Init(TaskContext& context) override {
    TAILRACE_RETURN_IF_ERROR((Operator<K, V, K, VR>::Init(context)));
    return join_.Init(context);
  }
  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    join_.Join(key_serde_.Serialize(*record.key, key_scratch_), record.timestamp_ms,
               [&](StreamSelfJoin::Meeting meeting, std::string_view bytes, int64_t timestamp_ms) {
                 if (meeting != StreamSelfJoin::Meeting::kItself)
                   TAILRACE_CHECK(value_serde_.Deserialize(bytes, other_), "a serde cannot read what it wrote");
                 const V* const first = meeting == StreamSelfJoin::Meeting::kAsRight ? &other_ : record.value;
                 const V* const second = meeting == StreamSelfJoin::Meeting::kAsLeft ? &other_ : record.value;
                 const auto& joined = CallJoiner<kKind, K, V, V>(joiner_, record.key, first, second);
                 this->Forward({record.key, PointerTo(joined), timestamp_ms, record.headers});
               });
  }

 private:
  StreamSelfJoin join_;
  F joiner_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  V other_{};
  std::string key_scratch_;
};

}  // namespace tailrace::processor::detail
