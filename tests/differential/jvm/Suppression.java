import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.Windowed;

/** Suppression; twin of suppress.cc. */
final class Suppression {
    private Suppression() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("table.suppress", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return in.suppress(Suppression.<String>untilTimeLimit(op));
        });
        kinds.put("windowedTable.suppressUntilTimeLimit", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            return in.suppress(Suppression.<Windowed<String>>untilTimeLimit(op));
        });
        kinds.put("windowedTable.suppressUntilWindowCloses", (graph, op) -> {
            final KTable<Windowed<String>, String> in = graph.input(op);
            final Suppressed<Windowed<?>> suppressed = Suppressed.untilWindowCloses(bounded(op, BufferConfig.unbounded()));
            return in.suppress(op.has("name") ? suppressed.withName(op.text("name")) : suppressed);
        });
    }

    private static <K> Suppressed<K> untilTimeLimit(final Op op) {
        final var eager = bounded(op, BufferConfig.maxRecords(Long.MAX_VALUE));
        final Duration limit = Duration.ofMillis(op.number("limit"));
        final Suppressed<K> suppressed = op.flag("strict") ? Suppressed.untilTimeLimit(limit, eager.shutDownWhenFull())
            : Suppressed.untilTimeLimit(limit, eager);
        return op.has("name") ? suppressed.withName(op.text("name")) : suppressed;
    }

    private static <C extends BufferConfig<C>> C bounded(final Op op, final C config) {
        C result = config;
        if (op.has("records")) {
            result = result.withMaxRecords(op.number("records"));
        }
        if (op.has("bytes")) {
            result = result.withMaxBytes(op.number("bytes"));
        }
        if (op.has("logged") && !op.flag("logged")) {
            result = result.withLoggingDisabled();
        }
        return result;
    }
}
