#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"
#include "tailrace/pipeline/byte_source.h"

namespace tailrace::pipeline {
namespace {

constexpr size_t kBlockBytes = 64u << 10;
constexpr unsigned char kMagic[2] = {0x1f, 0x8b};

// Looks at the first two bytes, then passes everything on, unpacked where they say so.
class MaybeGzip final : public ByteSource {
 public:
  explicit MaybeGzip(std::unique_ptr<ByteSource> source) : source_(std::move(source)), block_(kBlockBytes) {}
  MaybeGzip(const MaybeGzip&) = delete;
  MaybeGzip& operator=(const MaybeGzip&) = delete;
  ~MaybeGzip() override {
    if (packed_) inflateEnd(&stream_);
  }

  absl::Status Begin() {
    TAILRACE_RETURN_IF_ERROR(Peek());
    if (!HasMagic()) return absl::OkStatus();
    constexpr int kGzipOnly = 15 + 16;  // The largest window, with gzip's header and checksum.
    TAILRACE_CHECK(inflateInit2(&stream_, kGzipOnly) == Z_OK, "zlib has memory and the version it was compiled for");
    packed_ = true;
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (packed_) return Inflate(buffer, size);
    if (begin_ == end_) return source_->Read(buffer, size);
    const size_t taken = std::min(size, end_ - begin_);
    std::memcpy(buffer, block_.data() + begin_, taken);
    begin_ += taken;
    return taken;
  }
  const std::string& name() const override { return source_->name(); }
  int64_t bytes_read() const override { return source_->bytes_read(); }
  int64_t bytes_total() const override { return source_->bytes_total(); }

 private:
  // Until there are two bytes or no more.
  absl::Status Peek() {
    if (begin_ > 0) std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    while (end_ < sizeof(kMagic)) {
      TAILRACE_ASSIGN_OR_RETURN(const size_t got, source_->Read(block_.data() + end_, block_.size() - end_));
      if (got == 0) break;
      end_ += got;
    }
    return absl::OkStatus();
  }
  bool HasMagic() const { return end_ - begin_ >= sizeof(kMagic) && std::memcmp(block_.data() + begin_, kMagic, sizeof(kMagic)) == 0; }

  absl::StatusOr<size_t> Inflate(char* buffer, size_t size) {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    const size_t room = std::min<size_t>(size, std::numeric_limits<uInt>::max());
    stream_.avail_out = static_cast<uInt>(room);
    while (stream_.avail_out == room) {
      if (member_ended_) {
        TAILRACE_RETURN_IF_ERROR(Peek());
        if (begin_ == end_) break;
        if (!HasMagic()) return Damaged("something that is not gzip follows the compressed text");
        TAILRACE_CHECK(inflateReset(&stream_) == Z_OK, "the stream was made");
        member_ended_ = false;
      }
      if (begin_ == end_) {
        begin_ = end_ = 0;
        TAILRACE_ASSIGN_OR_RETURN(end_, source_->Read(block_.data(), block_.size()));
        if (end_ == 0) return Damaged("the compressed text ends early");
      }
      stream_.next_in = reinterpret_cast<Bytef*>(block_.data() + begin_);
      stream_.avail_in = static_cast<uInt>(end_ - begin_);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      begin_ = end_ - stream_.avail_in;
      if (result == Z_STREAM_END) member_ended_ = true;
      else if (result != Z_OK && result != Z_BUF_ERROR) return Damaged(stream_.msg != nullptr ? stream_.msg : "it cannot be unpacked");
    }
    return room - stream_.avail_out;
  }

  absl::Status Damaged(std::string_view why) const {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                       absl::StrCat("cannot read on in ", name(), ": ", std::string(why), "; fetch or make the file again"));
  }

  const std::unique_ptr<ByteSource> source_;
  std::vector<char> block_;
  size_t begin_ = 0;  // of what was not used yet
  size_t end_ = 0;
  bool packed_ = false;
  bool member_ended_ = false;
  z_stream stream_{};
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> Unpacked(std::unique_ptr<ByteSource> source) {
  auto unpacked = std::make_unique<MaybeGzip>(std::move(source));
  TAILRACE_RETURN_IF_ERROR(unpacked->Begin());
  return unpacked;
}

}  // namespace tailrace::pipeline
