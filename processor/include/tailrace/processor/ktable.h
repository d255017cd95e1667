// A table: the latest value per key, kept in a store, as a stream of changes.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tailrace/processor/detail/stream_graph.h"
#include "tailrace/processor/detail/table_nodes.h"
#include "tailrace/processor/options.h"

namespace tailrace::processor {

template <class K, class V>
class KStream;

// A cheap handle; the builder's graph holds the operators. Not thread-safe.
template <class K, class V>
class KTable {
 public:
  // Every change of the table as a record; a delete is a null value.
  KStream<K, V> ToStream(Named named = {}) const;

  // Rows that pass; a row that stops passing is deleted. `predicate` as in KStream::Filter.
  template <class F>
  KTable Filter(F predicate, Named named = {}) const {
    return Filtered(std::move(predicate), true, std::move(named));
  }
  template <class F>
  KTable FilterNot(F predicate, Named named = {}) const {
    return Filtered(std::move(predicate), false, std::move(named));
  }
  template <class F>
  auto MapValues(F mapper, Named named = {}) const {
    using VR = detail::KeyValueResult<F, K, V>;
    const std::string name = graph_->NameOr(std::move(named.name), "KTABLE-MAPVALUES-");
    const auto id = graph_->Add({id_}, [name, parent = node_, mapper](Topology& topology) {
      topology.AddNode({.name = name, .predecessors = {parent}, .factory = [mapper] {
                          return std::make_unique<detail::TableMapValuesNode<K, V, VR, F>>(mapper);
                        }});
    });
    detail::ValueGetterFactory<K, VR> getter = [parent = getter_, mapper] {
      return std::make_unique<detail::MapValuesGetter<K, V, VR, F>>(parent(), mapper);
    };
    return KTable<K, VR>(graph_, id, name, sources_, store_, std::move(getter));
  }

  // The store to query, also when it was named by the builder.
  const std::string& store_name() const { return store_; }

  // For the builder and other operators.
  KTable(std::shared_ptr<detail::StreamGraph> graph, detail::StreamGraph::NodeId id, std::string node,
         std::set<std::string> sources, std::string store, detail::ValueGetterFactory<K, V> getter)
      : graph_(std::move(graph)), id_(id), node_(std::move(node)), sources_(std::move(sources)),
        store_(std::move(store)), getter_(std::move(getter)) {}
  detail::StreamGraph::NodeId id() const { return id_; }
  const std::set<std::string>& sources() const { return sources_; }
  const detail::ValueGetterFactory<K, V>& getter() const { return getter_; }

 private:
  template <class F>
  KTable Filtered(F predicate, bool keep, Named named) const {
    const std::string name = graph_->NameOr(std::move(named.name), "KTABLE-FILTER-");
    const auto id = graph_->Add({id_}, [name, parent = node_, predicate, keep](Topology& topology) {
      topology.AddNode({.name = name, .predecessors = {parent}, .factory = [predicate, keep] {
                          return std::make_unique<detail::TableFilterNode<K, V, F>>(predicate, keep);
                        }});
    });
    detail::ValueGetterFactory<K, V> getter = [parent = getter_, predicate, keep] {
      return std::make_unique<detail::FilterGetter<K, V, F>>(parent(), predicate, keep);
    };
    return KTable(graph_, id, name, sources_, store_, std::move(getter));
  }

  std::shared_ptr<detail::StreamGraph> graph_;  // shared by all handles of one builder
  detail::StreamGraph::NodeId id_;
  std::string node_;
  std::set<std::string> sources_;
  std::string store_;
  detail::ValueGetterFactory<K, V> getter_;
};

}  // namespace tailrace::processor
