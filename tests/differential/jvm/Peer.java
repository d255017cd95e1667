import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.RawInput;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.internals.ProcessorMetadata;
import org.apache.kafka.streams.processor.internals.TopicPartitionMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ReadOnlySessionStore;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStoreWithHeaders;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.internals.WrappedStateStore;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs cases on Kafka Streams' own test driver: reads them from standard input, each ended by the line "end", and writes
 * for each a transcript of all that can be observed, ended by the line "end". README.md describes both texts.
 */
public final class Peer {
    private final Map<String, Graph.Builder> kinds = new HashMap<>();
    private final Path stateDirectory;

    private Peer(final Path stateDirectory) {
        this.stateDirectory = stateDirectory;
        Stateless.register(kinds);
        Aggregates.register(kinds);
        TimeWindowed.register(kinds);
        Tables.register(kinds);
        GroupedTables.register(kinds);
        TableJoins.register(kinds);
        Suppression.register(kinds);
        ForeignKeys.register(kinds);
        Processors.register(kinds);
        Surface.register(kinds);
        StoredTables.register(kinds);
    }

    public static void main(final String[] arguments) throws IOException {
        final Peer peer = new Peer(Path.of(arguments[0]));
        final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        List<String> lines = new ArrayList<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.equals("end")) {
                lines.add(line);
                continue;
            }
            peer.run(lines).forEach(out::println);
            out.println("end");
            out.flush();
            lines = new ArrayList<>();
        }
    }

    private List<String> run(final List<String> lines) {
        final List<String> transcript = new ArrayList<>();
        try {
            runOrThrow(lines, transcript);
        } catch (final Exception error) {
            transcript.add("failed");
            transcript.add("why " + String.valueOf(error).replace("\n", " / "));
            for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
                transcript.add("why " + String.valueOf(cause).replace("\n", " / "));
            }
        }
        return transcript;
    }

    private void runOrThrow(final List<String> lines, final List<String> transcript) {
        final Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.toString());
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        // Ours skips what has no valid time; the default of Kafka Streams stops the application.
        properties.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, LogAndSkipOnInvalidTimestamp.class);
        final Graph graph = new Graph(kinds);
        final List<String[]> events = new ArrayList<>();
        for (final String line : lines) {
            final String[] words = line.split(" ");
            switch (words[0]) {
                case "set" -> properties.put(words[1], words[2]);
                case "op" -> graph.add(new Op(words));
                case "record", "wait" -> events.add(words);
                default -> { }
            }
        }
        final Topology topology = graph.builder.build(properties);
        topology.describe().toString().lines().forEach(line -> transcript.add("topology " + line));
        try (TopologyTestDriver driver = new TopologyTestDriver(topology, properties, Instant.ofEpochMilli(0))) {
            for (final String[] event : events) {
                if (event[0].equals("wait")) {
                    driver.advanceWallClockTime(Duration.ofMillis(Long.parseLong(event[1])));
                } else {
                    RawInput.pipe(driver, event[1], record(event), Long.parseLong(event[4]));
                }
            }
            writeTopics(driver, transcript);
            writeStores(driver, transcript);
            writeOffsets(driver, transcript);
        }
    }

    private static TestRecord<String, String> record(final String[] words) {
        final RecordHeaders headers = new RecordHeaders();
        for (int i = 5; i < words.length; i++) {
            final int equals = words[i].indexOf('=');
            final String value = unquoted(words[i].substring(equals + 1));
            headers.add(words[i].substring(0, equals), value == null ? null : value.getBytes(StandardCharsets.UTF_8));
        }
        return new TestRecord<>(unquoted(words[2]), unquoted(words[3]), headers);
    }

    /** "-" is null; a text begins with an apostrophe. */
    private static String unquoted(final String word) {
        return word.equals("-") ? null : word.substring(1);
    }

    private static void writeTopics(final TopologyTestDriver driver, final List<String> transcript) {
        for (final String topic : new TreeSet<>(driver.producedTopicNames())) {
            final var output = driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            for (final TestRecord<byte[], byte[]> record : output.readRecordsToList()) {
                // Key and value of a dead letter are forgotten when another operator has written the record before; its time and
                // headers are those that the record had at the operator that failed.
                final long time = record.timestamp() == null ? -1 : record.timestamp();  // none: the producer takes the time of sending
                final String content = topic.equals("dead") ? "letter" : shown(record.key()) + " " + shown(record.value()) + " " + time;
                final StringBuilder line = new StringBuilder("record " + topic + " " + content);
                for (final Header header : record.headers()) {
                    if (topic.equals("dead") && said(header)) {
                        continue;
                    }
                    line.append(' ').append(header.key()).append('=').append(said(header) ? shown(header.value()) : "said");
                }
                transcript.add(line.toString());
            }
        }
    }

    /** Whether a header has the same value on both sides: exceptions are described differently. */
    private static boolean said(final Header header) {
        return !header.key().startsWith("__streams.errors.");
    }

    private static void writeStores(final TopologyTestDriver driver, final List<String> transcript) {
        for (final Map.Entry<String, StateStore> entry : new TreeMap<>(driver.getAllStateStores()).entrySet()) {
            final String begin = "store " + entry.getKey() + " ";
            final List<String> rows = new ArrayList<>();
            if (entry.getValue() instanceof TimestampedKeyValueStoreWithHeaders<?, ?>) {
                continue;  // subscriptions of a foreign-key join: seen in their changelog only
            }
            if (entry.getValue() instanceof ReadOnlyKeyValueStore<?, ?> store) {
                try (KeyValueIterator<?, ?> all = store.all()) {
                    while (all.hasNext()) {
                        rows.add(begin + row(all.next()));
                    }
                }
            } else if (withoutCache(entry.getValue()) instanceof ReadOnlyWindowStore<?, ?> store) {
                try (KeyValueIterator<?, ?> all = store.all()) {
                    while (all.hasNext()) {
                        rows.add(begin + row(all.next()));
                    }
                }
            }
            // The order of iteration is the store's own: hash order in memory.
            Collections.sort(rows);
            transcript.addAll(rows);
        }
    }

    /** What is below a cache: the cache shows windows that have left the retention for as long as it happens to hold them. */
    private static StateStore withoutCache(final StateStore store) {
        for (StateStore layer = store; layer instanceof WrappedStateStore<?, ?, ?> wrapper; ) {
            layer = wrapper.wrapped();
            if (wrapper.getClass().getSimpleName().startsWith("Caching")) {
                return layer;
            }
        }
        return store;
    }

    private static String row(final KeyValue<?, ?> row) {
        final StringBuilder line = new StringBuilder();
        if (row.key instanceof Windowed<?> windowed) {
            line.append(shown(bytes(windowed.key()))).append(" [").append(windowed.window().start()).append(',')
                .append(windowed.window().end()).append(')');
        } else {
            line.append(shown(bytes(row.key)));
        }
        if (row.value instanceof byte[] value) {
            // Below the typed layers: the time, then the value.
            line.append(' ').append(shown(Arrays.copyOfRange(value, Long.BYTES, value.length))).append(' ').append(ByteBuffer.wrap(value).getLong());
        } else if (row.value instanceof ValueAndTimestamp<?> value) {
            line.append(' ').append(shown(bytes(value.value()))).append(' ').append(value.timestamp());
        } else {
            line.append(' ').append(shown(bytes(row.value)));
        }
        return line.toString();
    }

    private static byte[] bytes(final Object value) {
        if (value instanceof Bytes bytes) {
            return bytes.get();
        }
        if (value instanceof Long number) {
            return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
        }
        return value == null ? null : String.valueOf(value).getBytes(StandardCharsets.UTF_8);
    }

    private static void writeOffsets(final TopologyTestDriver driver, final List<String> transcript) {
        final MockConsumer<byte[], byte[]> consumer = field(TopologyTestDriver.class, driver, "consumer");
        final Map<String, TopicPartitionMetadata> committed = new TreeMap<>();
        for (final Map.Entry<TopicPartition, OffsetAndMetadata> entry : consumer.committed(consumer.assignment()).entrySet()) {
            if (entry.getValue() != null) {
                // The driver never moves the offset itself.
                committed.put(entry.getKey().topic(), TopicPartitionMetadata.decode(entry.getValue().metadata()));
            }
        }
        committed.forEach((topic, metadata) -> {
            transcript.add("committed " + topic + " " + metadata.partitionTime());
            final Map<String, Long> times = field(ProcessorMetadata.class, metadata.processorMetadata(), "metadata");
            new TreeMap<>(times).forEach((name, time) -> transcript.add("kept " + topic + " " + name + " " + time));
        });
    }

    @SuppressWarnings("unchecked")
    private static <T> T field(final Class<?> type, final Object object, final String name) {
        try {
            final Field field = type.getDeclaredField(name);
            field.setAccessible(true);
            return (T) field.get(object);
        } catch (final ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Bytes in quotes: ASCII as it is, everything else, blanks, quotes and backslashes as \xHH. */
    private static String shown(final byte[] bytes) {
        if (bytes == null) {
            return "null";
        }
        final StringBuilder text = new StringBuilder("\"");
        for (final byte b : bytes) {
            if (b > ' ' && b < 127 && b != '"' && b != '\\') {
                text.append((char) b);
            } else {
                text.append(String.format("\\x%02x", b & 0xff));
            }
        }
        return text.append('"').toString();
    }
}
