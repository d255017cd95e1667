import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.KGroupedStream;

/** Windows of all kinds that are shown when they close; twin of on_close.cc. They are aggregated as other windows are. */
final class OnClose {
    private OnClose() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("grouped.tumblingOnClose", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(TimeWindowed.windows(op)).emitStrategy(EmitStrategy.onWindowClose());
        });
        kinds.put("grouped.hoppingOnClose", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(TimeWindowed.windows(op).advanceBy(Duration.ofMillis(op.number("advance"))))
                .emitStrategy(EmitStrategy.onWindowClose());
        });
        kinds.put("grouped.slidingOnClose", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(Sliding.windows(op)).emitStrategy(EmitStrategy.onWindowClose());
        });
        kinds.put("grouped.sessionsOnClose", (graph, op) -> {
            final KGroupedStream<String, String> in = graph.input(op);
            return in.windowedBy(Sessions.windows(op)).emitStrategy(EmitStrategy.onWindowClose());
        });
        for (final String method : new String[] {"count", "reduce", "aggregate"}) {
            kinds.put("timeOnClose." + method, kinds.get("timeWindowed." + method));
        }
        for (final String method : new String[] {"count", "aggregate"}) {
            kinds.put("slidingOnClose." + method, kinds.get("timeWindowed." + method));
            kinds.put("sessionOnClose." + method, kinds.get("sessionWindowed." + method));
        }
    }
}
