import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueJoinerWithKey;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** Global tables and stores, and joins of streams with them; twin of globals.cc. */
final class Globals {
    private Globals() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("globalTable", (graph, op) -> op.has("store")
            ? graph.builder.<String, String>globalTable(op.text("topic"), Stateless.consumed(op),
                Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String()))
            : graph.builder.<String, String>globalTable(op.text("topic"), Stateless.consumed(op)));
        kinds.put("stream.joinGlobalTable", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op, 0);
            final GlobalKTable<String, String> table = graph.input(op, 1);
            if (op.has("name")) {
                return op.flag("keyed") ? stream.join(table, mapper(op), keyed(op), Graph.named(op))
                    : stream.join(table, mapper(op), plain(op), Graph.named(op));
            }
            return op.flag("keyed") ? stream.join(table, mapper(op), keyed(op)) : stream.join(table, mapper(op), plain(op));
        });
        kinds.put("stream.leftJoinGlobalTable", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op, 0);
            final GlobalKTable<String, String> table = graph.input(op, 1);
            if (op.has("name")) {
                return op.flag("keyed") ? stream.leftJoin(table, mapper(op), keyed(op), Graph.named(op))
                    : stream.leftJoin(table, mapper(op), plain(op), Graph.named(op));
            }
            return op.flag("keyed") ? stream.leftJoin(table, mapper(op), keyed(op)) : stream.leftJoin(table, mapper(op), plain(op));
        });
        kinds.put("stream.readGlobalStore", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op);
            final String store = op.text("store");
            StoreBuilder<TimestampedKeyValueStore<String, String>> builder =
                Stores.timestampedKeyValueStoreBuilder(Stores.persistentTimestampedKeyValueStore(store), Serdes.String(), Serdes.String());
            if (op.flag("cached")) {
                builder = builder.withCachingEnabled();
            }
            Consumed<String, String> consumed = Consumed.with(Serdes.String(), Serdes.String());
            if (op.has("name")) {
                consumed = consumed.withName(op.text("name") + "-keeper");
            }
            graph.builder.addGlobalStore(builder, op.text("topic"), consumed, () -> new Keeper(store));
            return op.has("name") ? stream.process(() -> new Reader(store), Graph.named(op)) : stream.process(() -> new Reader(store));
        });
    }

    /** The table's key of a record: its key, its value, or none for some records. */
    private static KeyValueMapper<String, String, String> mapper(final Op op) {
        return (k, v) -> {
            if (v == null) {
                return null;
            }
            if (op.text("by").equals("value")) {
                return v;
            }
            return k == null || op.text("by").equals("some") && Functions.chosen(op, k, v) ? null : k;
        };
    }

    private static ValueJoiner<String, String, String> plain(final Op op) {
        return (v, t) -> Functions.joined(op, v, t);
    }

    private static ValueJoinerWithKey<String, String, String, String> keyed(final Op op) {
        return (k, v, t) -> Functions.joined(op, Functions.shown(k) + ":" + Functions.shown(v), t);
    }

    /** Keeps the values of a topic under their keys, marked; what has no key is not kept. */
    private static final class Keeper extends ContextualProcessor<String, String, Void, Void> {
        private final String name;
        private TimestampedKeyValueStore<String, String> store;

        Keeper(final String name) {
            this.name = name;
        }

        @Override
        public void init(final ProcessorContext<Void, Void> context) {
            store = context.getStateStore(name);
        }

        @Override
        public void process(final Record<String, String> record) {
            if (record.key() != null) {
                store.put(record.key(), record.value() == null ? null
                    : ValueAndTimestamp.make("<" + record.value() + ">", record.timestamp()));
            }
        }
    }

    /** Puts the row that a global store has for the key beside the value. */
    private static final class Reader extends ContextualProcessor<String, String, String, String> {
        private final String name;
        private TimestampedKeyValueStore<String, String> store;

        Reader(final String name) {
            this.name = name;
        }

        @Override
        public void init(final ProcessorContext<String, String> context) {
            super.init(context);
            store = context.getStateStore(name);
        }

        @Override
        public void process(final Record<String, String> record) {
            final ValueAndTimestamp<String> row = record.key() == null ? null : store.get(record.key());
            context().forward(record.withValue(Functions.bounded(
                Functions.shown(record.value()) + "|" + Functions.shown(row == null ? null : row.value()))));
        }
    }
}
