package org.apache.kafka.streams;

import java.time.Instant;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.test.TestRecord;

/** Pipes records that TestInputTopic refuses, but a log may hold: those with a time below zero. */
public final class RawInput {
    private RawInput() {
    }

    public static void pipe(final TopologyTestDriver driver, final String topic, final TestRecord<String, String> record,
                            final long timestamp) {
        driver.pipeRecord(topic, record, new StringSerializer(), new StringSerializer(), Instant.ofEpochMilli(timestamp));
    }
}
