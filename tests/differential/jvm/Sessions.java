import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.SessionStore;

/** Session windows, and streams and tables of their keys; twin of sessions.cc. */
final class Sessions {
    private Sessions() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("grouped.sessions", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(windows(op));
        });
        kinds.put("sessionWindowed.count", (graph, op) -> {
            final SessionWindowedKStream<String, String> in = graph.input(op);
            final var store = Graph.<Long, SessionStore<Bytes, byte[]>>materialized(op, Serdes.Long());
            final KTable<Windowed<String>, Long> table = op.has("name") ? in.count(Graph.named(op), store) : in.count(store);
            return table.mapValues(count -> "n" + count);
        });
        kinds.put("sessionWindowed.reduce", (graph, op) -> {
            final SessionWindowedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, SessionStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.reduce((a, v) -> Functions.added(op, null, v, a), Graph.named(op), store)
                : in.reduce((a, v) -> Functions.added(op, null, v, a), store);
        });
        kinds.put("sessionWindowed.aggregate", (graph, op) -> {
            final SessionWindowedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, SessionStore<Bytes, byte[]>>materialized(op, Serdes.String());
            final Merger<String, String> merger = (k, a, b) -> Functions.bounded(a + "&" + b);
            return op.has("name")
                ? in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), merger, Graph.named(op), store)
                : in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), merger, store);
        });
        kinds.put("sessionTable.filter", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.filter((k, v) -> Functions.chosen(op, TimeWindowed.shown(k), v), Graph.named(op))
                : in.filter((k, v) -> Functions.chosen(op, TimeWindowed.shown(k), v));
        });
        kinds.put("sessionTable.mapValues", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.mapValues((k, v) -> Functions.mapped(op, TimeWindowed.shown(k), v), Graph.named(op))
                : in.mapValues((k, v) -> Functions.mapped(op, TimeWindowed.shown(k), v));
        });
        kinds.put("sessionTable.toStream", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.toStream(Graph.named(op)) : in.toStream();
        });
        kinds.put("sessionStream.selectKey", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.selectKey((k, v) -> TimeWindowed.shown(k), Graph.named(op))
                : in.selectKey((k, v) -> TimeWindowed.shown(k));
        });
        kinds.put("sessionStream.to", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            if (op.flag("inherited")) {
                in.to(op.text("topic"));
            } else {
                in.to(op.text("topic"), Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), Serdes.String()));
            }
            return null;
        });
    }

    static SessionWindows windows(final Op op) {
        return SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(op.number("gap")), Duration.ofMillis(op.number("grace")));
    }
}
