#include "spill/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace tailrace::ingest {
namespace {

constexpr const char* kFirstWords = "tailrace-delivery 1";
constexpr mode_t kFileMode = 0600;

absl::Status Failed(const char* what, const std::string& file) {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss, absl::StrCat("cannot ", what, " ", file, ": ", std::strerror(errno)));
}

}  // namespace

absl::Status WriteCheckpoint(const std::string& file, const DeliveryCheckpoint& checkpoint) {
  std::string text = absl::StrCat(kFirstWords, "\njournal ", checkpoint.journal_id, "\ntopic ", checkpoint.topic, "\nnext ", checkpoint.next_sequence, "\n");
  for (const auto& [partition, offset] : checkpoint.offsets) absl::StrAppend(&text, "partition ", partition, " ", offset, "\n");
  text += "end\n";
  const std::string fresh = file + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return Failed("make", fresh);
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fdatasync(descriptor) == 0;
  const absl::Status status = written ? absl::OkStatus() : Failed("write to", fresh);
  ::close(descriptor);
  if (status.ok() && std::rename(fresh.c_str(), file.c_str()) != 0) return Failed("replace", file);
  return status;
}

absl::StatusOr<std::optional<DeliveryCheckpoint>> ReadCheckpoint(const std::string& file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  const auto damaged = [&] {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                       absl::StrCat(file, " cannot be understood; move it away, and spilled records may come twice"));
  };
  std::string word;
  if (!std::getline(in, word) || word != kFirstWords) return damaged();
  DeliveryCheckpoint checkpoint;
  while (in >> word && word != "end") {
    int32_t partition = 0;
    int64_t offset = 0;
    if (word == "journal") in >> checkpoint.journal_id;
    else if (word == "topic") in >> checkpoint.topic;
    else if (word == "next") in >> checkpoint.next_sequence;
    else if (word == "partition" && in >> partition >> offset) checkpoint.offsets[partition] = offset;
    else return damaged();
  }
  if (word != "end") return damaged();
  return checkpoint;
}

}  // namespace tailrace::ingest
