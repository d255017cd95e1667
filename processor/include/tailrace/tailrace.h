// Everything that a program needs to define and run a topology, under one name.
#pragma once

#include "tailrace/base/config.h"
#include "tailrace/base/metrics.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/streams.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace {

using base::Config;
using base::MetricsRegistry;
using kafka::Cluster;
using processor::BufferConfig;
using processor::Consumed;
using processor::Grouped;
using processor::Joined;
using processor::JoinWindows;
using processor::KGroupedStream;
using processor::KGroupedTable;
using processor::KStream;
using processor::KTable;
using processor::Materialized;
using processor::Named;
using processor::Processor;
using processor::ProcessorContext;
using processor::Produced;
using processor::Record;
using processor::StreamJoined;
using processor::Streams;
using processor::StreamsBuilder;
using processor::StreamsState;
using processor::Suppressed;
using processor::TableJoined;
using processor::TimeWindows;
using processor::Topology;
using processor::TopologyTestDriver;
using processor::TransformerContext;
using processor::ValueTransformerWithKey;
using processor::Windowed;

}  // namespace tailrace
