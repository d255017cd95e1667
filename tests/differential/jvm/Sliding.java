import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.SlidingWindows;

/** Sliding windows; twin of sliding.cc. They are aggregated as time windows are. */
final class Sliding {
    private Sliding() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("grouped.sliding", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(windows(op));
        });
        kinds.put("slidingWindowed.count", kinds.get("timeWindowed.count"));
        kinds.put("slidingWindowed.reduce", kinds.get("timeWindowed.reduce"));
        kinds.put("slidingWindowed.aggregate", kinds.get("timeWindowed.aggregate"));
    }

    static SlidingWindows windows(final Op op) {
        return SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(op.number("difference")), Duration.ofMillis(op.number("grace")));
    }
}
