// Goal: the dashboard's files with the right types and cache headers, and nothing outside their directory.
#include "gateway/static_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace tailrace::grpc_api {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() {
    root_ = fs::path(::testing::TempDir()) / ("static_files_" + std::to_string(::getpid()));
    fs::create_directories(root_ / "site/assets");
    Write("site/index.html", "<html>");
    Write("site/assets/app-1a2b.js", "js");
    Write("site/favicon.svg", "<svg/>");
    Write("site/.hidden", "h");
    Write("secret.txt", "outside-content");
    fs::create_symlink("../secret.txt", root_ / "site/link.txt");
  }
  ~StaticFilesTest() override { fs::remove_all(root_); }
  void Write(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }

  HttpResponse Get(const std::string& path, const std::string& etag = "") {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    if (!etag.empty()) request.headers["if-none-match"] = etag;
    return StaticFiles((root_ / "site").string()).Serve(request);
  }
  static std::string Header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }
  fs::path root_;
};

TEST_F(StaticFilesTest, ServesFilesWithTypesAndCacheHeaders) {
  const HttpResponse index = Get("/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.body, "<html>");
  EXPECT_EQ(Header(index, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(Header(index, "Cache-Control"), "no-cache");
  EXPECT_NE(Header(index, "Content-Security-Policy"), "");
  const HttpResponse asset = Get("/assets/app-1a2b.js");
  EXPECT_EQ(Header(asset, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_NE(Header(asset, "Cache-Control").find("immutable"), std::string::npos);
  EXPECT_EQ(Header(Get("/favicon.svg"), "Content-Type"), "image/svg+xml");
}

TEST_F(StaticFilesTest, AnswersNotModified) {
  const std::string etag = Header(Get("/"), "ETag");
  const HttpResponse again = Get("/", etag);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  Write("site/index.html", "<html>2");
  EXPECT_EQ(Get("/", etag).status, 200);
}

TEST_F(StaticFilesTest, NothingOutsideTheDirectory) {
  for (const char* path : {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt",
                           "/assets/..%5c..%5csecret.txt", "/link.txt", "/.hidden", "/assets", "/assets/", "//etc/passwd",
                           "/index.html/", "/%00", "/nope"}) {
    const HttpResponse response = Get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body.find("outside-content"), std::string::npos) << path;
  }
}

TEST_F(StaticFilesTest, WithoutADirectoryThereIsNoDashboard) {
  HttpRequest request;
  request.path = "/";
  EXPECT_EQ(StaticFiles("").Serve(request).status, 404);
  EXPECT_EQ(StaticFiles("/no/such/directory").Serve(request).status, 404);
}

}  // namespace
}  // namespace tailrace::grpc_api
