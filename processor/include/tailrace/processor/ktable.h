// A table: the latest value per key, as a stream of changes, with or without a store.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/dsl_operators.h"
#include "tailrace/processor/detail/stream_graph.h"
#include "tailrace/processor/detail/table_nodes.h"
#include "tailrace/processor/detail/table_origin.h"
#include "tailrace/processor/detail/typed_schema.h"
#include "tailrace/processor/options.h"
#include "tailrace/processor/value_transformer.h"

namespace tailrace::processor {

template <class K, class V>
class KStream;
template <class K, class V>
class KTable;
template <class K, class KO>
struct TableJoined;
class Suppressed;

namespace detail {

// What a Materialized says about a table's store, with its types forgotten.
template <class K, class V>
struct TableStore {
  AnySerde<K> key_serde;
  AnySerde<V> value_serde;
  state::StoreSpec spec;  // no name: no store
  absl::Status error = absl::OkStatus();  // what is wrong with what was asked for
  bool asked_for = false;  // by a Materialized, which may have no name

  bool versioned() const { return spec.kind == state::StoreKind::kVersioned; }
};

// Serdes that are not given are those of the table above.
template <class K, class V, class KS, class VS>
TableStore<K, V> TableStoreOf(const Materialized<KS, VS>& materialized, std::string name, const AnySerde<K>& key_serde = {},
                              const AnySerde<V>& value_serde = {}) {
  TableStore<K, V> store{SerdeOr<KS, K>(materialized.key_serde, key_serde),
                         SerdeOr<VS, V>(materialized.value_serde, value_serde),
                         SpecOf(materialized, std::move(name), state::StoreKind::kKeyValue)};
  if (store.spec.kind == state::StoreKind::kVersioned && materialized.store_name.empty())
    store.error = base::UsageError("a versioned store needs a name: give Materialized one");
  if (store.spec.schema == nullptr)
    store.spec.schema = MakeSchema<K, V>(store.key_serde, store.value_serde, Merging::kNone);
  return store;
}

// How the operator of a table is made, once the topology is built and it is known what is asked of it.
template <class K, class V>
using TableNodeFactory = std::function<std::unique_ptr<Node>(const TableNodeOptions<K, V>&)>;

// Writes a table's operator and, where it has one, its store. `more_stores` are connected to it, too.
template <class K, class V>
void WriteTable(Topology& topology, const std::string& name, std::vector<std::string> predecessors,
                const TableStore<K, V>& store, const TableOrigin& origin, bool versioned_above,
                TableNodeFactory<K, V> make_node, std::vector<std::string> more_stores = {}) {
  TableNodeOptions<K, V> options;
  options.sends_old_values = origin.sends_old_values();
  options.versioned = versioned_above;
  if (origin.materialized()) {
    options.store = store.spec.name;
    options.key_serde = store.key_serde;
    options.value_serde = store.value_serde;
  }
  WriteTableNode(topology, name, std::move(predecessors), store.spec, origin,
                 [options, make_node = std::move(make_node)] { return make_node(options); }, std::move(more_stores));
}

}  // namespace detail

// A cheap handle; the builder's graph holds the operators. Not thread-safe.
//
// Functions take (const K&, const V&), or (const V&); they are called for present values only. A result of type
// std::optional<T> can be absent, which is a delete. They are copied into each task and run on its thread; an exception goes
// to the processing error policy.
//
// With a Materialized that has a name the result has a store of its own, which can be queried. Without, rows are computed
// from the table above, whenever somebody looks one up.
template <class K, class V>
class KTable {
 public:
  // Every change of the table as a record; a delete is a null value.
  KStream<K, V> ToStream(Named named = {}) const;
  // The same with a new key, computed as by SelectKey.
  template <class F>
    requires(!std::convertible_to<F, Named>)
  auto ToStream(F selector, Named named = {}) const;

  // Rows that pass; a row that stops passing is deleted.
  template <class F>
  KTable Filter(F predicate, Named named = {}) const {
    return Filtered(std::move(predicate), true, std::move(named), {key_serde_, value_serde_, {}});
  }
  template <class F, class KS, class VS>
  KTable Filter(F predicate, Named named, const Materialized<KS, VS>& materialized) const {
    return Filtered(std::move(predicate), true, std::move(named), StoreOf<V>(materialized, "KTABLE-FILTER-", value_serde_));
  }
  template <class F, class KS, class VS>
  KTable Filter(F predicate, const Materialized<KS, VS>& materialized) const {
    return Filter(std::move(predicate), Named(), materialized);
  }
  template <class F>
  KTable FilterNot(F predicate, Named named = {}) const {
    return Filtered(std::move(predicate), false, std::move(named), {key_serde_, value_serde_, {}});
  }
  template <class F, class KS, class VS>
  KTable FilterNot(F predicate, Named named, const Materialized<KS, VS>& materialized) const {
    return Filtered(std::move(predicate), false, std::move(named), StoreOf<V>(materialized, "KTABLE-FILTER-", value_serde_));
  }
  template <class F, class KS, class VS>
  KTable FilterNot(F predicate, const Materialized<KS, VS>& materialized) const {
    return FilterNot(std::move(predicate), Named(), materialized);
  }

  template <class F>
  auto MapValues(F mapper, Named named = {}) const {
    using VR = detail::NullableType<detail::KeyValueResult<F, K, V>>;
    return Mapped<VR>(Mapper<F>{std::move(mapper)}, std::move(named), {key_serde_, {}, {}});
  }
  template <class F, class KS, class VS>
  auto MapValues(F mapper, Named named, const Materialized<KS, VS>& materialized) const {
    using VR = detail::NullableType<detail::KeyValueResult<F, K, V>>;
    return Mapped<VR>(Mapper<F>{std::move(mapper)}, std::move(named), StoreOf<VR>(materialized, "KTABLE-MAPVALUES-"));
  }
  template <class F, class KS, class VS>
  auto MapValues(F mapper, const Materialized<KS, VS>& materialized) const {
    return MapValues(std::move(mapper), Named(), materialized);
  }

  // `supplier` makes a ValueTransformerWithKey<K, V, VR>: std::unique_ptr<T>(). One transforms changes and, when the result
  // has no store, another one rows that are looked up. `stores` are those that they use.
  template <class F>
  auto TransformValues(F supplier, Named named = {}, std::vector<std::string> stores = {}) const {
    using VR = typename std::invoke_result_t<F&>::element_type::Result;
    return Transformed<VR>(std::move(supplier), std::move(named), {key_serde_, {}, {}}, std::move(stores));
  }
  template <class F, class KS, class VS>
  auto TransformValues(F supplier, const Materialized<KS, VS>& materialized, Named named = {},
                       std::vector<std::string> stores = {}) const {
    using VR = typename std::invoke_result_t<F&>::element_type::Result;
    return Transformed<VR>(std::move(supplier), std::move(named),
                           detail::TableStoreOf<K, VR>(materialized, materialized.store_name, key_serde_), std::move(stores));
  }

  // Rows grouped by another key, to be aggregated: `selector` returns a std::pair of the new key and value; a row for which
  // one of them is absent is in no group. (grouped_table.h)
  template <class F, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
  auto GroupBy(F selector, Grouped<GKS, GVS> grouped = {}) const;

  // Joins with a table of the same key, kept up to date by changes of both sides; a result carries the larger of both
  // times. `joiner` of Join takes (const V&, const VO&), of LeftJoin (const V&, const VO*), of OuterJoin (const V*, const VO*).
  // With a Materialized the result has a store. (table_joins.h)
  template <class VO, class F>
  auto Join(const KTable<K, VO>& other, F joiner, Named named = {}) const;
  template <class VO, class F, class KS, class VS>
  auto Join(const KTable<K, VO>& other, F joiner, const Materialized<KS, VS>& materialized, Named named = {}) const;
  template <class VO, class F>
  auto LeftJoin(const KTable<K, VO>& other, F joiner, Named named = {}) const;
  template <class VO, class F, class KS, class VS>
  auto LeftJoin(const KTable<K, VO>& other, F joiner, const Materialized<KS, VS>& materialized, Named named = {}) const;
  template <class VO, class F>
  auto OuterJoin(const KTable<K, VO>& other, F joiner, Named named = {}) const;
  template <class VO, class F, class KS, class VS>
  auto OuterJoin(const KTable<K, VO>& other, F joiner, const Materialized<KS, VS>& materialized, Named named = {}) const;

  // Joins each row with the row of `other` whose key `extractor` finds in it: KO, or std::optional<KO>, of (const V&) or
  // (const K&, const V&). Many rows may point to one. The result has this table's key. (foreign_key_join.h)
  template <class KO, class VO, class E, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
    requires std::invocable<F&, const V&, const VO&>
  auto Join(const KTable<KO, VO>& other, E extractor, F joiner, const std::type_identity_t<TableJoined<K, KO>>& joined = {},
            const Materialized<KS, VS>& materialized = {}) const;
  // Also rows that point to none: `joiner` takes (const V&, const VO*).
  template <class KO, class VO, class E, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
    requires std::invocable<F&, const V&, const VO*>
  auto LeftJoin(const KTable<KO, VO>& other, E extractor, F joiner, const std::type_identity_t<TableJoined<K, KO>>& joined = {},
                const Materialized<KS, VS>& materialized = {}) const;

  // Holds changes back, so that only the last one of a window or of a time span is seen. (suppressed.h)
  KTable Suppress(const Suppressed& suppressed) const;

  // The store to query; empty when the table has none that was asked for.
  const std::string& QueryableStoreName() const { return handle_.origin->queryable_store(); }

  // For the builder and other operators. The serdes may be empty: then an operator that needs one takes the default.
  KTable(detail::TableHandle handle, detail::ValueGetterFactory<K, V> getter, detail::AnySerde<K> key_serde = {},
         detail::AnySerde<V> value_serde = {})
      : handle_(std::move(handle)), getter_(std::move(getter)), key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}
  const detail::TableHandle& handle() const { return handle_; }
  const detail::AnySerde<K>& key_serde() const { return key_serde_; }
  const detail::AnySerde<V>& value_serde() const { return value_serde_; }
  // For an operator that looks rows up. Makes sure that they can be, so call it when the operator is added.
  detail::TableView<K, V> View() const { return {handle_.origin->UseRows(), getter_}; }

 private:
  template <class F>
  struct Mapper {
    detail::KeyValueResult<F, K, V> operator()(const K& key, const V* value) {
      return detail::CallKeyValue<K, V>(function, &key, value);
    }
    F function;
  };

  template <class VR, class KS, class VS>
  detail::TableStore<K, VR> StoreOf(const Materialized<KS, VS>& materialized, const char* prefix,
                                    const detail::AnySerde<VR>& value_serde = {}) const {
    // Kafka Streams uses a number up for a store without a name, and makes no store.
    if (materialized.store_name.empty()) handle_.graph->NewStoreName(prefix);
    auto store = detail::TableStoreOf<K, VR>(materialized, materialized.store_name, key_serde_, value_serde);
    store.asked_for = true;
    return store;
  }

  template <class F>
  KTable Filtered(F predicate, bool keep, Named named, detail::TableStore<K, V> store) const {
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KTABLE-FILTER-");
    auto origin = detail::TableOrigin::Derived(handle_.origin, store.spec.name);
    origin->SendOldValuesIfParentCan();
    return Derive<V>(
        name, std::move(origin), std::move(store), {},
        [predicate, keep](const detail::TableNodeOptions<K, V>& options) {
          return detail::MakeNode<detail::TableFilterNode<K, V, F>>(options, predicate, keep);
        },
        [predicate, keep, parent = getter_] {
          return std::make_unique<detail::FilterGetter<K, V, F>>(parent(), predicate, keep);
        });
  }

  template <class VR, class F>
  KTable<K, VR> Mapped(F mapper, Named named, detail::TableStore<K, VR> store) const {
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KTABLE-MAPVALUES-");
    auto origin = detail::TableOrigin::Derived(handle_.origin, store.spec.name);
    return Derive<VR>(
        name, std::move(origin), std::move(store), {},
        [mapper](const detail::TableNodeOptions<K, VR>& options) {
          return detail::MakeNode<detail::TableMapValuesNode<K, V, VR, F>>(options, mapper);
        },
        [mapper, parent = getter_] { return std::make_unique<detail::DerivedGetter<K, V, VR, F>>(parent(), mapper); });
  }

  template <class VR, class F>
  KTable<K, VR> Transformed(F supplier, Named named, detail::TableStore<K, VR> store, std::vector<std::string> stores) const {
    using Transform = detail::TransformerCall<K, V, VR>;
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KTABLE-TRANSFORMVALUES-");
    auto origin = detail::TableOrigin::Derived(handle_.origin, store.spec.name);
    return Derive<VR>(
        name, std::move(origin), std::move(store), std::move(stores),
        [supplier](const detail::TableNodeOptions<K, VR>& options) mutable {
          return detail::MakeNode<detail::TableMapValuesNode<K, V, VR, Transform, true>>(options, Transform(supplier()));
        },
        [supplier, parent = getter_]() mutable {
          return std::make_unique<detail::DerivedGetter<K, V, VR, Transform, true>>(parent(), Transform(supplier()));
        });
  }

  template <class VR>
  KTable<K, VR> Derive(const std::string& name, std::shared_ptr<detail::TableOrigin> origin, detail::TableStore<K, VR> store,
                       std::vector<std::string> stores, detail::TableNodeFactory<K, VR> make_node,
                       detail::ValueGetterFactory<K, VR> getter) const {
    if (origin->materialized()) getter = detail::StoreRows<K, VR>(store.spec.name, store.key_serde, store.value_serde);
    // A Materialized decides whether the table is versioned, even one without a name; without it the table is as the one above.
    if (store.asked_for) origin->SetVersioned(store.versioned());
    handle_.graph->Fail(store.error);
    const auto id = handle_.graph->Add(
        {handle_.id}, [=, parent = handle_.node, above = handle_.origin](Topology& topology) {
          detail::WriteTable<K, VR>(topology, name, {parent}, store, *origin, above->versioned(), make_node, stores);
        });
    return KTable<K, VR>({handle_.graph, id, name, handle_.sources, std::move(origin)}, std::move(getter),
                         std::move(store.key_serde), std::move(store.value_serde));
  }

  detail::TableHandle handle_;
  detail::ValueGetterFactory<K, V> getter_;
  detail::AnySerde<K> key_serde_;
  detail::AnySerde<V> value_serde_;
};

namespace detail {

// A table whose rows are the records of `handle.node`'s input (KTableSource). `write_above` writes the operators that stand
// between `parent` and the table; it returns the name of the last one.
template <class K, class V>
KTable<K, V> AddTableSource(TableHandle handle, StreamGraph::NodeId parent, TableStore<K, V> store, bool store_named,
                            std::function<std::string(Topology&)> write_above) {
  handle.origin = TableOrigin::Source(store.spec.name, store_named);
  handle.origin->SetVersioned(store.versioned());
  handle.graph->Fail(store.error);
  handle.id = handle.graph->Add({parent}, [=, name = handle.node, origin = handle.origin](Topology& topology) {
    const std::string above = write_above(topology);
    WriteTable<K, V>(topology, name, {above}, store, *origin, false, [](const TableNodeOptions<K, V>& options) {
      return MakeNode<TableSourceNode<K, V>>(options);
    });
  });
  return KTable<K, V>(std::move(handle), StoreRows<K, V>(store.spec.name, store.key_serde, store.value_serde), store.key_serde,
                      store.value_serde);
}

}  // namespace detail
}  // namespace tailrace::processor
