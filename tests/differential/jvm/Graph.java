import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.processor.StateStore;

/** The topology of a case while it is built: what each operator made, by its id. */
final class Graph {
    /** Builds one kind of operator; the result is what later operators take as input, or null. */
    interface Builder {
        Object build(Graph graph, Op op);
    }

    final StreamsBuilder builder = new StreamsBuilder();
    private final Map<Integer, Object> made = new HashMap<>();
    private final Map<String, Builder> builders;

    Graph(final Map<String, Builder> builders) {
        this.builders = builders;
    }

    void add(final Op op) {
        final Builder kind = builders.get(op.kind);
        if (kind == null) {
            throw new IllegalArgumentException("no operator is called " + op.kind);
        }
        made.put(op.id, kind.build(this, op));
    }

    @SuppressWarnings("unchecked")
    <T> T input(final Op op, final int index) {
        return (T) made.get(op.inputs.get(index));
    }

    <T> T input(final Op op) {
        return input(op, 0);
    }

    /** Null when the operator has no name. */
    static Named named(final Op op) {
        return op.has("name") ? Named.as(op.text("name")) : null;
    }

    /** The arguments store=, cached=, logged=, memory= and retention= of an operator with a store. */
    static <V, S extends StateStore> Materialized<String, V, S> materialized(final Op op, final Serde<V> values) {
        Materialized<String, V, S> result = op.has("store") ? Materialized.as(op.text("store")) : Materialized.with(null, null);
        result = result.withKeySerde(Serdes.String()).withValueSerde(values);
        result = op.flag("cached") ? result.withCachingEnabled() : result.withCachingDisabled();
        if (op.has("logged") && !op.flag("logged")) {
            result = result.withLoggingDisabled();
        }
        if (op.flag("memory")) {
            result = result.withStoreType(Materialized.StoreType.IN_MEMORY);
        }
        if (op.has("retention")) {
            result = result.withRetention(Duration.ofMillis(op.number("retention")));
        }
        return result;
    }
}
