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
import java.util.Set;
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
import org.apache.kafka.streams.kstream.internals.SessionWindow;
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
import org.apache.kafka.streams.state.ValueTimestampHeaders;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.internals.LeftOrRightValue;
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
        Sliding.register(kinds);
        Sessions.register(kinds);
        WindowedKeys.register(kinds);
        OnClose.register(kinds);
        Cogroups.register(kinds);
        Tables.register(kinds);
        Joins.register(kinds);
        Versioned.register(kinds);
        Globals.register(kinds);
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

    private int cases;

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
        // A folder of its own: a driver that fails to close keeps its stores locked.
        properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.resolve(Integer.toString(++cases)).toString());
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
            final Map<String, Set<String>> keys = writeTopics(driver, transcript);
            final TreeSet<Long> times = new TreeSet<>();
            for (final String[] event : events) {
                if (event[0].equals("record")) {
                    times.add(Long.parseLong(event[4]));
                }
            }
            writeStores(driver, keys, times, transcript);
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

    /** Returns the keys that were written, by topic. */
    private static Map<String, Set<String>> writeTopics(final TopologyTestDriver driver, final List<String> transcript) {
        final Map<String, Set<String>> keys = new TreeMap<>();
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
                if (record.key() != null) {
                    keys.computeIfAbsent(topic, name -> new TreeSet<>()).add(new String(record.key(), StandardCharsets.UTF_8));
                }
            }
        }
        return keys;
    }

    /** The latest version of each key that was logged, and that of each time at which there was a record. */
    private static void writeVersions(final VersionedKeyValueStore<String, ?> store, final String begin, final Set<String> keys,
                                      final TreeSet<Long> times, final List<String> rows) {
        for (final String key : keys) {
            final VersionedRecord<?> latest = store.get(key);
            if (latest != null) {
                rows.add(begin + shown(bytes(key)) + ' ' + shown(bytes(latest.value())) + ' ' + latest.timestamp());
            }
            for (final long time : times) {
                final VersionedRecord<?> version = store.get(key, time);
                if (version != null) {
                    rows.add(begin + shown(bytes(key)) + " @" + time + ' ' + shown(bytes(version.value())) + ' ' + version.timestamp());
                }
            }
        }
    }

    /** Whether a header has the same value on both sides: exceptions are described differently. */
    private static boolean said(final Header header) {
        return !header.key().startsWith("__streams.errors.");
    }

    @SuppressWarnings("unchecked")
    private static void writeStores(final TopologyTestDriver driver, final Map<String, Set<String>> keys, final TreeSet<Long> times,
                                    final List<String> transcript) {
        for (final Map.Entry<String, StateStore> entry : new TreeMap<>(driver.getAllStateStores()).entrySet()) {
            final String begin = "store " + entry.getKey() + " ";
            final List<String> rows = new ArrayList<>();
            if (entry.getValue() instanceof TimestampedKeyValueStoreWithHeaders<?, ?>) {
                continue;  // subscriptions of a foreign-key join: seen in their changelog only
            }
            if (entry.getValue() instanceof VersionedKeyValueStore<?, ?> store) {
                writeVersions((VersionedKeyValueStore<String, ?>) store, begin,
                    keys.getOrDefault("app-" + entry.getKey() + "-changelog", Set.of()), times, rows);
            } else if (entry.getValue() instanceof ReadOnlyKeyValueStore<?, ?> store) {
                try (KeyValueIterator<?, ?> all = store.all()) {
                    while (all.hasNext()) {
                        final KeyValue<?, ?> next = all.next();
                        // What the sides of a join share is seen in its changelog only.
                        if (!(next.value instanceof LeftOrRightValue)) {
                            rows.add(begin + row(KeyValue.pair(flat(next.key), next.value)));
                        }
                    }
                }
            } else if (withoutCache(entry.getValue()) instanceof ReadOnlyWindowStore<?, ?> store) {
                try (KeyValueIterator<?, ?> all = store.all()) {
                    while (all.hasNext()) {
                        rows.add(begin + row(all.next()));
                    }
                } catch (final IllegalArgumentException noTime) {
                    // A join whose windows have no length: the store cannot show them.
                    rows.clear();
                }
            }
            if (withoutCache(entry.getValue()) instanceof ReadOnlySessionStore<?, ?> store) {
                try (KeyValueIterator<?, ?> all = store.fetch(null, null)) {
                    while (all.hasNext()) {
                        rows.add(begin + session(all.next()));
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

    /** A window in the key of a key-value store as bytes: there it is a key like any other. */
    private static Object flat(final Object key) {
        if (!(key instanceof Windowed<?> windowed)) {
            return key;
        }
        final byte[] text = bytes(windowed.key());
        final ByteBuffer flat = ByteBuffer.allocate(text.length + 2 * Long.BYTES).put(text);
        if (windowed.window() instanceof SessionWindow) {
            flat.putLong(windowed.window().end());
        }
        flat.putLong(windowed.window().start());
        return Bytes.wrap(Arrays.copyOf(flat.array(), flat.position()));
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
        } else if (row.value instanceof ValueTimestampHeaders<?> value) {
            // The window stores of joins, whose time depends on whether they are in memory.
            line.append(' ').append(shown(bytes(value.value())));
        } else {
            line.append(' ').append(shown(bytes(row.value)));
        }
        return line.toString();
    }

    /** Session stores keep no time beside the value. */
    private static String session(final KeyValue<?, ?> row) {
        final Windowed<?> windowed = (Windowed<?>) row.key;
        final byte[] value = row.value instanceof byte[] plain ? plain : bytes(row.value);
        return shown(bytes(windowed.key())) + " [" + windowed.window().start() + ',' + windowed.window().end() + "] " + shown(value);
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
