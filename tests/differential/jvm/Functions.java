import java.nio.charset.StandardCharsets;

/** What user functions are made of: the same rules as functions.h. All work on the UTF-8 bytes. */
final class Functions {
    private static final int TEXT_BYTES_MAX = 32;

    private Functions() {
    }

    static String shown(final String value) {
        return value == null ? "~" : value;
    }

    /** FNV-1a, 32 bits, without sign. */
    static long hash(final String text) {
        int hash = 0x811c9dc5;
        for (final byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x01000193;
        }
        return hash & 0xffffffffL;
    }

    static long hash(final String key, final String value) {
        return hash(shown(key) + "|" + shown(value));
    }

    /** The text itself, or its hash when it is long. */
    static String bounded(final String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length <= TEXT_BYTES_MAX) {
            return text;
        }
        return String.format("#%08x", hash(text));
    }

    /** True for about 1 of n. */
    static boolean chosen(final Op op, final String key, final String value) {
        return hash(key, value) % op.number("n") == 0;
    }

    /** True for about 1 of 8 when the operator makes nulls. */
    static boolean makesNull(final Op op, final String key, final String value) {
        return op.flag("nulls") && hash(value, key) % 8 == 0;
    }

    /** Throws for about 1 of "throws". */
    private static void maybeThrow(final Op op, final String key, final String value) {
        if (op.has("throws") && hash(value, key) % op.number("throws") == 1) {
            throw new IllegalStateException("not this one");
        }
    }

    static String mapped(final Op op, final String key, final String value) {
        maybeThrow(op, key, value);
        return makesNull(op, key, value) ? null : bounded(op.text("tag") + "(" + shown(value) + ")");
    }

    static String selected(final Op op, final String key, final String value) {
        maybeThrow(op, key, value);
        return makesNull(op, key, value) ? null : "k" + hash(key, value) % op.number("n");
    }

    static String added(final Op op, final String key, final String value, final String aggregate) {
        maybeThrow(op, key, value);
        return makesNull(op, key, value) ? null : bounded(shown(aggregate) + "," + shown(value));
    }

    static String removed(final Op op, final String key, final String value, final String aggregate) {
        return makesNull(op, key, value) ? null : bounded(shown(aggregate) + "-" + shown(value));
    }

    static String joined(final Op op, final String left, final String right) {
        return makesNull(op, left, right) ? null : bounded(shown(left) + "+" + shown(right));
    }
}
