import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.state.KeyValueStore;

/** Grouping, and aggregates per key; twin of aggregates.cc. */
final class Aggregates {
    private Aggregates() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("stream.groupByKey", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.groupByKey(grouped(op)) : in.groupByKey();
        });
        kinds.put("stream.groupBy", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.groupBy((k, v) -> Functions.selected(op, k, v), grouped(op))
                : in.groupBy((k, v) -> Functions.selected(op, k, v));
        });
        kinds.put("grouped.count", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            final var store = Graph.<Long, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.Long());
            final KTable<String, Long> table;
            if (op.flag("bare")) {
                table = op.has("name") ? in.count(Graph.named(op)) : in.count();
            } else {
                table = op.has("name") ? in.count(Graph.named(op), store) : in.count(store);
            }
            return table.mapValues(count -> "n" + count);
        });
        kinds.put("grouped.reduce", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.reduce((a, v) -> Functions.added(op, null, v, a), Graph.named(op), store)
                : in.reduce((a, v) -> Functions.added(op, null, v, a), store);
        });
        kinds.put("grouped.aggregate", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name")
                ? in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), Graph.named(op), store)
                : in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), store);
        });
    }

    static Grouped<String, String> grouped(final Op op) {
        return Grouped.as(op.text("name"));
    }
}
