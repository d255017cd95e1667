// When a windowed aggregation shows its results.
#pragma once

namespace tailrace::processor {

// On update: each change of a window. On window close: once per window, when it takes no more records
// (org.apache.kafka.streams.kstream.EmitStrategy, KIP-825). As in Kafka Streams closed windows are looked for when a record
// arrives, at most once a second of wall-clock time, and only among those that the store still keeps: give the store more
// retention than the default when stream time may jump, or when nothing may be lost with an in-memory store.
enum class EmitStrategy { kOnWindowUpdate, kOnWindowClose };

}  // namespace tailrace::processor
