import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueJoinerWithKey;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** Joins of two streams; twin of joins.cc. */
final class Joins {
    private Joins() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("stream.join", (graph, op) -> {
            final KStream<String, String> left = graph.input(op, 0);
            final KStream<String, String> right = graph.input(op, 1);
            return op.flag("keyed") ? left.join(right, keyed(op), windows(op), joined(op))
                : left.join(right, plain(op), windows(op), joined(op));
        });
        kinds.put("stream.leftJoin", (graph, op) -> {
            final KStream<String, String> left = graph.input(op, 0);
            final KStream<String, String> right = graph.input(op, 1);
            return op.flag("keyed") ? left.leftJoin(right, keyed(op), windows(op), joined(op))
                : left.leftJoin(right, plain(op), windows(op), joined(op));
        });
        kinds.put("stream.outerJoin", (graph, op) -> {
            final KStream<String, String> left = graph.input(op, 0);
            final KStream<String, String> right = graph.input(op, 1);
            return op.flag("keyed") ? left.outerJoin(right, keyed(op), windows(op), joined(op))
                : left.outerJoin(right, plain(op), windows(op), joined(op));
        });
    }

    private static ValueJoiner<String, String, String> plain(final Op op) {
        return (a, b) -> Functions.joined(op, a, b);
    }

    /** The key is shown where the joiner gets it. */
    private static ValueJoinerWithKey<String, String, String, String> keyed(final Op op) {
        return (k, a, b) -> Functions.joined(op, Functions.shown(k) + ":" + Functions.shown(a), b);
    }

    @SuppressWarnings("deprecation")
    private static JoinWindows windows(final Op op) {
        final Duration grace = Duration.ofMillis(op.number("grace"));
        return (op.flag("eager") ? JoinWindows.of(Duration.ZERO).grace(grace)
            : JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, grace))
            .after(Duration.ofMillis(op.number("after")))
            .before(Duration.ofMillis(op.number("before")));
    }

    private static StreamJoined<String, String, String> joined(final Op op) {
        StreamJoined<String, String, String> joined = StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String());
        if (op.has("name")) {
            joined = joined.withName(op.text("name"));
        }
        if (op.has("store")) {
            joined = joined.withStoreName(op.text("store"));
        }
        if (op.flag("memory")) {
            joined = joined.withDslStoreSuppliers(BuiltInDslStoreSuppliers.IN_MEMORY);
        }
        if (op.has("logged") && !op.flag("logged")) {
            joined = joined.withLoggingDisabled();
        }
        return joined;
    }
}
