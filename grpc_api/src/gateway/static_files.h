// The dashboard's files.
#pragma once

#include <filesystem>
#include <string>

#include "gateway/http_types.h"

namespace tailrace::grpc_api {

// Thread-safe. Files are read at each request, so a new build shows without a restart.
class StaticFiles {
 public:
  // Empty: there is no dashboard, and every answer is 404.
  explicit StaticFiles(const std::string& directory);

  // GET of a path; "/" is index.html. Only regular files below the directory, links resolved, are ever read.
  HttpResponse Serve(const HttpRequest& request) const;

 private:
  std::filesystem::path root_;  // canonical; empty: none
  std::string configured_;
};

}  // namespace tailrace::grpc_api
