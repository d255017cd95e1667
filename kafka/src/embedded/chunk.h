// The stored form of a run of records of one partition.
//
//   chunk  = version:u8 (1)  count:u32  span:u32  max_timestamp:i64  record*count
//   record = delta:u32  timestamp:i64  key_size:i32 (-1: null)  value_size:i32 (-1: null)  headers_size:u32
//            key  value  headers
//   headers = varint count, then per header: varint size, name, varint size (-1: null), value;  empty: no headers
//
// Integers are big-endian. The offset of a record is the chunk's base offset, which is part of the chunk's key in the
// store, plus delta; the deltas have gaps after compaction. `span` is the last delta plus one. Never renumber.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tailrace/kafka/producer.h"
#include "tailrace/kafka/record.h"

namespace tailrace::kafka::embedded {

// Shared by the store, its tail cache and every batch that has views into it; never changed once made.
using ChunkBytes = std::shared_ptr<const std::string>;

struct ChunkInfo {
  uint32_t count = 0;
  uint32_t span = 0;
  int64_t max_timestamp_ms = 0;
};

// False when the bytes are no chunk of a known version.
bool ParseChunkInfo(std::string_view bytes, ChunkInfo& info);

// Bytes that one record takes in a chunk.
size_t EncodedRecordBytes(NullableBytes key, NullableBytes value, const Headers* headers);

// Collects records into one chunk. Not thread-safe.
class ChunkBuilder {
 public:
  // The record gets the delta after the last one.
  void Add(int64_t timestamp_ms, NullableBytes key, NullableBytes value, const Headers* headers);
  // Copies a stored record (see ChunkReader::raw) under a new delta. REQUIRES: delta grows.
  void AddRaw(uint32_t delta, std::string_view raw, int64_t timestamp_ms);
  bool empty() const { return info_.count == 0; }
  const ChunkInfo& info() const { return info_; }
  size_t bytes() const { return bytes_.size(); }
  // Hands the chunk out and starts an empty one.
  ChunkBytes Seal();

 private:
  void Begin();
  std::string bytes_;
  ChunkInfo info_;
};

// Walks the records of a chunk. The views point into `bytes`, which must outlive them.
class ChunkReader {
 public:
  ChunkReader() = default;
  ChunkReader(std::string_view bytes, int64_t base);
  // Fills offset, timestamp, key, value and native; false at the end or when the bytes are damaged.
  bool Next(RecordView& record);
  // The stored bytes of the record that Next gave last, without its delta.
  std::string_view raw() const { return raw_; }
  bool done() const { return left_ == 0; }
  bool damaged() const { return damaged_; }

 private:
  std::string_view rest_;
  std::string_view raw_;
  int64_t base_ = 0;
  uint32_t left_ = 0;
  bool damaged_ = false;
};

// `native` of a record that ChunkReader made.
Headers DecodeHeaders(const void* native);

}  // namespace tailrace::kafka::embedded
