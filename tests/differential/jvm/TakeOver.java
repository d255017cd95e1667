import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;

/**
 * The application of take_over_test.cc on Kafka Streams: TakeOver APPLICATION INPUT_PREFIX STATE_FOLDER setting=value...
 * It prints RUNNING when it runs, and closes when its standard input ends. Its seat in the group stays
 * taken until its session is over, as by default.
 */
public final class TakeOver {
    private TakeOver() { }

    public static void main(final String[] args) throws Exception {
        final Properties settings = new Properties();
        settings.put("application.id", args[0]);
        settings.put("state.dir", args[2]);
        settings.put("default.key.serde", Serdes.StringSerde.class.getName());
        settings.put("default.value.serde", Serdes.StringSerde.class.getName());
        // Closed windows of joins are looked for at each record, not once a second.
        settings.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
        for (int i = 3; i < args.length; ++i) {
            final int at = args[i].indexOf('=');
            settings.put(args[i].substring(0, at), args[i].substring(at + 1));
        }
        final String input = args[1];
        final String output = args[0];
        final StreamsBuilder builder = new StreamsBuilder();
        final KStream<String, String> orders = builder.stream(input + "-orders", Consumed.as("orders"));
        final KTable<String, String> people = builder.table(input + "-people", Consumed.as("people"), Materialized.as("people-store"));

        orders.groupByKey(Grouped.as("by-person"))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5)))
            .count(Named.as("per-window"), Materialized.as("windows"))
            .toStream(Named.as("windows-stream"))
            .map((window, count) -> KeyValue.pair(window.key() + "@" + window.window().start(), Long.toString(count)), Named.as("shown"))
            .to(output + "-windows", Produced.as("windows-out"));
        orders.join(people, (order, person) -> order + "/" + person, Joined.as("with-people"))
            .to(output + "-enriched", Produced.as("enriched-out"));
        orders.groupBy((person, order) -> order.substring(0, 1), Grouped.as("by-letter"))
            .count(Named.as("per-letter"), Materialized.as("letters"))
            .toStream(Named.as("letters-stream"))
            .mapValues(count -> Long.toString(count), Named.as("letters-shown"))
            .to(output + "-letters", Produced.as("letters-out"));

        final KStream<String, String> calls = builder.stream(input + "-calls", Consumed.as("calls"));
        final KStream<String, String> answers = builder.stream(input + "-answers", Consumed.as("answers"));
        calls.leftJoin(answers, (call, answer) -> call + "/" + (answer == null ? "nobody" : answer),
                JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, Duration.ofSeconds(5)).after(Duration.ofMillis(250)),
                StreamJoined.<String, String, String>as("with-answers").withStoreName("answered"))
            .to(output + "-answered", Produced.as("answered-out"));

        final KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        final CountDownLatch failed = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            failed.countDown();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("RUNNING");
                System.out.flush();
            }
        });
        awaitEmptyGroup(settings);
        streams.start();
        while (System.in.read() >= 0) { }
        streams.close(Duration.ofSeconds(30));
        System.exit(failed.getCount() == 0 ? 1 : 0);
    }

    // A static member keeps its seat until its session is over, and Kafka Streams does not wait for it: it would fail at once.
    private static void awaitEmptyGroup(final Properties settings) throws Exception {
        final String group = settings.getProperty("application.id");
        final Properties client = new Properties();
        client.put("bootstrap.servers", settings.getProperty("bootstrap.servers"));
        try (Admin admin = Admin.create(client)) {
            final long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (System.nanoTime() < deadline) {
                try {
                    if (admin.describeConsumerGroups(List.of(group)).describedGroups().get(group).get().members().isEmpty()) return;
                } catch (final ExecutionException error) {
                    if (error.getCause() instanceof GroupIdNotFoundException) return;
                    throw error;
                }
                Thread.sleep(100);
            }
            throw new IllegalStateException("the group " + group + " still has members");
        }
    }
}
