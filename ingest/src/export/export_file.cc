#include "export/export_file.h"

#include <zlib.h>

#include "tailrace/base/check.h"

namespace tailrace::ingest {
namespace {

// Tables of zlib with the settings below, by its own documentation.
constexpr size_t kPackerBytes = 256u << 10;
constexpr size_t kBlockBytes = 64u << 10;

}  // namespace

class ExportFile::Packer {
 public:
  explicit Packer(std::string& out) : out_(out) {
    constexpr int kGzip = 15 + 16;  // the largest window, with a head and end of gzip
    constexpr int kMemory = 8;
    TAILRACE_CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) == Z_OK, "zlib has memory");
  }
  ~Packer() { deflateEnd(&stream_); }

  // All of `rows`, with Z_FINISH the end of the file, too.
  void Pack(std::string_view rows, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rows.data()));
    stream_.avail_in = static_cast<uInt>(rows.size());
    char block[kBlockBytes];
    int result = Z_OK;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(block);
      stream_.avail_out = sizeof(block);
      result = deflate(&stream_, flush);
      TAILRACE_CHECK(result != Z_STREAM_ERROR, "the stream is as zlib left it");
      out_.append(block, sizeof(block) - stream_.avail_out);
    } while (flush == Z_FINISH ? result != Z_STREAM_END : stream_.avail_out == 0);
    TAILRACE_CHECK(stream_.avail_in == 0, "zlib has taken all");
  }

 private:
  std::string& out_;
  z_stream stream_{};
};

ExportFile::ExportFile(bool gzip) {
  if (gzip) packer_ = std::make_unique<Packer>(content_);
}

ExportFile::~ExportFile() = default;

void ExportFile::Append(std::string_view rows) {
  if (packer_ != nullptr) packer_->Pack(rows, Z_NO_FLUSH);
  else content_ += rows;
}

size_t ExportFile::memory_bytes() const { return content_.size() + (packer_ != nullptr ? kPackerBytes : 0); }

const std::string& ExportFile::Finish() {
  if (packer_ != nullptr) packer_->Pack({}, Z_FINISH);
  packer_.reset();
  return content_;
}

}  // namespace tailrace::ingest
