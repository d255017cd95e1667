import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;

/** Streams of windowed keys that go on: groupings, tables and repartition topics of them; twin of windowed_keys.cc. */
final class WindowedKeys {
    /** What a reader of a time window's key is told, since the key does not hold its end. */
    private static final long READ_SIZE_MS = 1000;

    private WindowedKeys() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        registerKindsOf(kinds, "windowedStream", WindowedSerdes.timeWindowedSerdeFrom(String.class, READ_SIZE_MS));
        registerKindsOf(kinds, "sessionStream", WindowedSerdes.sessionWindowedSerdeFrom(String.class));
    }

    private static void registerKindsOf(final Map<String, Graph.Builder> kinds, final String name,
                                        final Serde<Windowed<String>> keys) {
        kinds.put(name + ".groupByKey", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            final KGroupedStream<Windowed<String>, String> grouped = in.groupByKey();
            final Materialized<Windowed<String>, Long, KeyValueStore<Bytes, byte[]>> store = materialized(op, Serdes.Long());
            final KTable<Windowed<String>, Long> table =
                op.has("name") ? grouped.count(Graph.named(op), store) : grouped.count(store);
            return table.mapValues(count -> "n" + count).toStream();
        });
        kinds.put(name + ".groupBy", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            final KGroupedStream<Windowed<String>, String> grouped =
                in.groupBy((k, v) -> moved(op, k, v), Grouped.with(keys, Serdes.String()));
            final Materialized<Windowed<String>, String, KeyValueStore<Bytes, byte[]>> store =
                materialized(op, Serdes.String());
            return (op.has("name") ? grouped.reduce((a, v) -> Functions.added(op, null, v, a), Graph.named(op), store)
                : grouped.reduce((a, v) -> Functions.added(op, null, v, a), store)).toStream();
        });
        kinds.put(name + ".toTable", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            final Materialized<Windowed<String>, String, KeyValueStore<Bytes, byte[]>> store =
                WindowedKeys.<String>materialized(op, Serdes.String()).withKeySerde(keys);
            return (op.has("name") ? in.toTable(Graph.named(op), store) : in.toTable(store)).toStream();
        });
        kinds.put(name + ".repartition", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            final Repartitioned<Windowed<String>, String> repartitioned = Repartitioned.with(keys, Serdes.String());
            return in.repartition(op.has("name") ? repartitioned.withName(op.text("name")) : repartitioned);
        });
    }

    /** As Graph.materialized, with the keys' serde of the stream. */
    private static <V> Materialized<Windowed<String>, V, KeyValueStore<Bytes, byte[]>> materialized(
            final Op op, final Serde<V> values) {
        Materialized<Windowed<String>, V, KeyValueStore<Bytes, byte[]>> result =
            op.has("store") ? Materialized.as(op.text("store")) : Materialized.with(null, null);
        result = result.withValueSerde(values);
        result = op.flag("cached") ? result.withCachingEnabled() : result.withCachingDisabled();
        if (op.has("logged") && !op.flag("logged")) {
            result = result.withLoggingDisabled();
        }
        return op.flag("memory") ? result.withStoreType(Materialized.StoreType.IN_MEMORY) : result;
    }

    /** The same window, another key. */
    private static Windowed<String> moved(final Op op, final Windowed<String> key, final String value) {
        final String selected = Functions.selected(op, key.key(), value);
        return new Windowed<>(selected == null ? "none" : selected, key.window());
    }
}
