import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One line "op ID KIND INPUTS key=value ..." of a case. */
final class Op {
    final int id;
    final String kind;
    final List<Integer> inputs = new ArrayList<>();
    private final Map<String, String> arguments = new HashMap<>();

    Op(final String[] words) {
        id = Integer.parseInt(words[1]);
        kind = words[2];
        if (!words[3].equals("-")) {
            for (final String input : words[3].split(",")) {
                inputs.add(Integer.parseInt(input));
            }
        }
        for (int i = 4; i < words.length; i++) {
            final int equals = words[i].indexOf('=');
            arguments.put(words[i].substring(0, equals), words[i].substring(equals + 1));
        }
    }

    boolean has(final String name) {
        return arguments.containsKey(name);
    }

    String text(final String name) {
        final String value = arguments.get(name);
        if (value == null) {
            throw new IllegalArgumentException("op " + id + " " + kind + " has no " + name);
        }
        return value;
    }

    /** Null when absent. */
    String textOrNull(final String name) {
        return arguments.get(name);
    }

    int number(final String name) {
        return Integer.parseInt(text(name));
    }

    boolean flag(final String name) {
        return "1".equals(arguments.get(name));
    }
}
