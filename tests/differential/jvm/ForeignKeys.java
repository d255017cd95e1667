import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.KeyValueStore;

/** Joins of tables over a foreign key; twin of foreign_keys.cc. */
final class ForeignKeys {
    private ForeignKeys() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("table.foreignJoin", (graph, op) -> {
            final KTable<String, String> left = graph.input(op, 0);
            final KTable<String, String> right = graph.input(op, 1);
            final ValueJoiner<String, String, String> joiner = (v, o) -> Functions.joined(op, v, o);
            if (op.has("of")) {
                final Function<String, String> of = value -> Functions.selected(op, null, value);
                if (op.flag("materialized")) {
                    final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
                    return op.has("name") ? left.join(right, of, joiner, joined(op), store) : left.join(right, of, joiner, store);
                }
                return op.has("name") ? left.join(right, of, joiner, joined(op)) : left.join(right, of, joiner);
            }
            final BiFunction<String, String, String> of = (key, value) -> Functions.selected(op, key, value);
            if (op.flag("materialized")) {
                final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
                return op.has("name") ? left.join(right, of, joiner, joined(op), store) : left.join(right, of, joiner, store);
            }
            return op.has("name") ? left.join(right, of, joiner, joined(op)) : left.join(right, of, joiner);
        });
        kinds.put("table.foreignLeftJoin", (graph, op) -> {
            final KTable<String, String> left = graph.input(op, 0);
            final KTable<String, String> right = graph.input(op, 1);
            final ValueJoiner<String, String, String> joiner = (v, o) -> Functions.joined(op, v, o);
            if (op.has("of")) {
                final Function<String, String> of = value -> Functions.selected(op, null, value);
                if (op.flag("materialized")) {
                    final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
                    return op.has("name") ? left.leftJoin(right, of, joiner, joined(op), store)
                        : left.leftJoin(right, of, joiner, store);
                }
                return op.has("name") ? left.leftJoin(right, of, joiner, joined(op)) : left.leftJoin(right, of, joiner);
            }
            final BiFunction<String, String, String> of = (key, value) -> Functions.selected(op, key, value);
            if (op.flag("materialized")) {
                final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
                return op.has("name") ? left.leftJoin(right, of, joiner, joined(op), store)
                    : left.leftJoin(right, of, joiner, store);
            }
            return op.has("name") ? left.leftJoin(right, of, joiner, joined(op)) : left.leftJoin(right, of, joiner);
        });
    }

    private static TableJoined<String, String> joined(final Op op) {
        return TableJoined.as(op.text("name"));
    }
}
