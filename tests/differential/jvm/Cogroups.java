import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/** Several grouped streams in one aggregate; twin of cogroups.cc. */
final class Cogroups {
    private static final Initializer<String> BEGIN = () -> "0";

    private Cogroups() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("grouped.cogroup", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.cogroup(adder(op));
        });
        kinds.put("cogrouped.cogroup", (graph, op) -> {
            final CogroupedKStream<String, String> in = graph.input(op, 0);
            final KGroupedStream<String, String> other = graph.input(op, 1);
            return in.cogroup(other, adder(op));
        });
        kinds.put("cogrouped.aggregate", (graph, op) -> {
            final CogroupedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.aggregate(BEGIN, Graph.named(op), store) : in.aggregate(BEGIN, store);
        });
        kinds.put("cogrouped.windows", (graph, op) -> {
            final CogroupedKStream<String, String> in = graph.input(op);
            final TimeWindows windows = TimeWindowed.windows(op).advanceBy(Duration.ofMillis(op.number("advance")));
            final var store = Graph.<String, WindowStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.windowedBy(windows).aggregate(BEGIN, Graph.named(op), store)
                : in.windowedBy(windows).aggregate(BEGIN, store);
        });
        kinds.put("cogrouped.sliding", (graph, op) -> {
            final CogroupedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, WindowStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.windowedBy(Sliding.windows(op)).aggregate(BEGIN, Graph.named(op), store)
                : in.windowedBy(Sliding.windows(op)).aggregate(BEGIN, store);
        });
        kinds.put("cogrouped.sessions", (graph, op) -> {
            final CogroupedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, SessionStore<Bytes, byte[]>>materialized(op, Serdes.String());
            final Merger<String, String> merger = (k, a, b) -> Functions.bounded(a + "&" + b);
            return op.has("name") ? in.windowedBy(Sessions.windows(op)).aggregate(BEGIN, merger, Graph.named(op), store)
                : in.windowedBy(Sessions.windows(op)).aggregate(BEGIN, merger, store);
        });
    }

    private static Aggregator<String, String, String> adder(final Op op) {
        return (k, v, a) -> Functions.added(op, k, op.text("tag") + Functions.shown(v), a);
    }
}
