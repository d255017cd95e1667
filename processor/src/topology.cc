#include "tailrace/processor/topology.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "generated_names.h"
#include "java_order.h"
#include "tailrace/base/check.h"
#include "tailrace/processor/application_id.h"
#include "topology_description.h"

namespace tailrace::processor {
namespace {

// Disjoint sets of node indices: nodes that must be in one subtopology.
class NodeGroups {
 public:
  void Add() {
    parents_.push_back(static_cast<int>(parents_.size()));
  }
  int Root(int node) {
    while (parents_[static_cast<size_t>(node)] != node) node = parents_[static_cast<size_t>(node)];
    return node;
  }
  void Unite(int a, int b) { parents_[static_cast<size_t>(Root(b))] = Root(a); }

 private:
  std::vector<int> parents_;
};

absl::Status CheckTimeToLive(const state::StoreSpec& store) {
  if (store.time_to_live_ms == 0) return absl::OkStatus();
  if (store.time_to_live_ms < 0)
    return base::UsageError(absl::StrCat("state store ", store.name, ": a time to live of ", store.time_to_live_ms, " ms; it must be positive"));
  if (store.kind != state::StoreKind::kKeyValue)
    return base::UsageError(absl::StrCat("state store ", store.name, ": a time to live is for key-value stores; windows and versions "
                                         "are kept for their retention, so set that instead"));
  return absl::OkStatus();
}

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

// Replaces names that the optimiser has changed; they come after the others, as predecessors that were added later. Two that have
// become one are one predecessor.
void Rename(const std::map<std::string, std::string>& renamed, std::vector<std::string>& names) {
  if (renamed.empty()) return;
  std::stable_partition(names.begin(), names.end(), [&](const std::string& name) { return !renamed.contains(name); });
  std::vector<std::string> result;
  for (std::string& name : names) {
    if (const auto found = renamed.find(name); found != renamed.end()) name = found->second;
    if (std::find(result.begin(), result.end(), name) == result.end()) result.push_back(std::move(name));
  }
  names = std::move(result);
}

}  // namespace

struct Topology::Impl {
  struct Store {
    state::StoreSpec spec;
    std::vector<std::string> processors;
    bool global = false;
  };

  std::deque<detail::NodeSpec> nodes;  // stable addresses
  std::map<std::string, int, std::less<>> node_index;
  std::vector<Store> stores;
  std::map<std::string, detail::RepartitionTopic> repartition;  // by unprefixed name
  std::vector<std::vector<std::string>> copartition_sources;
  mutable NodeGroups groups;
  std::map<std::string, std::string> topic_owner;  // source topic -> source node
  std::set<std::string, std::less<>> global_nodes;
  absl::Status error;

  // Set by Compile.
  std::string application_id;
  std::string topic_prefix;
  std::vector<detail::Subtopology> subtopologies;
  detail::Subtopology whole;
  detail::Subtopology global;
  std::vector<std::vector<std::string>> copartition_topics;
  std::map<std::string, detail::RepartitionTopic> full_repartition;
  std::string fingerprint;

  void Fail(absl::Status status) {
    if (error.ok()) error = std::move(status);
  }

  Store* FindStore(std::string_view name) {
    const auto found = std::find_if(stores.begin(), stores.end(), [&](const Store& s) { return s.spec.name == name; });
    return found == stores.end() ? nullptr : &*found;
  }

  bool IsGlobal(const detail::NodeSpec& node) const { return global_nodes.contains(node.name); }

  // Nodes by subtopology: walking in insertion order, every node of a group not seen before opens the next number.
  std::vector<std::vector<const detail::NodeSpec*>> Groups() const {
    std::vector<std::vector<const detail::NodeSpec*>> result;
    std::map<int, size_t> number_of_root;
    for (size_t i = 0; i < nodes.size(); ++i) {
      const int root = groups.Root(static_cast<int>(i));
      const auto [entry, is_new] = number_of_root.try_emplace(root, result.size());
      if (is_new) result.emplace_back();
      result[entry->second].push_back(&nodes[i]);
    }
    return result;
  }

  // The stores of these nodes in the order in which Kafka Streams registers and flushes them: by the first node that uses
  // them, those of one node as Java's hash set has them (InternalTopologyBuilder.buildProcessorNode).
  std::vector<state::StoreSpec> StoresOf(const std::vector<const detail::NodeSpec*>& members) const {
    std::vector<state::StoreSpec> result;
    std::set<std::string, std::less<>> seen;
    for (const detail::NodeSpec* node : members)
      for (const std::string& name : InJavaHashSetOrder(node->stores)) {
        if (!seen.insert(name).second) continue;
        result.push_back(std::find_if(stores.begin(), stores.end(), [&](const Store& s) { return s.spec.name == name; })->spec);
        state::StoreSpec& spec = result.back();
        if (spec.logging && spec.changelog_topic.empty())
          spec.changelog_topic = absl::StrCat(topic_prefix, "-", spec.name, "-changelog");
      }
    return result;
  }

  detail::Subtopology Subtopology(int32_t id, std::vector<const detail::NodeSpec*> members) const {
    detail::Subtopology subtopology{.id = id, .nodes = std::move(members)};
    for (const detail::NodeSpec* node : subtopology.nodes) {
      for (const std::string& topic : node->topics) {
        if (node->type == TopologyNode::Type::kSink) subtopology.sink_topics.push_back(FullName(topic));
        if (node->type != TopologyNode::Type::kSource) continue;
        subtopology.source_topics.push_back(FullName(topic));
        if (repartition.contains(topic)) subtopology.repartition_sources.push_back(FullName(topic));
      }
    }
    std::sort(subtopology.source_topics.begin(), subtopology.source_topics.end());
    for (const auto& [name, topic] : repartition) subtopology.full_names.emplace(name, FullName(name));
    subtopology.stores = StoresOf(subtopology.nodes);
    return subtopology;
  }

  std::string FullName(std::string_view topic) const {
    const bool internal = repartition.contains(std::string(topic));
    return internal ? absl::StrCat(topic_prefix, "-", absl::string_view(topic.data(), topic.size())) : std::string(topic);
  }
};

Topology::Topology() : impl_(std::make_unique<Impl>()) {}
Topology::~Topology() = default;
Topology::Topology(Topology&&) noexcept = default;
Topology& Topology::operator=(Topology&&) noexcept = default;

Topology& Topology::Fail(absl::Status status) {
  impl_->Fail(std::move(status));
  return *this;
}

Topology& Topology::AddNode(detail::NodeSpec node) {
  Impl& impl = *impl_;
  Rename(renamed_predecessors_, node.predecessors);
  if (node.name.empty()) return Fail(base::UsageError("an operator has an empty name: give each one a name"));
  if (impl.node_index.contains(node.name))
    return Fail(base::UsageError(absl::StrCat("operator ", node.name, ": the name is used twice; name one of them differently")));
  if (node.type == TopologyNode::Type::kSource && node.topics.empty())
    return Fail(base::UsageError(absl::StrCat("source ", node.name, " has no topic: name at least one")));
  if (node.type != TopologyNode::Type::kSource && node.predecessors.empty())
    return Fail(base::UsageError(
        absl::StrCat("operator ", node.name, " has no predecessor: name the source or processor whose records it takes")));
  if (std::find(node.predecessors.begin(), node.predecessors.end(), node.name) != node.predecessors.end())
    return Fail(base::UsageError(absl::StrCat("operator ", node.name, " is its own predecessor: operators form no cycle; to feed "
                                              "records back, write them to a topic and read that with a source")));

  const int index = static_cast<int>(impl.nodes.size());
  impl.groups.Add();
  for (const std::string& predecessor : node.predecessors) {
    const auto found = impl.node_index.find(predecessor);
    if (found == impl.node_index.end())
      return Fail(base::UsageError(
          absl::StrCat("operator ", node.name, ": predecessor ", predecessor,
                       " does not exist; add it first (operators are added from the sources down, so that they form no cycle)")));
    if (impl.nodes[static_cast<size_t>(found->second)].type == TopologyNode::Type::kSink)
      return Fail(base::UsageError(absl::StrCat("operator ", node.name, ": predecessor ", predecessor,
                                                " is a sink, which forwards nothing; follow the operator above it, or read "
                                                "the sink's topic with a source")));
    impl.groups.Unite(found->second, index);
  }
  if (node.type == TopologyNode::Type::kSource) {
    for (const std::string& topic : node.topics) {
      const auto [owner, is_new] = impl.topic_owner.try_emplace(topic, node.name);
      if (!is_new)
        return Fail(base::UsageError(absl::StrCat("source ", node.name, ": topic ", topic, " is already read by source ",
                                                  owner->second, "; use that stream twice instead")));
    }
  }
  impl.node_index.emplace(node.name, index);
  const std::vector<std::string> stores = std::exchange(node.stores, {});
  const std::string name = node.name;
  impl.nodes.push_back(std::move(node));
  for (const std::string& store : stores) ConnectProcessorAndStore(name, store);
  return *this;
}

Topology& Topology::AddGlobalStore(state::StoreSpec store, detail::NodeSpec source, detail::NodeSpec processor) {
  Impl& impl = *impl_;
  if (store.name.empty()) return Fail(base::UsageError("a global store has an empty name"));
  if (impl.FindStore(store.name) != nullptr)
    return Fail(base::UsageError(absl::StrCat("global store ", store.name, ": another store has this name; name one of them differently")));
  if (store.kind == state::StoreKind::kVersioned)
    return Fail(base::UsageError(absl::StrCat("global store ", store.name, " cannot be versioned")));
  if (absl::Status status = CheckTimeToLive(store); !status.ok()) return Fail(std::move(status));
  // The topic is its changelog, which nobody else writes to.
  store.logging = false;
  store.changelog_topic = source.topics.front();
  const std::string processor_name = processor.name;
  impl.global_nodes.insert({source.name, processor.name});
  AddNode(std::move(source));
  AddNode(std::move(processor));
  if (!impl.error.ok()) return *this;
  impl.nodes.back().stores = {store.name};
  impl.stores.push_back({std::move(store), {processor_name}, true});
  return *this;
}

Topology& Topology::AddStateStore(state::StoreSpec store, const std::vector<std::string>& processors) {
  if (store.name.empty()) return Fail(base::UsageError("a state store has an empty name"));
  if (const Impl::Store* const other = impl_->FindStore(store.name); other != nullptr) {
    const auto owner = [](const std::vector<std::string>& names) { return names.empty() ? "nobody yet" : absl::StrJoin(names, ", "); };
    return Fail(base::UsageError(absl::StrCat("state store ", store.name, " has two owners: it was added for ",
                                              owner(other->processors), " and again for ", owner(processors),
                                              "; name one of the stores differently, or add it once and connect both processors to it")));
  }
  if (store.kind == state::StoreKind::kWindow && store.retention_ms < store.window_size_ms)
    return Fail(base::UsageError(absl::StrCat("state store ", store.name, ": retention ", store.retention_ms,
                                              " ms is shorter than the window size ", store.window_size_ms, " ms")));
  if (absl::Status status = CheckTimeToLive(store); !status.ok()) return Fail(std::move(status));
  const std::string name = store.name;
  const auto source = source_changelogs_.find(name);
  const bool reuse = optimization_.has_value() && optimization_->reuse_ktable_source_topics;
  if (reuse && source != source_changelogs_.end() && store.logging) store.changelog_topic = source->second;
  impl_->stores.push_back({std::move(store), {}});
  for (const std::string& processor : processors) ConnectProcessorAndStore(processor, name);
  return *this;
}

const state::StoreSpec* Topology::FindStateStore(std::string_view name) const {
  const Impl::Store* const store = impl_->FindStore(name);
  return store == nullptr ? nullptr : &store->spec;
}

bool Topology::joins_itself(const std::string& left, const std::string& right) const {
  if (!optimization_.has_value() || !optimization_->single_store_self_join) return false;
  const auto now = [&](const std::string& name) {
    for (const auto* renamed : {&renamed_predecessors_, &renamed_sources_})
      if (const auto found = renamed->find(name); found != renamed->end()) return found->second;
    return name;
  };
  return now(left) == now(right);
}

Topology& Topology::ShareStateStore(state::StoreSpec store, const std::string& processor) {
  if (impl_->FindStore(store.name) != nullptr) return ConnectProcessorAndStore(processor, store.name);
  return AddStateStore(std::move(store), {processor});
}

Topology& Topology::ConnectProcessorAndStore(std::string_view processor, std::string_view store) {
  Impl& impl = *impl_;
  const auto node = impl.node_index.find(processor);
  Impl::Store* const entry = impl.FindStore(store);
  if (node == impl.node_index.end() || entry == nullptr)
    return Fail(base::UsageError(absl::StrCat("cannot connect processor ", std::string(processor), " and state store ",
                                              std::string(store), ": ", entry == nullptr ? "the store" : "the processor",
                                              " does not exist; ", entry == nullptr ? "add it with AddStateStore" : "add it", " first")));
  if (impl.nodes[static_cast<size_t>(node->second)].type != TopologyNode::Type::kProcessor)
    return Fail(base::UsageError(absl::StrCat("operator ", std::string(processor), " is a source or sink and cannot use state store ",
                                              std::string(store), ": connect the store to a processor")));
  if (entry->global)
    return Fail(base::UsageError(absl::StrCat("operator ", std::string(processor), ": global store ", std::string(store),
                                              " can be read by every processor; do not connect it")));
  std::vector<std::string>& connected = impl.nodes[static_cast<size_t>(node->second)].stores;
  if (std::find(connected.begin(), connected.end(), store) != connected.end()) return *this;
  connected.emplace_back(store);
  if (!entry->processors.empty()) impl.groups.Unite(impl.node_index.find(entry->processors.front())->second, node->second);
  entry->processors.emplace_back(processor);
  return *this;
}

Topology& Topology::AddRepartitionTopic(detail::RepartitionTopic topic) {
  const std::string name = topic.name;
  if (!impl_->repartition.emplace(name, std::move(topic)).second)
    return Fail(base::UsageError(absl::StrCat("repartition topic ", name, ": the name is used twice")));
  return *this;
}

Topology& Topology::AddCopartition(std::vector<std::string> source_nodes) {
  Rename(renamed_sources_, source_nodes);
  impl_->copartition_sources.push_back(std::move(source_nodes));
  return *this;
}

absl::Status Topology::CheckNames() const {
  std::vector<std::string> lines;
  for (const Impl::Store& store : impl_->stores) {
    if (store.global || !IsGeneratedName(store.spec.name)) continue;
    const bool has_changelog = store.spec.logging && store.spec.changelog_topic.empty();
    lines.push_back(absl::StrCat("state store ", store.spec.name, has_changelog ? " and its changelog topic " : "",
                                 has_changelog ? store.spec.name + "-changelog" : "", ", of operator ",
                                 absl::StrJoin(store.processors, ", "), ": ", CallThatNames(store.spec.name)));
  }
  for (const auto& [name, topic] : impl_->repartition)
    if (IsGeneratedName(name))
      lines.push_back(absl::StrCat("repartition topic ", name, ": ", CallThatNamesRepartition(name)));
  if (lines.empty()) return absl::OkStatus();
  return base::UsageError(absl::StrCat(
      "these internal resources have generated names, which change with the topology, and the state under the old name is lost "
      "then:\n  ", absl::StrJoin(lines, "\n  "),
      "\nor accept generated names with ensure.explicit.internal.resource.naming=false"));
}

TopologyDescription Topology::Describe() const {
  return DescribeGroups(impl_->Groups(), [this](const detail::NodeSpec& node) { return impl_->IsGlobal(node); });
}

absl::Status Topology::Compile(const std::string& application_id) {
  Impl& impl = *impl_;
  TAILRACE_RETURN_IF_ERROR(impl.error);
  if (application_id.empty()) return base::UsageError("application.id is not set");
  if (impl.nodes.empty()) return base::UsageError("the topology is empty: add at least one source");
  impl.application_id = application_id;
  impl.topic_prefix = InternalTopicPrefix(application_id);
  impl.subtopologies.clear();
  impl.full_repartition.clear();
  impl.copartition_topics.clear();

  for (const Impl::Store& store : impl.stores)
    if (store.processors.empty())
      return base::UsageError(absl::StrCat("state store ", store.spec.name, " is connected to no processor: name it in Process or "
                                           "AddProcessor, or remove it"));
  for (const auto& [name, topic] : impl.repartition) impl.full_repartition.emplace(impl.FullName(name), topic);

  std::string identity = Describe().text;
  int32_t next_id = 0;  // global stores take numbers, too
  for (auto& group : impl.Groups()) {
    const int32_t id = next_id++;
    if (impl.IsGlobal(*group.front())) continue;
    detail::Subtopology subtopology = impl.Subtopology(id, std::move(group));
    if (subtopology.source_topics.empty())
      return base::UsageError(absl::StrCat("operator ", subtopology.nodes.front()->name, " has no source above it"));
    for (const state::StoreSpec& spec : subtopology.stores)
      absl::StrAppend(&identity, spec.name, ":", static_cast<int>(spec.kind), ":", spec.window_size_ms, ":",
                      spec.changelog_topic, "\n");
    impl.subtopologies.push_back(std::move(subtopology));
  }
  std::vector<const detail::NodeSpec*> all;
  std::vector<const detail::NodeSpec*> global;
  for (const detail::NodeSpec& node : impl.nodes) (impl.IsGlobal(node) ? global : all).push_back(&node);
  impl.whole = impl.Subtopology(0, std::move(all));
  impl.global = impl.Subtopology(-1, std::move(global));
  for (const auto& sources : impl.copartition_sources) {
    std::vector<std::string> topics;
    for (const std::string& source : sources)
      if (const auto node = impl.node_index.find(source); node != impl.node_index.end())
        for (const std::string& topic : impl.nodes[static_cast<size_t>(node->second)].topics)
          topics.push_back(impl.FullName(topic));
    impl.copartition_topics.push_back(std::move(topics));
  }
  impl.fingerprint = absl::StrCat(absl::Hex(Fnv1a(identity), absl::kZeroPad16));
  return absl::OkStatus();
}

const std::string& Topology::application_id() const { return impl_->application_id; }
const std::vector<detail::Subtopology>& Topology::subtopologies() const { return impl_->subtopologies; }
const detail::Subtopology& Topology::whole() const { return impl_->whole; }
const detail::Subtopology& Topology::global() const { return impl_->global; }
const std::vector<std::vector<std::string>>& Topology::copartition_topics() const { return impl_->copartition_topics; }
const std::map<std::string, detail::RepartitionTopic>& Topology::repartition_topics() const {
  return impl_->full_repartition;
}
const std::string& Topology::fingerprint() const { return impl_->fingerprint; }
std::string Topology::FullTopicName(std::string_view topic) const { return impl_->FullName(topic); }

}  // namespace tailrace::processor
