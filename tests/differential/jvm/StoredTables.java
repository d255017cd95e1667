import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.ValueTransformerWithKeySupplier;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;

/** Tables with stores of their own, and the ways from streams to tables and back; twin of stored_tables.cc. */
final class StoredTables {
    private StoredTables() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("table.filterStored", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.filter((k, v) -> Functions.chosen(op, k, v), Graph.named(op), store)
                : in.filter((k, v) -> Functions.chosen(op, k, v), store);
        });
        kinds.put("table.filterNotStored", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.filterNot((k, v) -> Functions.chosen(op, k, v), Graph.named(op), store)
                : in.filterNot((k, v) -> Functions.chosen(op, k, v), store);
        });
        kinds.put("table.mapValuesStored", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.mapValues((k, v) -> Functions.mapped(op, k, v), Graph.named(op), store)
                : in.mapValues((k, v) -> Functions.mapped(op, k, v), store);
        });
        kinds.put("table.transformValues", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            final ValueTransformerWithKeySupplier<String, String, String> supplier = () -> new Mapping(op);
            if (op.flag("stored")) {
                final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
                return op.has("name") ? in.transformValues(supplier, store, Graph.named(op)) : in.transformValues(supplier, store);
            }
            return op.has("name") ? in.transformValues(supplier, Graph.named(op)) : in.transformValues(supplier);
        });
        kinds.put("table.toStreamByKey", (graph, op) -> {
            final KTable<String, String> in = graph.input(op);
            return op.has("name") ? in.toStream((k, v) -> Functions.selected(op, k, v), Graph.named(op))
                : in.toStream((k, v) -> Functions.selected(op, k, v));
        });
        kinds.put("stream.toTable", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            final var store = Graph.<String, KeyValueStore<Bytes, byte[]>>materialized(op, Serdes.String());
            return op.has("name") ? in.toTable(Graph.named(op), store) : in.toTable(store);
        });
    }

    private static final class Mapping implements ValueTransformerWithKey<String, String, String> {
        private final Op op;

        Mapping(final Op op) {
            this.op = op;
        }

        @Override
        public void init(final ProcessorContext context) {
        }

        @Override
        public String transform(final String key, final String value) {
            return Functions.mapped(op, key, value);
        }

        @Override
        public void close() {
        }
    }
}
