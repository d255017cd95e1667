#include "tailrace/grpc_api/gateway.h"

#include <utility>

#include "common/request_metrics.h"
#include "gateway/conditional.h"
#include "gateway/http_server.h"
#include "gateway/problem.h"
#include "gateway/router.h"
#include "gateway/routes.h"
#include "gateway/static_files.h"
#include "gateway/store_events.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {

class Gateway::Impl {
 public:
  Impl(GatewayOptions options, std::unique_ptr<QueryClient> client)
      : options_(std::move(options)),
        client_(std::move(client)),
        events_(*client_, *options_.clock),
        files_(options_.static_dir),
        metrics_(options_.metrics, "tailrace_http", "route", "HTTP requests"),
        server_({.listen = options_.listen,
                 .tls = options_.tls,
                 .io_threads = options_.io_threads,
                 .handler_threads = options_.handler_threads,
                 .idle_timeout_ms = options_.idle_timeout_ms,
                 .heartbeat_ms = options_.heartbeat_ms,
                 .streams_max = options_.streams_max},
                [this](const HttpRequest& request) { return Handle(request); }) {
    const RouteContext context{.client = *client_,
                               .events = events_,
                               .clock = *options_.clock,
                               .metrics = options_.metrics,
                               .city_store = options_.city_store,
                               .query_timeout_ms = options_.query_timeout_ms};
    AddAllRoutes(router_, context);
    router_.SetFallback([this](const HttpRequest& request, const PathArguments&) { return files_.Serve(request); });
  }
  ~Impl() { Shutdown(0); }

  absl::Status Start() {
    TAILRACE_RETURN_IF_ERROR(CheckClientTls(options_.worker_tls));
    TAILRACE_RETURN_IF_ERROR(server_.Start());
    base::LogInfo("gateway", "listening", {{"address", options_.listen}, {"port", server_.port()}, {"tls", options_.tls.any()}});
    return absl::OkStatus();
  }
  int port() const { return server_.port(); }

  void Shutdown(int64_t deadline_ms) {
    events_.Close();
    server_.Shutdown(deadline_ms);
  }

 private:
  HttpResponse Handle(const HttpRequest& request) {
    metrics_.Began();
    const int64_t began_ns = options_.clock->SteadyNs();
    std::string route = "other";
    HttpResponse response = Revalidated(request, router_.Route(request, &route));
    metrics_.Ended(route, std::to_string(response.status), options_.clock->SteadyNs() - began_ns);
    return response;
  }

  const GatewayOptions options_;
  std::unique_ptr<QueryClient> client_;
  StoreEvents events_;
  StaticFiles files_;
  Router router_;
  RequestMetrics metrics_;
  HttpServer server_;
};

Gateway::Gateway(GatewayOptions options, std::unique_ptr<QueryClient> client)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(client))) {}
Gateway::Gateway(GatewayOptions options)
    : Gateway(options, QueryClient::Create({.workers = options.workers,
                                            .tls = options.worker_tls,
                                            .metrics = options.metrics,
                                            .clock = options.clock})) {}
Gateway::~Gateway() = default;
absl::Status Gateway::Start() { return impl_->Start(); }
int Gateway::port() const { return impl_->port(); }
void Gateway::Shutdown(int64_t deadline_ms) { impl_->Shutdown(deadline_ms); }

}  // namespace tailrace::grpc_api
