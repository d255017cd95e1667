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
// /api/v1/trends, /api/v1/languages
void AddTrendRoutes(Router& router, const RouteContext& context);
// /api/v1/users..., /api/v1/tickers...
void AddViewRoutes(Router& router, const RouteContext& context);
// /api/v1/tickers/{symbol}/candles, /api/v1/wages/top
void AddMarketRoutes(Router& router, const RouteContext& context);
// /api/v1/requests...
void AddRequestRoutes(Router& router, const RouteContext& context);
// /api/v1/joins/sentiment
void AddJoinRoutes(Router& router, const RouteContext& context);
// /api/v1/{tasks,topology,routing}, /healthz, /readyz, /metrics, /openapi.yaml
void AddOperationsRoutes(Router& router, const RouteContext& context);

inline void AddAllRoutes(Router& router, const RouteContext& context) {
  AddOperationsRoutes(router, context);
  AddCityRoutes(router, context);
  AddTrendRoutes(router, context);
  AddViewRoutes(router, context);
  AddMarketRoutes(router, context);
  AddRequestRoutes(router, context);
  AddJoinRoutes(router, context);
  AddStoreRoutes(router, context);
}

}  // namespace tailrace::grpc_api
