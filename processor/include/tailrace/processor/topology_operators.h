// The typed forms of Topology's AddSource, AddProcessor and AddSink.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/topic_nodes.h"
#include "tailrace/processor/processor.h"
#include "tailrace/processor/topology.h"

namespace tailrace::processor {
namespace detail {

template <class K, class V, class KS, class VS, class TE>
using SourceNodeOf = SourceNode<K, V, SerdeType<KS, K>, SerdeType<VS, V>, TE>;

// One value per combination of types.
template <class K, class V, class KS, class VS, class TE>
TypeTag SourceIdentity() {
  return TypeTagOf<SourceNodeOf<K, V, KS, VS, TE>, void>();
}

// A processor or a processor that keeps the key.
template <class P>
struct ProcessorNodeOf {
  using type = ProcessorNode<P>;
};
template <class P>
  requires requires { typename P::FixedKey; }
struct ProcessorNodeOf<P> {
  using type = FixedKeyProcessorNode<P>;
};

}  // namespace detail

template <class K, class V, class KS, class VS, class TE>
Topology& Topology::AddSource(const std::string& name, const std::vector<std::string>& topics, Consumed<KS, VS, TE> consumed) {
  return AddNode({.type = TopologyNode::Type::kSource,
                  .name = name,
                  .topics = topics,
                  .offset_reset = consumed.offset_reset,
                  .factory = [ks = detail::ResolveSerde<KS, K>::From(consumed.key_serde),
                              vs = detail::ResolveSerde<VS, V>::From(consumed.value_serde),
                              extractor = std::move(consumed.timestamp_extractor)] {
                    return detail::MakeNode<detail::SourceNodeOf<K, V, KS, VS, TE>>(ks, vs, extractor);
                  }});
}

template <class F>
Topology& Topology::AddProcessor(const std::string& name, const std::vector<std::string>& predecessors, F supplier,
                                 const std::vector<std::string>& stores) {
  using P = typename std::invoke_result_t<F&>::element_type;
  return AddNode({.name = name, .predecessors = predecessors, .stores = stores, .factory = [supplier = std::move(supplier)] {
                    return detail::MakeNode<typename detail::ProcessorNodeOf<P>::type>(supplier());
                  }});
}

template <class K, class V, class KS, class VS, class F>
Topology& Topology::AddGlobalStore(state::StoreSpec store, const std::string& source, const std::string& topic,
                                   Consumed<KS, VS> consumed, const std::string& processor, F supplier) {
  using P = typename std::invoke_result_t<F&>::element_type;
  return AddGlobalStore(std::move(store),
                        {.type = TopologyNode::Type::kSource,
                         .name = source,
                         .topics = {topic},
                         .factory = [ks = detail::ResolveSerde<KS, K>::From(consumed.key_serde),
                                     vs = detail::ResolveSerde<VS, V>::From(consumed.value_serde)] {
                           return detail::MakeNode<detail::SourceNodeOf<K, V, KS, VS, TimestampExtractor>>(ks, vs);
                         }},
                        {.name = processor, .predecessors = {source}, .factory = [supplier = std::move(supplier)] {
                           return detail::MakeNode<typename detail::ProcessorNodeOf<P>::type>(supplier());
                         }});
}

template <class K, class V, class KS, class VS, class P>
Topology& Topology::AddSink(const std::string& name, const std::string& topic, const std::vector<std::string>& predecessors,
                            Produced<KS, VS, P> produced) {
  return AddNode({.type = TopologyNode::Type::kSink,
                  .name = name,
                  .predecessors = predecessors,
                  .topics = {topic},
                  .factory = [topic, ks = detail::ResolveSerde<KS, K>::From(produced.key_serde),
                              vs = detail::ResolveSerde<VS, V>::From(produced.value_serde),
                              partitioner = std::move(produced.partitioner)] {
                    return detail::MakeNode<detail::SinkNode<K, V, detail::SerdeType<KS, K>, detail::SerdeType<VS, V>, P>>(
                        topic, ks, vs, partitioner);
                  }});
}

}  // namespace tailrace::processor
