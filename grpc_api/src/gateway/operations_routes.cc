#include <algorithm>
#include <utility>

#include "gateway/json_values.h"
#include "gateway/openapi_document.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"

namespace tailrace::grpc_api {
namespace {

std::string_view RoleName(processor::TaskRole role) {
  switch (role) {
    case processor::TaskRole::kActive: return "active";
    case processor::TaskRole::kStandby: return "standby";
    case processor::TaskRole::kWarmup: return "warmup";
  }
  return "active";
}

std::string_view PhaseName(processor::TaskPhase phase) {
  switch (phase) {
    case processor::TaskPhase::kCreated: return "created";
    case processor::TaskPhase::kRestoring: return "restoring";
    case processor::TaskPhase::kRunning: return "running";
    case processor::TaskPhase::kSuspended: return "suspended";
    case processor::TaskPhase::kClosed: return "closed";
  }
  return "created";
}

std::string_view TypeName(processor::TopologyNode::Type type) {
  switch (type) {
    case processor::TopologyNode::Type::kSource: return "source";
    case processor::TopologyNode::Type::kProcessor: return "processor";
    case processor::TopologyNode::Type::kSink: return "sink";
  }
  return "processor";
}

void WriteOffset(JsonWriter& json, base::Offset offset) {
  offset.value() >= 0 ? json.Int(offset.value()) : json.Null();
}

std::optional<int64_t> LagOf(const processor::InputProgress& input) {
  if (input.next_offset.value() < 0 || input.end_offset.value() < 0) return std::nullopt;
  return std::max<int64_t>(input.end_offset.value() - input.next_offset.value(), 0);
}
void WriteLag(JsonWriter& json, std::optional<int64_t> lag) { lag ? json.Int(*lag) : json.Null(); }

void WriteTask(JsonWriter& json, const WorkerTasks& worker, const processor::TaskInfo& task) {
  std::optional<int64_t> lag = 0;
  for (const processor::InputProgress& input : task.inputs) {
    const std::optional<int64_t> one = LagOf(input);
    lag = lag && one ? std::optional<int64_t>(*lag + *one) : std::nullopt;
  }
  if (task.inputs.empty()) lag.reset();
  json.BeginObject();
  json.Key("task").String(task.id.ToString());
  json.Key("worker").String(worker.instance);
  json.Key("role").String(RoleName(task.role));
  // A worker that does not answer still owns its tasks, as far as anybody knows.
  json.Key("state").String(worker.state.empty() ? "unreachable" : PhaseName(task.phase));
  json.Key("stream_time");
  task.stream_time_ms >= 0 ? json.String(FormatTime(task.stream_time_ms)) : json.Null();
  json.Key("lag");
  WriteLag(json, lag);
  json.Key("restore");
  if (task.restore_total > 0) {
    json.BeginObject().Key("done").Int(task.restore_done).Key("total").Int(task.restore_total).EndObject();
  } else {
    json.Null();
  }
  json.Key("inputs").BeginArray();
  for (const processor::InputProgress& input : task.inputs) {
    json.BeginObject();
    json.Key("topic").String(input.partition.topic);
    json.Key("partition").Int(input.partition.partition.value());
    json.Key("offset");
    WriteOffset(json, input.next_offset);
    json.Key("end_offset");
    WriteOffset(json, input.end_offset);
    json.Key("lag");
    WriteLag(json, LagOf(input));
    json.EndObject();
  }
  json.EndArray().EndObject();
}

HttpResponse Tasks(const RouteContext& context, const HttpRequest& request) {
  absl::StatusOr<std::vector<WorkerTasks>> workers = context.client.ListTasks(context.Options());
  if (!workers.ok()) return Failed(request, workers.status());
  std::vector<std::pair<const WorkerTasks*, const processor::TaskInfo*>> tasks;
  for (const WorkerTasks& worker : *workers) {
    for (const processor::TaskInfo& task : worker.tasks) tasks.emplace_back(&worker, &task);
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->id, a.second->role) < std::pair(b.second->id, b.second->role);
  });
  JsonWriter json;
  json.BeginObject().Key("items").BeginArray();
  for (const auto& [worker, task] : tasks) WriteTask(json, *worker, *task);
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

void WriteStrings(JsonWriter& json, const std::vector<std::string>& values) {
  json.BeginArray();
  for (const std::string& value : values) json.String(value);
  json.EndArray();
}

HttpResponse Topology(const RouteContext& context, const HttpRequest& request) {
  const absl::StatusOr<processor::TopologyDescription> topology = context.client.DescribeTopology(context.Options());
  if (!topology.ok()) return Failed(request, topology.status());
  JsonWriter json;
  json.BeginObject();
  json.Key("text").String(topology->text);
  json.Key("subtopologies").BeginArray();
  for (const processor::SubtopologyDescription& subtopology : topology->subtopologies) {
    json.BeginObject();
    json.Key("id").Int(subtopology.id);
    json.Key("nodes").BeginArray();
    for (const processor::TopologyNode& node : subtopology.nodes) {
      json.BeginObject();
      json.Key("name").String(node.name);
      json.Key("type").String(TypeName(node.type));
      json.Key("topics");
      WriteStrings(json, node.topics);
      json.Key("stores");
      WriteStrings(json, node.stores);
      json.Key("successors");
      WriteStrings(json, node.successors);
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

void WriteTaskIds(JsonWriter& json, const std::vector<base::TaskId>& ids) {
  json.BeginArray();
  for (const base::TaskId& id : ids) json.String(id.ToString());
  json.EndArray();
}

HttpResponse Routing(const RouteContext& context, const HttpRequest& request) {
  const absl::StatusOr<processor::RoutingTable> table = context.client.AwaitRouting(context.Options());
  if (!table.ok()) return Failed(request, table.status());
  JsonWriter json;
  json.BeginObject();
  json.Key("epoch").Int(table->epoch);
  json.Key("workers").BeginArray();
  for (const processor::WorkerRoute& route : table->workers) {
    json.BeginObject();
    json.Key("instance").String(route.instance);
    json.Key("endpoint").String(route.endpoint);
    json.Key("active");
    WriteTaskIds(json, route.active);
    json.Key("standby");
    WriteTaskIds(json, route.standby);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

// Ready: the routing table is known and was confirmed lately, so that queries find their way.
HttpResponse Ready(const RouteContext& context, const HttpRequest& request) {
  constexpr int64_t kTableAgeMaxMs = 30'000;
  const RoutingState routing = context.client.Routing();
  if (routing.age_ms >= 0 && routing.age_ms <= kTableAgeMaxMs && !routing.table.workers.empty()) {
    return JsonResponse(R"({"status":"ready"})");
  }
  return ProblemResponse(
      {.status = 503, .type = "not-ready", .title = "Not ready",
       .detail = routing.age_ms < 0 ? "No worker has been reached yet."
                                    : "The routing table has not been confirmed by a worker for " +
                                          std::to_string(routing.age_ms) + " ms.",
       .errors = {}, .retry_after_s = 1},
      request.path);
}

}  // namespace

void AddOperationsRoutes(Router& router, const RouteContext& context) {
  // Every handler here takes no parameters; a copy of the context is cheap.
  const auto add = [&router, context](std::string path, auto handle) {
    router.Add(std::move(path), [context, handle](const HttpRequest& request, const PathArguments&) {
      Parameters parameters(request.query, context.clock);
      if (!parameters.Finish()) return ProblemResponse(ValidationProblem(parameters.errors()), request.path);
      return handle(context, request);
    });
  };
  add("/api/v1/tasks", Tasks);
  add("/api/v1/topology", Topology);
  add("/api/v1/routing", Routing);
  add("/readyz", Ready);
  add("/healthz", [](const RouteContext&, const HttpRequest&) { return JsonResponse(R"({"status":"ok"})"); });
  add("/openapi.yaml", [](const RouteContext&, const HttpRequest&) {
    return TextResponse(200, "application/yaml", std::string(OpenApiDocument()));
  });
  add("/metrics", [](const RouteContext& c, const HttpRequest& request) {
    if (c.metrics == nullptr) return ProblemResponse(NotFoundProblem("This gateway keeps no metrics."), request.path);
    return TextResponse(200, std::string(base::kExpositionContentType), c.metrics->Expose());
  });
}

}  // namespace tailrace::grpc_api
