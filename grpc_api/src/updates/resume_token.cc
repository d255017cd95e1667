#include "updates/resume_token.h"

#include "common/error_info.h"
#include "common/page_token.h"
#include "tailrace/base/bytes.h"

namespace tailrace::grpc_api {
namespace {

constexpr uint8_t kVersion = 1;
// Tasks of one subtopology: Kafka clusters are far below this many partitions per topic.
constexpr int64_t kTasksMax = 100'000;

absl::Status BadToken() {
  return QueryError(absl::StatusCode::kInvalidArgument, reason::kBadPageToken,
                    "the resume token is not one of ours or is damaged; subscribe without one and read the current state");
}

bool FitsInt32(int64_t value) { return value >= 0 && value <= std::numeric_limits<int32_t>::max(); }

}  // namespace

std::string EncodeResumeToken(const ResumePosition& position) {
  std::string bytes;
  bytes.push_back(static_cast<char>(kVersion));
  base::AppendVarint(bytes, static_cast<int64_t>(position.size()));
  for (const auto& [task, place] : position) {
    base::AppendVarint(bytes, task.subtopology);
    base::AppendVarint(bytes, task.partition.value());
    base::AppendVarint(bytes, place.offset);
    base::AppendVarint(bytes, place.index);
  }
  base::AppendBigEndian(bytes, Fnv1a(bytes));
  return Base64UrlEncode(bytes);
}

absl::StatusOr<ResumePosition> DecodeResumeToken(std::string_view text) {
  std::string bytes;
  if (!Base64UrlDecode(text, bytes) || bytes.size() < 1 + sizeof(uint64_t)) return BadToken();
  std::string_view in = std::string_view(bytes).substr(0, bytes.size() - sizeof(uint64_t));
  if (base::LoadBigEndian<uint64_t>(bytes.data() + in.size()) != Fnv1a(in)) return BadToken();
  uint8_t version = 0;
  int64_t tasks = 0;
  if (!base::ConsumeBigEndian(in, version) || version != kVersion) return BadToken();
  if (!base::ConsumeVarint(in, tasks) || tasks < 0 || tasks > kTasksMax) return BadToken();
  ResumePosition position;
  for (int64_t i = 0; i < tasks; ++i) {
    int64_t subtopology = 0, partition = 0, offset = 0, index = 0;
    if (!base::ConsumeVarint(in, subtopology) || !base::ConsumeVarint(in, partition) ||
        !base::ConsumeVarint(in, offset) || !base::ConsumeVarint(in, index)) {
      return BadToken();
    }
    if (!FitsInt32(subtopology) || !FitsInt32(partition) || !FitsInt32(index) || offset < -1) return BadToken();
    position[{static_cast<int32_t>(subtopology), base::Partition(static_cast<int32_t>(partition))}] = {
        offset, static_cast<int32_t>(index)};
  }
  if (!in.empty()) return BadToken();
  return position;
}

}  // namespace tailrace::grpc_api
