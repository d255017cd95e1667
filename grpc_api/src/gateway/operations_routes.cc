#include <algorithm>
#include <tuple>
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
  json.Key("application").String(worker.application_id);
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
    return std::tie(a.first->application_id, a.second->id, a.second->role) <
           std::tie(b.first->application_id, b.second->id, b.second->role);
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
  const absl::StatusOr<std::vector<ApplicationTopology>> topologies = context.client.DescribeTopologies(context.Options());
  if (!topologies.ok()) return Failed(request, topologies.status());
  std::string text;
  std::vector<std::pair<const std::string*, const processor::SubtopologyDescription*>> all;
  for (const ApplicationTopology& one : *topologies) {
    text += (text.empty() ? "" : "\n") + one.topology.text;
    for (const processor::SubtopologyDescription& subtopology : one.topology.subtopologies)
      all.emplace_back(&one.application_id, &subtopology);
  }
  JsonWriter json;
  json.BeginObject();
  json.Key("text").String(text);
  json.Key("applications").BeginArray();
  for (const ApplicationTopology& one : *topologies)
    json.BeginObject().Key("application").String(one.application_id).Key("text").String(one.topology.text).EndObject();
  json.EndArray();
  json.Key("subtopologies").BeginArray();
  for (const auto& [application, described] : all) {
    const processor::SubtopologyDescription& subtopology = *described;
    json.BeginObject();
    json.Key("application").String(*application);
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
  const absl::StatusOr<std::vector<RoutingState>> tables = context.client.AwaitRouting(context.Options());
  if (!tables.ok()) return Failed(request, tables.status());
  int64_t epoch = 0;
  for (const RoutingState& one : *tables) epoch = std::max(epoch, one.table.epoch);
  JsonWriter json;
  json.BeginObject();
  json.Key("epoch").Int(epoch);
  json.Key("workers").BeginArray();
  for (const RoutingState& one : *tables) {
    for (const processor::WorkerRoute& route : one.table.workers) {
      json.BeginObject();
      json.Key("application").String(one.application_id);
      json.Key("epoch").Int(one.table.epoch);
      json.Key("instance").String(route.instance);
      json.Key("endpoint").String(route.endpoint);
      json.Key("active");
      WriteTaskIds(json, route.active);
      json.Key("standby");
      WriteTaskIds(json, route.standby);
      json.EndObject();
    }
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

// Ready: the routing table of every application is known and was confirmed lately, so that queries find their way.
HttpResponse Ready(const RouteContext& context, const HttpRequest& request) {
  constexpr int64_t kTableAgeMaxMs = 30'000;
  const std::vector<RoutingState> known = context.client.Routing();
  std::string detail = known.empty() ? "No worker has been reached yet." : "";
  for (const RoutingState& routing : known) {
    if (routing.age_ms >= 0 && routing.age_ms <= kTableAgeMaxMs && !routing.table.workers.empty()) continue;
    detail = routing.age_ms < 0 ? "No worker has told the routing table of application " + routing.application_id + " yet."
                                : "The routing table of application " + routing.application_id +
                                      " has not been confirmed by a worker for " + std::to_string(routing.age_ms) + " ms.";
  }
  if (detail.empty()) return JsonResponse(R"({"status":"ready"})");
  return ProblemResponse({.status = 503, .type = "not-ready", .title = "Not ready", .detail = detail, .errors = {}, .retry_after_s = 1},
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
