// The routes of the gateway, in groups.
#pragma once

#include <string>

#include "gateway/router.h"
#include "gateway/store_events.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/metrics.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

// What handlers work with; everything outlives the router.
struct RouteContext {
  QueryClient& client;
  StoreEvents& events;
  const base::Clock& clock;
  base::MetricsRegistry* metrics = nullptr;
  std::string city_store;
  int64_t query_timeout_ms = 0;

  CallOptions Options() const {
    CallOptions options;
    options.timeout_ms = query_timeout_ms;
    options.json_only = true;
    return options;
  }
};

// /api/v1/stores...
void AddStoreRoutes(Router& router, const RouteContext& context);
// /api/v1/cities...
void AddCityRoutes(Router& router, const RouteContext& context);
// /api/v1/{tasks,topology,routing}, /healthz, /readyz, /metrics, /openapi.yaml
void AddOperationsRoutes(Router& router, const RouteContext& context);

}  // namespace tailrace::grpc_api
