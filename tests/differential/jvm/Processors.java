import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** The Processor API with one fixed processor; twin of processors.cc. */
final class Processors {
    private Processors() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("stream.process", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            graph.builder.addStateStore(store(op));
            return op.has("name") ? in.process(() -> new Remember(op), Graph.named(op), op.text("store"))
                : in.process(() -> new Remember(op), op.text("store"));
        });
    }

    /** The store of the arguments store=, cached=, logged= and memory=. */
    static StoreBuilder<TimestampedKeyValueStore<String, String>> store(final Op op) {
        final var supplier = op.flag("memory") ? Stores.inMemoryKeyValueStore(op.text("store"))
            : Stores.persistentTimestampedKeyValueStore(op.text("store"));
        StoreBuilder<TimestampedKeyValueStore<String, String>> store =
            Stores.timestampedKeyValueStoreBuilder(supplier, Serdes.String(), Serdes.String());
        if (op.flag("cached")) {
            store = store.withCachingEnabled();
        }
        if (op.has("logged") && !op.flag("logged")) {
            store = store.withLoggingDisabled();
        }
        return store;
    }

    /** Keeps the last value of each key, forwards it with the one before, and tells all of it at each punctuation. */
    private static final class Remember implements Processor<String, String, String, String> {
        private final Op op;
        private ProcessorContext<String, String> context;
        private TimestampedKeyValueStore<String, String> store;

        Remember(final Op op) {
            this.op = op;
        }

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
            store = context.getStateStore(op.text("store"));
            final PunctuationType type = op.flag("wall") ? PunctuationType.WALL_CLOCK_TIME : PunctuationType.STREAM_TIME;
            context.schedule(Duration.ofMillis(op.number("every")), type, this::tellAll);
        }

        @Override
        public void process(final Record<String, String> record) {
            final String key = Functions.shown(record.key());
            final ValueAndTimestamp<String> before = store.get(key);
            final String next = Functions.makesNull(op, key, record.value()) ? null : Functions.shown(record.value());
            store.put(key, ValueAndTimestamp.make(next, record.timestamp()));
            final String value = before == null ? "first" : before.value() + "@" + before.timestamp();
            context.forward(record.withKey(key).withValue(Functions.bounded(value + ">" + Functions.shown(next))));
        }

        private void tellAll(final long now) {
            final StringBuilder told = new StringBuilder();
            try (KeyValueIterator<String, ValueAndTimestamp<String>> rows = store.all()) {
                while (rows.hasNext()) {
                    final var row = rows.next();
                    told.append(row.key).append('=').append(row.value.value()).append(';');
                }
            }
            context.forward(new Record<>("at" + now, Functions.bounded(told.toString()), Math.max(0, now)));
        }
    }
}
