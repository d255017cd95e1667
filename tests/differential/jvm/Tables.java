import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.state.KeyValueStore;

/** Tables without stores of their own, and the stream-table join; twin of tables.cc. */
final class Tables {
    private Tables() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("table", (graph, op) -> graph.builder.<String, String>table(op.text("topic"), Stateless.consumed(op),
            Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String())));
        kinds.put("table.filter", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return op.has("name") ? in.filter((k, v) -> Functions.chosen(op, k, v), Graph.named(op))
                : in.filter((k, v) -> Functions.chosen(op, k, v));
        });
        kinds.put("table.filterNot", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return op.has("name") ? in.filterNot((k, v) -> Functions.chosen(op, k, v), Graph.named(op))
                : in.filterNot((k, v) -> Functions.chosen(op, k, v));
        });
        kinds.put("table.mapValues", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return op.has("name") ? in.mapValues((k, v) -> Functions.mapped(op, k, v), Graph.named(op))
                : in.mapValues((k, v) -> Functions.mapped(op, k, v));
        });
        kinds.put("table.toStream", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return op.has("name") ? in.toStream(Graph.named(op)) : in.toStream();
        });
        kinds.put("stream.joinTable", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op, 0);
            final KTable<String, String> table = graph.input(op, 1);
            return op.has("name") ? stream.join(table, (v, t) -> Functions.joined(op, v, t), joined(op))
                : stream.join(table, (v, t) -> Functions.joined(op, v, t));
        });
        kinds.put("stream.leftJoinTable", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op, 0);
            final KTable<String, String> table = graph.input(op, 1);
            return op.has("name") ? stream.leftJoin(table, (v, t) -> Functions.joined(op, v, t), joined(op))
                : stream.leftJoin(table, (v, t) -> Functions.joined(op, v, t));
        });
    }

    private static Joined<String, String, String> joined(final Op op) {
        return Joined.as(op.text("name"));
    }
}
