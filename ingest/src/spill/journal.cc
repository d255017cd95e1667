#include "spill/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/log.h"
#include "tailrace/base/random.h"

namespace tailrace::ingest {
namespace {

namespace fs = std::filesystem;
using base::Reaction;

constexpr std::string_view kMagic = "TRSP";
constexpr char kVersion = 1;
constexpr size_t kHeaderBytes = 24;  // magic, version, three zeros, id, first sequence number
constexpr size_t kEntryHeaderBytes = 8;  // size of the body, its CRC-32
constexpr size_t kBodyFixedBytes = 12;   // timestamp, size of the key
constexpr uint32_t kNullKey = 0xffffffffu;
constexpr uint32_t kBodyBytesMax = 64u << 20;
constexpr mode_t kFileMode = 0600;

uint32_t Crc(std::string_view bytes) {
  return static_cast<uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

absl::Status FileError(const char* what, const std::string& path) {
  const auto code = errno == ENOSPC ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kDataLoss;
  return base::Error(Reaction::kFatal, code, absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

absl::Status Damaged(const std::string& path, std::string_view why) {
  return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss,
                     absl::StrCat("spilled records in ", path, " cannot be read: ", std::string(why),
                                  "; move the file away to go on without them"));
}

absl::Status WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::InternalError("");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// As much of [offset, offset + size) as the file has.
absl::Status ReadAt(int file, const std::string& path, int64_t offset, size_t size, std::string& out) {
  out.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file, out.data() + done, size - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  out.resize(done);
  return absl::OkStatus();
}

// Takes one entry from the front; nothing when it is not there whole, an error when it is wrong.
absl::StatusOr<bool> TakeEntry(std::string_view& in, const std::string& path, JournalEntry& entry) {
  std::string_view rest = in;
  uint32_t size = 0;
  uint32_t crc = 0;
  if (!base::ConsumeBigEndian(rest, size) || !base::ConsumeBigEndian(rest, crc)) return false;
  if (size < kBodyFixedBytes || size > kBodyBytesMax) return Damaged(path, "an entry has an impossible size");
  if (rest.size() < size) return false;
  std::string_view body = rest.substr(0, size);
  if (Crc(body) != crc) return Damaged(path, "an entry has a wrong checksum");
  uint32_t key_size = 0;
  base::ConsumeBigEndian(body, entry.timestamp_ms);
  base::ConsumeBigEndian(body, key_size);
  entry.key = {};
  if (key_size != kNullKey) {
    std::string_view key;
    if (!base::ConsumeBytes(body, key_size, key)) return Damaged(path, "a key is longer than its entry");
    entry.key = kafka::NullableBytes(key);
  }
  entry.value = body;
  rest.remove_prefix(size);
  in = rest;
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& directory, int64_t bytes_max) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("cannot make ", directory, ": ", error.message(), "; name another folder as spill.dir"));
  std::unique_ptr<Journal> journal(new Journal(directory, bytes_max));
  const std::string lock = directory + "/lock";
  journal->lock_file_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (journal->lock_file_ < 0) return FileError("open", lock);
  if (::flock(journal->lock_file_, LOCK_EX | LOCK_NB) != 0)
    return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(directory, " belongs to a connector that is running; give each its own spill.dir"));
  TAILRACE_RETURN_IF_ERROR(journal->Load());
  return journal;
}

Journal::~Journal() {
  for (const int file : {file_, read_file_, lock_file_})
    if (file >= 0) ::close(file);
}

absl::Status Journal::Load() {
  std::vector<Segment> found;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(directory_, error)) {
    uint64_t first = 0;
    const std::string name = file.path().filename().string();
    if (!name.ends_with(".spill") || !absl::SimpleAtoi(name.substr(0, name.size() - 6), &first)) continue;
    std::error_code ignored;
    found.push_back({.first = first, .bytes = static_cast<int64_t>(file.file_size(ignored)), .path = file.path().string()});
  }
  if (error) return Damaged(directory_, error.message());
  std::sort(found.begin(), found.end(), [](const Segment& a, const Segment& b) { return a.first < b.first; });
  for (size_t i = 0; i < found.size(); ++i) TAILRACE_RETURN_IF_ERROR(LoadSegment(std::move(found[i]), i + 1 == found.size()));
  if (segments_.empty()) {
    id_ = base::EntropySeed();
    released_ = {.sequence = end_sequence_, .segment = end_sequence_, .offset = 0};
    return BeginSegment();
  }
  released_ = PositionOf(segments_.front().first);
  if (file_ < 0) file_ = ::open(segments_.back().path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  return file_ < 0 ? FileError("open", segments_.back().path) : absl::OkStatus();
}

absl::Status Journal::LoadSegment(Segment segment, bool last) {
  const int file = ::open(segment.path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return FileError("open", segment.path);
  std::string bytes;
  absl::Status status = ReadAt(file, segment.path, 0, static_cast<size_t>(segment.bytes), bytes);
  std::string_view rest = bytes;
  int64_t good = 0;
  const auto load = [&]() -> absl::Status {
    uint64_t id = 0;
    uint64_t first = 0;
    // A process may have died between making the file and writing its header.
    if (last && rest.size() < kHeaderBytes) return absl::OkStatus();
    if (rest.size() < kHeaderBytes || !rest.starts_with(kMagic)) return Damaged(segment.path, "it does not begin as such a file does");
    if (rest[kMagic.size()] != kVersion) return Damaged(segment.path, "another version of tailrace wrote it");
    rest.remove_prefix(8);
    base::ConsumeBigEndian(rest, id);
    base::ConsumeBigEndian(rest, first);
    if (first != segment.first || (!segments_.empty() && (id != id_ || first != end_sequence_)))
      return Damaged(segment.path, "it does not follow the file before it");
    id_ = id;
    end_sequence_ = first;
    good = static_cast<int64_t>(kHeaderBytes);
    JournalEntry entry;
    for (;;) {
      auto taken = TakeEntry(rest, segment.path, entry);
      // What a machine that died left half written is at the very end.
      if (!taken.ok() && !last) return taken.status();
      if (!taken.ok() || !*taken) break;
      ++end_sequence_;
      good = segment.bytes - static_cast<int64_t>(rest.size());
    }
    if (!last && good != segment.bytes) return Damaged(segment.path, "it ends in the middle of an entry");
    return absl::OkStatus();
  };
  if (status.ok()) status = load();
  if (status.ok() && good == 0) {
    ::close(file);
    ::unlink(segment.path.c_str());
    return segments_.empty() ? absl::OkStatus() : BeginSegment();
  }
  if (status.ok() && good != segment.bytes) {
    base::LogWarning("ingest", "dropped a spilled record that was cut short", {{"file", segment.path}, {"bytes", segment.bytes - good}});
    if (::ftruncate(file, good) != 0) status = FileError("shorten", segment.path);
    segment.bytes = good;
  }
  ::close(file);
  if (status.ok()) segments_.push_back(std::move(segment));
  return status;
}

absl::Status Journal::BeginSegment() {
  const std::string path = absl::StrFormat("%s/%020d.spill", directory_, end_sequence_);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, kFileMode);
  if (file < 0) return FileError("make", path);
  std::string header(kMagic);
  header += kVersion;
  header.append(3, '\0');
  base::AppendBigEndian(header, id_);
  base::AppendBigEndian(header, end_sequence_);
  TAILRACE_CHECK(header.size() == kHeaderBytes, "the header has its size");
  if (!WriteAll(file, header).ok()) {
    const absl::Status status = FileError("write to", path);
    ::close(file);
    ::unlink(path.c_str());
    return status;
  }
  if (file_ >= 0) ::close(file_);
  file_ = file;
  segments_.push_back({.first = end_sequence_, .bytes = static_cast<int64_t>(kHeaderBytes), .path = path});
  return absl::OkStatus();
}

int64_t Journal::TotalBytes() const {
  int64_t total = 0;
  for (const Segment& segment : segments_) total += segment.bytes;
  return total;
}

absl::Status Journal::Append(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms) {
  const size_t body_size = kBodyFixedBytes + key.view().size() + value.size();
  if (body_size > kBodyBytesMax)
    return base::Error(Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument, absl::StrCat("a record of ", value.size(), " bytes is too large"));
  scratch_.clear();
  base::AppendBigEndian(scratch_, static_cast<uint32_t>(body_size));
  base::AppendBigEndian(scratch_, uint32_t{0});
  base::AppendBigEndian(scratch_, timestamp_ms);
  base::AppendBigEndian(scratch_, key.is_null() ? kNullKey : static_cast<uint32_t>(key.view().size()));
  scratch_ += key.view();
  scratch_ += value;
  base::StoreBigEndian(scratch_.data() + 4, Crc(std::string_view(scratch_).substr(kEntryHeaderBytes)));
  {
    std::lock_guard lock(mu_);
    const auto size = static_cast<int64_t>(scratch_.size());
    const int64_t segment_max = std::min<int64_t>(base::limits::kSpillSegmentBytesMax, bytes_max_ / 4);
    if (segments_.back().bytes > segment_max) TAILRACE_RETURN_IF_ERROR(BeginSegment());
    if (TotalBytes() + size > bytes_max_)
      return base::Error(Reaction::kFatal, absl::StatusCode::kResourceExhausted,
                         absl::StrCat(directory_, " holds ", TotalBytes(), " bytes of records that the log has not taken, and spill.max.bytes allows ",
                                      bytes_max_, "; bring the log back, or give more room. What is there is sent when the connector starts again"));
    Segment& segment = segments_.back();
    if (!WriteAll(file_, scratch_).ok()) {
      const absl::Status status = FileError("write to", segment.path);
      // So that the next entry does not follow half of this one.
      TAILRACE_CHECK(::ftruncate(file_, segment.bytes) == 0, "a file can be shortened to what was written");
      return status;
    }
    segment.bytes += size;
    ++end_sequence_;
  }
  appended_.notify_one();
  return absl::OkStatus();
}

Journal::Position Journal::PositionOf(uint64_t sequence) const {
  std::lock_guard lock(mu_);
  TAILRACE_CHECK(!segments_.empty() && sequence >= segments_.front().first && sequence <= end_sequence_, "the entry is kept");
  auto after = std::upper_bound(segments_.begin(), segments_.end(), sequence, [](uint64_t wanted, const Segment& s) { return wanted < s.first; });
  return {.sequence = sequence, .segment = std::prev(after)->first, .offset = 0};
}

absl::StatusOr<int> Journal::FileOf(const Segment& segment) {
  if (read_file_ >= 0 && read_segment_ == segment.first) return read_file_;
  if (read_file_ >= 0) ::close(read_file_);
  read_file_ = ::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (read_file_ < 0) return FileError("open", segment.path);
  read_segment_ = segment.first;
  return read_file_;
}

absl::StatusOr<Journal::Batch> Journal::Read(const Position& from) {
  Position at = from;
  entries_.clear();
  for (;;) {
    Segment segment;
    uint64_t next_segment = 0;  // 0: this is the last one
    {
      std::lock_guard lock(mu_);
      // A position at the very end of a file that was released since is the beginning of the next one.
      if (at.segment < segments_.front().first && at.sequence >= segments_.front().first)
        at = {.sequence = at.sequence, .segment = segments_.front().first, .offset = 0};
      const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) { return s.first == at.segment; });
      TAILRACE_CHECK(found != segments_.end(), "what was not released is kept");
      segment = *found;
      if (std::next(found) != segments_.end()) next_segment = std::next(found)->first;
    }
    const bool begin = at.offset == 0;
    if (begin) at.offset = static_cast<int64_t>(kHeaderBytes);
    if (at.offset >= segment.bytes) {
      if (next_segment == 0) return Batch{.entries = {}, .end = at};
      at = {.sequence = std::max(at.sequence, next_segment), .segment = next_segment, .offset = 0};
      continue;
    }
    TAILRACE_ASSIGN_OR_RETURN(const int file, FileOf(segment));
    uint64_t sequence = begin ? segment.first : at.sequence;
    size_t size = base::limits::kSpillBatchBytesMax;
    for (;;) {
      const auto wanted = static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(size), segment.bytes - at.offset));
      TAILRACE_RETURN_IF_ERROR(ReadAt(file, segment.path, at.offset, wanted, block_));
      std::string_view rest = block_;
      JournalEntry entry;
      size_t taken_bytes = 0;
      while (entries_.size() < base::limits::kSpillBatchRecordsMax) {
        TAILRACE_ASSIGN_OR_RETURN(const bool taken, TakeEntry(rest, segment.path, entry));
        if (!taken) break;
        taken_bytes = block_.size() - rest.size();
        entry.sequence = sequence++;
        if (entry.sequence >= from.sequence) entries_.push_back(entry);
      }
      if (taken_bytes == 0) {
        // One entry above the size of a batch.
        if (wanted < size) return Damaged(segment.path, "it ends in the middle of an entry");
        size *= 2;
        continue;
      }
      at = {.sequence = sequence, .segment = segment.first, .offset = at.offset + static_cast<int64_t>(taken_bytes)};
      break;
    }
    if (!entries_.empty()) return Batch{.entries = entries_, .end = at};
  }
}

void Journal::Release(const Position& position) {
  std::lock_guard lock(mu_);
  TAILRACE_CHECK(position.sequence >= released_.sequence && position.sequence <= end_sequence_, "what was delivered was appended");
  released_ = position;
  while (segments_.size() > 1 && segments_[1].first <= position.sequence) {
    ::unlink(segments_.front().path.c_str());
    segments_.pop_front();
  }
  if (released_.segment < segments_.front().first) released_ = {.sequence = position.sequence, .segment = segments_.front().first, .offset = 0};
}

bool Journal::WaitFor(uint64_t sequence, int timeout_ms) {
  std::unique_lock lock(mu_);
  return appended_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return end_sequence_ > sequence; });
}

uint64_t Journal::begin_sequence() const {
  std::lock_guard lock(mu_);
  return released_.sequence;
}

uint64_t Journal::end_sequence() const {
  std::lock_guard lock(mu_);
  return end_sequence_;
}

int64_t Journal::pending_bytes() const {
  std::lock_guard lock(mu_);
  int64_t total = 0;
  for (const Segment& segment : segments_) {
    const int64_t done = segment.first == released_.segment ? std::max<int64_t>(released_.offset, kHeaderBytes) : static_cast<int64_t>(kHeaderBytes);
    total += segment.bytes - done;
  }
  return total;
}

}  // namespace tailrace::ingest
