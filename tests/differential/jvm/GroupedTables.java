import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueStore;

/** Tables grouped by another key, and their aggregates; twin of grouped_tables.cc. */
final class GroupedTables {
    private GroupedTables() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("table.groupBy", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return groupBy(op, in, (k, v) -> pair(op, k, v));
        });
        kinds.put("windowedTable.groupBy", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return groupBy(op, in, (k, v) -> pair(op, k.key() + "@" + k.window().start(), v));
        });
        kinds.put("groupedTable.count", (graph, op) -> {
            final KGroupedTable<String, String> in = graph.input(op);
            final var store = Graph.<Long, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.Long());
            final KTable<String, Long> table = op.has("name") ? in.count(Graph.named(op), store) : in.count(store);
            return table.mapValues(count -> "n" + count);
        });
        kinds.put("groupedTable.reduce", (graph, op) -> {
            final KGroupedTable<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name")
                ? in.reduce((a, v) -> Functions.added(op, null, v, a), (a, v) -> Functions.removed(op, null, v, a), Graph.named(op), store)
                : in.reduce((a, v) -> Functions.added(op, null, v, a), (a, v) -> Functions.removed(op, null, v, a), store);
        });
        kinds.put("groupedTable.aggregate", (graph, op) -> {
            final KGroupedTable<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name")
                ? in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), (k, v, a) -> Functions.removed(op, k, v, a),
                    Graph.named(op), store)
                : in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), (k, v, a) -> Functions.removed(op, k, v, a),
                    store);
        });
    }

    private static KeyValue<String, String> pair(final Op op, final String key, final String value) {
        return KeyValue.pair(Functions.selected(op, key, value), Functions.mapped(op, value, key));
    }

    private static <K> KGroupedTable<String, String> groupBy(final Op op, final KTable<K, String> in,
                                                             final KeyValueMapper<K, String, KeyValue<String, String>> selector) {
        return op.has("name") ? in.groupBy(selector, Grouped.<String, String>as(op.text("name"))) : in.groupBy(selector);
    }
}
