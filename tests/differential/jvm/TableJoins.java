import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueStore;

/** Joins of tables by key; twin of table_joins.cc. */
final class TableJoins {
    private TableJoins() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("table.join", (graph, op) -> {
            final KTable<String, String> left = graph.input(op, 0);
            final KTable<String, String> right = graph.input(op, 1);
            if (op.flag("materialized")) {
                return op.has("name") ? left.join(right, joiner(op), Graph.named(op), store(op)) : left.join(right, joiner(op), store(op));
            }
            return op.has("name") ? left.join(right, joiner(op), Graph.named(op)) : left.join(right, joiner(op));
        });
        kinds.put("table.leftJoin", (graph, op) -> {
            final KTable<String, String> left = graph.input(op, 0);
            final KTable<String, String> right = graph.input(op, 1);
            if (op.flag("materialized")) {
                return op.has("name") ? left.leftJoin(right, joiner(op), Graph.named(op), store(op))
                    : left.leftJoin(right, joiner(op), store(op));
            }
            return op.has("name") ? left.leftJoin(right, joiner(op), Graph.named(op)) : left.leftJoin(right, joiner(op));
        });
        kinds.put("table.outerJoin", (graph, op) -> {
            final KTable<String, String> left = graph.input(op, 0);
            final KTable<String, String> right = graph.input(op, 1);
            if (op.flag("materialized")) {
                return op.has("name") ? left.outerJoin(right, joiner(op), Graph.named(op), store(op))
                    : left.outerJoin(right, joiner(op), store(op));
            }
            return op.has("name") ? left.outerJoin(right, joiner(op), Graph.named(op)) : left.outerJoin(right, joiner(op));
        });
        kinds.put("windowedTable.join", (graph, op) -> {
            final KTable<Windowed<String>, String> left = graph.input(op, 0);
            final KTable<Windowed<String>, String> right = graph.input(op, 1);
            return op.has("name") ? left.join(right, joiner(op), Graph.named(op)) : left.join(right, joiner(op));
        });
        kinds.put("windowedTable.outerJoin", (graph, op) -> {
            final KTable<Windowed<String>, String> left = graph.input(op, 0);
            final KTable<Windowed<String>, String> right = graph.input(op, 1);
            return op.has("name") ? left.outerJoin(right, joiner(op), Graph.named(op)) : left.outerJoin(right, joiner(op));
        });
    }

    private static ValueJoiner<String, String, String> joiner(final Op op) {
        return (v, o) -> Functions.joined(op, v, o);
    }

    private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> store(final Op op) {
        return Graph.materialized(op, Serdes.String());
    }
}
