import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp;

/** Operators on streams that keep nothing; twin of stateless.cc. */
final class Stateless {
    private Stateless() {
    }

    static void register(final Map<String, Graph.Builder> kinds) {
        kinds.put("stream", (graph, op) -> {
            final List<String> topics = Arrays.asList(op.text("topics").split(","));
            return graph.builder.<String, String>stream(topics, consumed(op));
        });
        kinds.put("stream.filter", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.filter((k, v) -> Functions.chosen(op, k, v), Graph.named(op))
                : in.filter((k, v) -> Functions.chosen(op, k, v));
        });
        kinds.put("stream.filterNot", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.filterNot((k, v) -> Functions.chosen(op, k, v), Graph.named(op))
                : in.filterNot((k, v) -> Functions.chosen(op, k, v));
        });
        kinds.put("stream.mapValues", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.mapValues((k, v) -> Functions.mapped(op, k, v), Graph.named(op))
                : in.mapValues((k, v) -> Functions.mapped(op, k, v));
        });
        kinds.put("stream.map", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.map((k, v) -> pair(op, k, v), Graph.named(op)) : in.map((k, v) -> pair(op, k, v));
        });
        kinds.put("stream.selectKey", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.selectKey((k, v) -> Functions.selected(op, k, v), Graph.named(op))
                : in.selectKey((k, v) -> Functions.selected(op, k, v));
        });
        kinds.put("stream.flatMapValues", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.flatMapValues((k, v) -> values(op, k, v), Graph.named(op))
                : in.flatMapValues((k, v) -> values(op, k, v));
        });
        kinds.put("stream.flatMap", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.flatMap((k, v) -> pairs(op, k, v), Graph.named(op)) : in.flatMap((k, v) -> pairs(op, k, v));
        });
        kinds.put("stream.peek", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.peek((k, v) -> { }, Graph.named(op)) : in.peek((k, v) -> { });
        });
        kinds.put("stream.foreach", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            if (op.has("name")) {
                in.foreach((k, v) -> { }, Graph.named(op));
            } else {
                in.foreach((k, v) -> { });
            }
            return null;
        });
        kinds.put("stream.merge", (graph, op) -> {
            final KStream<String, String> left = graph.input(op, 0);
            final KStream<String, String> right = graph.input(op, 1);
            return op.has("name") ? left.merge(right, Graph.named(op)) : left.merge(right);
        });
        kinds.put("stream.split", Stateless::split);
        kinds.put("branches.arm", (graph, op) -> {
            final List<KStream<String, String>> arms = graph.input(op);
            return arms.get(op.number("index"));
        });
        kinds.put("stream.repartition", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            return op.has("name") ? in.repartition(Repartitioned.as(op.text("name"))) : in.repartition();
        });
        kinds.put("stream.to", (graph, op) -> {
            final KStream<String, String> in = graph.input(op);
            if (op.has("name")) {
                in.to(op.text("topic"), Produced.as(op.text("name")));
            } else {
                in.to(op.text("topic"));
            }
            return null;
        });
    }

    static Consumed<String, String> consumed(final Op op) {
        Consumed<String, String> consumed = op.has("name") ? Consumed.as(op.text("name")) : Consumed.with(null, null);
        if (op.has("bad")) {
            consumed = consumed.withValueSerde(Surface.picky(op.number("bad")));
        }
        return switch (String.valueOf(op.textOrNull("extractor"))) {
            case "moved" -> consumed.withTimestampExtractor(new Surface.MovedTime());
            case "partition" -> consumed.withTimestampExtractor(new UsePartitionTimeOnInvalidTimestamp());
            default -> consumed;
        };
    }

    private static KeyValue<String, String> pair(final Op op, final String key, final String value) {
        return KeyValue.pair(Functions.selected(op, key, value), Functions.mapped(op, key, value));
    }

    private static List<String> values(final Op op, final String key, final String value) {
        final List<String> values = new ArrayList<>();
        final long count = Functions.hash(key, value) % (op.number("n") + 1);
        for (int i = 0; i < count; i++) {
            values.add(Functions.mapped(op, key, Functions.shown(value) + i));
        }
        return values;
    }

    private static List<KeyValue<String, String>> pairs(final Op op, final String key, final String value) {
        final List<KeyValue<String, String>> pairs = new ArrayList<>();
        final long count = Functions.hash(key, value) % (op.number("n") + 1);
        for (int i = 0; i < count; i++) {
            pairs.add(pair(op, key, Functions.shown(value) + i));
        }
        return pairs;
    }

    private static Object split(final Graph graph, final Op op) {
        final KStream<String, String> in = graph.input(op);
        BranchedKStream<String, String> branched = op.has("name") ? in.split(Graph.named(op)) : in.split();
        final List<KStream<String, String>> arms = new ArrayList<>();
        final int count = op.number("arms");
        for (int i = 0; i < count; i++) {
            arms.add(null);
            final int arm = i;
            final Branched<String, String> branch = Branched.withConsumer(stream -> arms.set(arm, stream), "-arm" + i);
            if (i == count - 1 && op.flag("default")) {
                branched.defaultBranch(branch);
                return arms;
            }
            branched = branched.branch((k, v) -> Functions.hash(Functions.shown(k) + arm, v) % op.number("n") == 0, branch);
        }
        branched.noDefaultBranch();
        return arms;
    }
}
