import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Printed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.RecordContext;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.TopicNameExtractor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** What stands around the operators; twin of surface.cc and surface.h. */
final class Surface {
    private Surface() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("stream.toDynamic", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            if (op.has("name")) {
                in.to(new SomeTopic(), Produced.as(op.text("name")));
            } else {
                in.to(new SomeTopic());
            }
            return null;
        });
        kinds.put("stream.toPartitions", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            Produced<String, String> produced = Produced.with(null, null, new SomePartitions());
            if (op.has("name")) {
                produced = produced.withName(op.text("name"));
            }
            in.to(op.text("topic"), produced);
            return null;
        });
        kinds.put("stream.through", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            in.to(op.text("middle"));
            return graph.builder.<String, String>stream(op.text("middle"));
        });
        kinds.put("stream.repartitionWith", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            Repartitioned<String, String> repartitioned = Repartitioned.streamPartitioner(new SomePartitions());
            repartitioned = repartitioned.withNumberOfPartitions(op.number("partitions"));
            return in.repartition(op.has("name") ? repartitioned.withName(op.text("name")) : repartitioned);
        });
        kinds.put("stream.headers", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.process(() -> new Tagging(op), Graph.named(op)) : in.process(() -> new Tagging(op));
        });
        kinds.put("stream.punctuate", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.process(() -> new Clockwork(op), Graph.named(op)) : in.process(() -> new Clockwork(op));
        });
        kinds.put("stream.route", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            final KStream<String, String> routed =
                op.has("name") ? in.process(() -> new Routing(op), Graph.named(op)) : in.process(() -> new Routing(op));
            final KStream<String, String> left = side(routed, op, "left");
            return left.merge(side(routed, op, "right"));
        });
        kinds.put("stream.processValues", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            graph.builder.addStateStore(Processors.store(op));
            return op.has("name") ? in.processValues(() -> new KeptKey(op), Graph.named(op), op.text("store"))
                : in.processValues(() -> new KeptKey(op), op.text("store"));
        });
        kinds.put("stream.print", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            final Printed<String, String> printed = Printed.toFile("/dev/null");
            in.print(op.has("name") ? printed.withName(op.text("name")) : printed);
            return null;
        });
    }

    private static KStream<String, String> side(final KStream<String, String> in, final Op op, final String side) {
        return in.mapValues(value -> Functions.bounded(side + Functions.shown(value)), Named.as(op.text(side)));
    }

    /** Strings, about 1 of n of which cannot be read. */
    static Serde<String> picky(final int n) {
        final Deserializer<String> deserializer = (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            final String value = new String(bytes, StandardCharsets.UTF_8);
            if (Functions.hash(value) % n == 0) {
                throw new SerializationException("not to be read");
            }
            return value;
        };
        return Serdes.serdeFrom(new StringSerializer(), deserializer);
    }

    /** The record's time moved, the partition's, or none. */
    static final class MovedTime implements TimestampExtractor {
        @Override
        public long extract(final ConsumerRecord<Object, Object> record, final long partitionTime) {
            final long hash = Functions.hash((String) record.key(), (String) record.value());
            if (hash % 16 == 0) {
                return -1;
            }
            return hash % 4 == 0 ? partitionTime : record.timestamp() + hash % 7;
        }
    }

    private static final class SomeTopic implements TopicNameExtractor<String, String> {
        @Override
        public String extract(final String key, final String value, final RecordContext context) {
            return "dyn-" + Functions.hash(key, value) % 2;
        }

        @Override
        public String toString() {
            return "a function of the program";
        }
    }

    /** Drops some records, leaves some to the default partitioner, and sends the others to partition 0. */
    private static final class SomePartitions implements StreamPartitioner<String, String> {
        @Override
        public Optional<Set<Integer>> partitions(final String topic, final String key, final String value, final int count) {
            final long hash = Functions.hash(key, value) % 5;
            return hash == 1 ? Optional.empty() : Optional.of(hash == 0 ? Set.of() : Set.of(0));
        }
    }

    private static final class Clockwork implements Processor<String, String, String, String> {
        private final Op op;
        private ProcessorContext<String, String> context;
        private Cancellable byStream;
        private Cancellable byWall;
        private int ticks;

        Clockwork(final Op op) {
            this.op = op;
        }

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
            byStream = context.schedule(Duration.ofMillis(op.number("stream")), PunctuationType.STREAM_TIME,
                now -> tick("s", now, byStream));
            byWall = context.schedule(Duration.ofMillis(op.number("wall")), PunctuationType.WALL_CLOCK_TIME,
                now -> tick("w", now, byWall));
        }

        @Override
        public void process(final Record<String, String> record) {
            if (Functions.chosen(op, record.key(), record.value())) {
                context.commit();
            }
            context.forward(record.withValue(times()));
        }

        private String times() {
            return context.currentStreamTimeMs() + "/" + context.currentSystemTimeMs();
        }

        private void tick(final String kind, final long now, final Cancellable handle) {
            context.forward(new Record<>(kind + now, times(), Math.max(0, now)));
            if (++ticks == op.number("cancel")) {
                handle.cancel();
            }
        }
    }

    private static final class Tagging implements Processor<String, String, String, String> {
        private final Op op;
        private ProcessorContext<String, String> context;

        Tagging(final Op op) {
            this.op = op;
        }

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
        }

        @Override
        public void process(final Record<String, String> record) {
            // A copy: headers that are changed in place change for the siblings too.
            final RecordHeaders headers = new RecordHeaders(record.headers());
            if (Functions.chosen(op, record.key(), record.value())) {
                headers.remove("h");
            }
            headers.add(op.text("tag"), String.valueOf(headers.toArray().length).getBytes(StandardCharsets.UTF_8));
            context.forward(record.withHeaders(headers));
        }
    }

    private static final class Routing implements Processor<String, String, String, String> {
        private final Op op;
        private ProcessorContext<String, String> context;

        Routing(final Op op) {
            this.op = op;
        }

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
        }

        @Override
        public void process(final Record<String, String> record) {
            switch ((int) (Functions.hash(record.key(), record.value()) % 3)) {
                case 0 -> context.forward(record, op.text("left"));
                case 1 -> context.forward(record, op.text("right"));
                default -> context.forward(record);
            }
        }
    }

    private static final class KeptKey implements FixedKeyProcessor<String, String, String> {
        private final Op op;
        private FixedKeyProcessorContext<String, String> context;
        private TimestampedKeyValueStore<String, String> store;

        KeptKey(final Op op) {
            this.op = op;
        }

        @Override
        public void init(final FixedKeyProcessorContext<String, String> processorContext) {
            context = processorContext;
            store = context.getStateStore(op.text("store"));
            context.schedule(Duration.ofMillis(op.number("every")), PunctuationType.STREAM_TIME,
                now -> store.put("at", ValueAndTimestamp.make(String.valueOf(now), Math.max(0, now))));
        }

        @Override
        public void process(final FixedKeyRecord<String, String> record) {
            final String key = Functions.shown(record.key());
            final ValueAndTimestamp<String> row = store.get(key);
            final String before = row == null ? "first" : row.value();
            store.put(key, ValueAndTimestamp.make(Functions.shown(record.value()), record.timestamp()));
            if (Functions.makesNull(op, record.key(), record.value())) {
                context.forward(record.withValue(null));
                return;
            }
            final String told = Functions.bounded(before + ">" + Functions.shown(record.value()));
            context.forward(record.withValue(told).withTimestamp(record.timestamp() + 1));
        }
    }
}
