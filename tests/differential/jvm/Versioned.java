import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedBytesStoreSupplier;

/** Versioned tables, and joins of streams with them; twin of versioned.cc. */
final class Versioned {
    private Versioned() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("versionedTable", (graph, op) ->
            graph.builder.<String, String>table(op.text("topic"), Stateless.consumed(op), versions(op)));
        kinds.put("stream.toVersionedTable", (graph, op) -> graph.<KStream<String, String>>input(op).toTable(versions(op)));
        kinds.put("table.filterVersioned", (graph, op) ->
            graph.<KTable<String, String>>input(op).filter((k, v) -> Functions.chosen(op, k, v), versions(op)));
        kinds.put("table.mapValuesVersioned", (graph, op) ->
            graph.<KTable<String, String>>input(op).mapValues((k, v) -> Functions.mapped(op, k, v), versions(op)));
        kinds.put("versionedTable.asTable", (graph, op) -> graph.input(op));
        kinds.put("stream.joinVersionedTable", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op, 0);
            final KTable<String, String> table = graph.input(op, 1);
            return stream.join(table, (v, t) -> Functions.joined(op, v, t), joined(op));
        });
        kinds.put("stream.leftJoinVersionedTable", (graph, op) -> {
            final KStream<String, String> stream = graph.input(op, 0);
            final KTable<String, String> table = graph.input(op, 1);
            return stream.leftJoin(table, (v, t) -> Functions.joined(op, v, t), joined(op));
        });
    }

    private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> versions(final Op op) {
        final Duration history = Duration.ofMillis(op.number("history"));
        final VersionedBytesStoreSupplier supplier = op.has("segment")
            ? Stores.persistentVersionedKeyValueStore(op.text("store"), history, Duration.ofMillis(op.number("segment")))
            : Stores.persistentVersionedKeyValueStore(op.text("store"), history);
        final Materialized<String, String, KeyValueStore<Bytes, byte[]>> result =
            Materialized.<String, String>as(supplier).withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
        return op.has("logged") && !op.flag("logged") ? result.withLoggingDisabled() : result;
    }

    private static Joined<String, String, String> joined(final Op op) {
        Joined<String, String, String> joined = Joined.with(Serdes.String(), Serdes.String(), Serdes.String());
        if (op.has("name")) {
            joined = joined.withName(op.text("name"));
        }
        return op.has("grace") ? joined.withGracePeriod(Duration.ofMillis(op.number("grace"))) : joined;
    }
}
