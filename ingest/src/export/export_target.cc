#include "export/export_target.h"

#include "absl/strings/str_cat.h"
#include "http/url_text.h"

namespace tailrace::ingest {

absl::StatusOr<std::unique_ptr<ExportTarget>> OpenExportTarget(const std::string& address, const std::string& ca_file, const StopSignal& stop) {
  const size_t colon = address.find("://");
  if (address.empty()) return base::UsageError("say where the files go: --to FOLDER or --to webhdfs://host:port/FOLDER");
  if (colon == std::string::npos) return NewDirectoryTarget(address);
  const std::string scheme = address.substr(0, colon);
  const std::string rest = address.substr(colon + 3);
  if (scheme == "file") {
    if (!rest.starts_with('/')) return base::UsageError(absl::StrCat(address, " names a host; write file:///FOLDER"));
    return NewDirectoryTarget(rest);
  }
  if (scheme == "webhdfs" || scheme == "webhdfss" || scheme == "swebhdfs") return NewWebHdfsTarget(rest, scheme != "webhdfs", ca_file, stop);
  return base::UsageError(absl::StrCat("no target is called ", UrlForMessages(address), "; there are FOLDER, file:///FOLDER, "
                                       "webhdfs://host:port/FOLDER and webhdfss://host:port/FOLDER"));
}

}  // namespace tailrace::ingest
