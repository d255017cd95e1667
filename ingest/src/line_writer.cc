#include "tailrace/ingest/line_writer.h"

#include "stream_file.h"
#include "tailrace/base/limits.h"

namespace tailrace::ingest {
namespace {

class LineWriter : public RecordSink {
 public:
  LineWriter(StreamFile file, const StopSignal& stop) : file_(std::move(file)), stop_(stop) {}

  absl::Status Write(kafka::NullableBytes, std::string_view value, int64_t) override {
    buffer_ += value;
    buffer_ += '\n';
    return buffer_.size() < base::limits::kLineBufferBytesMax ? absl::OkStatus() : Idle();
  }
  absl::Status Idle() override {
    const absl::Status status = file_.Write(buffer_, stop_);
    buffer_.clear();
    return status;
  }
  absl::Status Finish() override { return Idle(); }

 private:
  StreamFile file_;
  const StopSignal& stop_;
  std::string buffer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordSink>> NewLineWriter(const std::string& file, const StopSignal& stop) {
  TAILRACE_ASSIGN_OR_RETURN(StreamFile opened, StreamFile::Open(file, StreamFile::Mode::kWrite, stop));
  return std::make_unique<LineWriter>(std::move(opened), stop);
}

}  // namespace tailrace::ingest
