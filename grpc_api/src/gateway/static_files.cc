#include "gateway/static_files.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "common/page_token.h"
#include "gateway/problem.h"
#include "gateway/url.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/limits.h"

namespace tailrace::grpc_api {
namespace {

namespace fs = std::filesystem;

std::string_view ContentType(const std::string& extension) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".woff", "font/woff"},
      {".webmanifest", "application/manifest+json"},
      {".txt", "text/plain; charset=utf-8"},
      {".wasm", "application/wasm"},
  }};
  for (const auto& [known, type] : kTypes) {
    if (known == extension) return type;
  }
  return "application/octet-stream";
}

// The build puts a hash of the content into the names below assets/, so those never change.
bool IsHashedAsset(const std::vector<std::string>& segments) { return segments.size() > 1 && segments[0] == "assets"; }

// Decoded path segments that may name a file; nullopt for anything that could lead elsewhere.
std::optional<std::vector<std::string>> SafeSegments(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view raw : SplitPath(path)) {
    std::optional<std::string> segment = PercentDecode(raw, false);
    if (!segment || segment->starts_with('.') || segment->find_first_of("/\\") != std::string::npos) return std::nullopt;
    segments.push_back(*std::move(segment));
  }
  if (segments.size() == 1 && segments[0].empty()) segments[0] = "index.html";
  if (std::any_of(segments.begin(), segments.end(), [](const std::string& segment) { return segment.empty(); })) {
    return std::nullopt;
  }
  return segments;
}

bool IsBelow(const fs::path& file, const fs::path& root) {
  return std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end();
}

std::optional<std::string> ReadFile(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error || size > base::limits::kStaticFileBytesMax) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

StaticFiles::StaticFiles(const std::string& directory) : configured_(directory) {
  if (directory.empty()) return;
  std::error_code error;
  root_ = fs::canonical(directory, error);
  if (error) root_.clear();
}

HttpResponse StaticFiles::Serve(const HttpRequest& request) const {
  const auto not_found = [&](std::string detail) {
    return ProblemResponse(NotFoundProblem(std::move(detail)), request.path);
  };
  if (root_.empty()) {
    return not_found("This gateway serves no dashboard; /openapi.yaml describes its JSON interface.");
  }
  const std::optional<std::vector<std::string>> segments = SafeSegments(request.path);
  if (!segments) return not_found("There is nothing at this address.");
  fs::path path = root_;
  for (const std::string& segment : *segments) path /= segment;
  std::error_code error;
  const fs::path file = fs::canonical(path, error);
  if (error || !IsBelow(file, root_) || !fs::is_regular_file(file, error)) {
    return not_found("There is nothing at this address; /openapi.yaml lists what there is.");
  }
  std::optional<std::string> content = ReadFile(file);
  if (!content) return not_found("There is nothing at this address.");

  const uint64_t hash = Fnv1a(*content);
  std::string tag_bytes;
  base::AppendBigEndian(tag_bytes, hash);
  const std::string tag = "\"" + base::HexEncode(tag_bytes) + "\"";
  HttpResponse response;
  response.SetHeader("Content-Type", std::string(ContentType(file.extension().string())));
  response.SetHeader("ETag", tag);
  response.SetHeader("Cache-Control", IsHashedAsset(*segments) ? "public, max-age=31536000, immutable" : "no-cache");
  if (file.extension() == ".html") {
    // Charts set inline styles; scripts come from files only.
    response.SetHeader("Content-Security-Policy",
                       "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                       "object-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    response.SetHeader("Referrer-Policy", "no-referrer");
  }
  if (request.Header("if-none-match") == tag) {
    response.status = 304;
  } else {
    response.body = *std::move(content);
  }
  return response;
}

}  // namespace tailrace::grpc_api
