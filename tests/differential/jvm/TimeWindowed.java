import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.WindowStore;

/** Tumbling and hopping windows, and streams and tables of windowed keys; twin of time_windows.cc. */
final class TimeWindowed {
    private TimeWindowed() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("grouped.tumbling", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(windows(op));
        });
        kinds.put("grouped.hopping", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(windows(op).advanceBy(Duration.ofMillis(op.number("advance"))));
        });
        kinds.put("grouped.unlimited", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(UnlimitedWindows.of().startOn(Instant.ofEpochMilli(op.number("start"))));
        });
        kinds.put("timeWindowed.count", (graph, op) -> {
            final TimeWindowedKStream<String, String> in = graph.input(op);
            final var store = Graph.<Long, WindowStore<Bytes, byte[]>>materialized(op, Serdes.Long());
            final KTable<Windowed<String>, Long> table;
            if (op.flag("bare")) {
                table = op.has("name") ? in.count(Graph.named(op)) : in.count();
            } else {
                table = op.has("name") ? in.count(Graph.named(op), store) : in.count(store);
            }
            return table.mapValues(count -> "n" + count);
        });
        kinds.put("timeWindowed.reduce", (graph, op) -> {
            final TimeWindowedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, WindowStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.reduce((a, v) -> Functions.added(op, null, v, a), Graph.named(op), store)
                : in.reduce((a, v) -> Functions.added(op, null, v, a), store);
        });
        kinds.put("timeWindowed.aggregate", (graph, op) -> {
            final TimeWindowedKStream<String, String> in = graph.input(op);
            final var store = Graph.<String, WindowStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name")
                ? in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), Graph.named(op), store)
                : in.aggregate(() -> "0", (k, v, a) -> Functions.added(op, k, v, a), store);
        });
        kinds.put("windowedTable.filter", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.filter((k, v) -> Functions.chosen(op, shown(k), v), Graph.named(op))
                : in.filter((k, v) -> Functions.chosen(op, shown(k), v));
        });
        kinds.put("windowedTable.mapValues", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.mapValues((k, v) -> Functions.mapped(op, shown(k), v), Graph.named(op))
                : in.mapValues((k, v) -> Functions.mapped(op, shown(k), v));
        });
        kinds.put("windowedTable.toStream", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.toStream(Graph.named(op)) : in.toStream();
        });
        kinds.put("windowedStream.selectKey", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            return op.has("name") ? in.selectKey((k, v) -> shown(k), Graph.named(op)) : in.selectKey((k, v) -> shown(k));
        });
        kinds.put("windowedStream.to", (graph, op) -> {
            final KStream<Windowed<String>, String> in = graph.input(op);
            in.to(op.text("topic"), Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 1000), Serdes.String()));
            return null;
        });
    }

    static String shown(final Windowed<String> key) {
        return key.key() + "@" + key.window().start() + "/" + key.window().end();
    }

    static TimeWindows windows(final Op op) {
        return TimeWindows.ofSizeAndGrace(Duration.ofMillis(op.number("size")), Duration.ofMillis(op.number("grace")));
    }
}
