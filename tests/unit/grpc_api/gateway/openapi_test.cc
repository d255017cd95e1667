// Goal: the OpenAPI document and the gateway know the same routes.
// Method: the operations of the router against the paths of the document, in both directions.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/openapi_document.h"
#include "gateway/routes.h"

namespace tailrace::grpc_api {
namespace {

// "GET /api/v1/stores" of each operation: a path stands two columns in, its methods four.
std::vector<std::string> Documented(const std::string& document) {
  std::vector<std::string> operations;
  std::istringstream lines(document);
  std::string path;
  bool in_paths = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != ' ') in_paths = line == "paths:";
    if (!in_paths) continue;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    for (const std::string method : {"get", "post", "put", "delete", "patch"}) {
      if (line != "    " + method + ":") continue;
      std::string name = method;
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      operations.push_back(name + " " + path);
    }
  }
  std::sort(operations.begin(), operations.end());
  return operations;
}

TEST(OpenApi, DocumentsEveryRouteAndNothingElse) {
  const std::unique_ptr<QueryClient> client = QueryClient::Create({.workers = {"127.0.0.1:1"}});
  StoreEvents events(*client, base::SystemClock());
  Router router;
  AddAllRoutes(router, {.client = *client, .events = events, .clock = base::SystemClock(), .city_store = "city-metrics"});
  std::vector<std::string> served = router.Operations();
  std::sort(served.begin(), served.end());
  EXPECT_GT(served.size(), 20u);
  EXPECT_EQ(Documented(std::string(OpenApiDocument())), served);
}

TEST(OpenApi, ThisCheckSeesWhatIsMissing) {
  EXPECT_EQ(Documented("paths:\n  /a/{b}:\n    get:\n      x\n    post:\ncomponents:\n  /c:\n    get:\n"),
            (std::vector<std::string>{"GET /a/{b}", "POST /a/{b}"}));
}

}  // namespace
}  // namespace tailrace::grpc_api
