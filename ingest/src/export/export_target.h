// Where exported files go. Every call names the folder below the target ("orders/0").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

// One thread at a time. Errors: kRetry for what another attempt may heal; otherwise kFatal; each names target, path, the answer
// and what to do.
class ExportTarget {
 public:
  virtual ~ExportTarget() = default;

  // Makes the folder and those above it; keeps other exports of this topic away, where the target can.
  virtual absl::Status Prepare(const std::string& folder) = 0;
  // The names of the files in it; none when it does not exist.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& folder) = 0;
  // The file is there whole, or not at all. May be called again after any error: a file of this name that is there already is
  // one that an earlier attempt made, whose answer was lost, when its size is that of `content`.
  virtual absl::Status Put(const std::string& folder, const std::string& name, std::string_view content) = 0;
  // One that is not there is not an error.
  virtual absl::Status Delete(const std::string& folder, const std::string& name) = 0;
};

// kInvalidArgument for an address that it does not know. Lifetime: the stop signal outlives it.
absl::StatusOr<std::unique_ptr<ExportTarget>> OpenExportTarget(const std::string& address, const std::string& ca_file, const StopSignal& stop);

// Of the two kinds. `address` is as it was given, without its scheme.
std::unique_ptr<ExportTarget> NewDirectoryTarget(std::string path);
absl::StatusOr<std::unique_ptr<ExportTarget>> NewWebHdfsTarget(std::string_view address, bool tls, const std::string& ca_file,
                                                               const StopSignal& stop);

}  // namespace tailrace::ingest
