#include "tailrace/grpc_api/metrics_server.h"

#include <utility>

#include "gateway/http_server.h"
#include "gateway/problem.h"
#include "gateway/router.h"

namespace tailrace::grpc_api {

class MetricsServer::Impl {
 public:
  Impl(MetricsServerOptions options, base::MetricsRegistry& metrics)
      : options_(std::move(options)),
        metrics_(metrics),
        server_({.listen = options_.listen, .io_threads = 1, .handler_threads = 1},
                [this](const HttpRequest& request) {
                  std::string route;
                  return router_.Route(request, &route);
                }) {
    router_.Add("/metrics", [this](const HttpRequest&, const PathArguments&) {
      return TextResponse(200, std::string(base::kExpositionContentType), metrics_.Expose());
    });
    router_.Add("/healthz", [](const HttpRequest&, const PathArguments&) { return JsonResponse(R"({"status":"ok"})"); });
    router_.Add("/readyz", [this](const HttpRequest& request, const PathArguments&) {
      if (!options_.ready || options_.ready()) return JsonResponse(R"({"status":"ready"})");
      return ProblemResponse({.status = 503, .type = "not-ready", .title = "Not ready",
                              .detail = "Not every assigned task is running yet.", .errors = {}, .retry_after_s = 1},
                             request.path);
    });
  }

  absl::Status Start() { return server_.Start(); }
  int port() const { return server_.port(); }

 private:
  const MetricsServerOptions options_;
  base::MetricsRegistry& metrics_;
  Router router_;
  HttpServer server_;
};

MetricsServer::MetricsServer(MetricsServerOptions options, base::MetricsRegistry& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), metrics)) {}
MetricsServer::~MetricsServer() = default;
absl::Status MetricsServer::Start() { return impl_->Start(); }
int MetricsServer::port() const { return impl_->port(); }

}  // namespace tailrace::grpc_api
