// Records as the log delivers them: views into a batch that owns the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/base/types.h"

namespace tailrace::kafka {

// A header's value may be null, which differs from empty.
struct Header {
  std::string name;
  std::optional<std::string> value;
  friend bool operator==(const Header&, const Header&) = default;
};
using Headers = std::vector<Header>;

// A key or value that may be null. Null and empty differ. `data == nullptr` means null, even when the size is 0.
class NullableBytes {
 public:
  constexpr NullableBytes() = default;
  constexpr NullableBytes(const char* data, size_t size) : data_(data), size_(size) {}
  constexpr NullableBytes(std::string_view bytes)  // NOLINT: a value is never null by accident
      : data_(bytes.data() != nullptr ? bytes.data() : ""), size_(bytes.size()) {}
  NullableBytes(const std::string& bytes) : NullableBytes(std::string_view(bytes)) {}  // NOLINT
  constexpr bool is_null() const { return data_ == nullptr; }
  // Empty for null.
  constexpr std::string_view view() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// One record of a RecordBatch. Valid until the batch is cleared, polled into again or destroyed.
struct RecordView {
  // Index into the partitions of Consumer::Assign, so that no name is looked up per record.
  int32_t source = 0;
  base::Offset offset;
  int64_t timestamp_ms = base::kNoTimestampMs;
  NullableBytes key;
  NullableBytes value;
  const void* native = nullptr;  // the implementation's message, for RecordBatch::HeadersOf
};

// The records of one poll, in order per partition. Reuse one batch for all polls of a consumer: it keeps its memory.
// Not thread-safe. It must not outlive the consumer that filled it.
class RecordBatch {
 public:
  // The implementation's storage behind the views.
  class Storage {
   public:
    virtual ~Storage() = default;
    virtual void Clear() = 0;
    virtual Headers HeadersOf(const RecordView& record) const = 0;
  };

  RecordBatch() = default;
  RecordBatch(RecordBatch&&) = default;
  RecordBatch& operator=(RecordBatch&&) = default;
  ~RecordBatch() { Clear(); }

  std::span<const RecordView> records() const { return records_; }
  bool empty() const { return records_.empty(); }
  // Builds the headers of one record; allocates, so the hot path calls it only when an operator asks for headers.
  Headers HeadersOf(const RecordView& record) const { return storage_ ? storage_->HeadersOf(record) : Headers{}; }
  // Releases the records' bytes; all views become invalid.
  void Clear() {
    records_.clear();
    if (storage_) storage_->Clear();
  }

  // For implementations of Consumer.
  std::vector<RecordView>& mutable_records() { return records_; }
  Storage* storage() const { return storage_.get(); }
  void set_storage(std::unique_ptr<Storage> storage) { storage_ = std::move(storage); }

 private:
  std::unique_ptr<Storage> storage_;
  std::vector<RecordView> records_;
};

}  // namespace tailrace::kafka
