package flinkhelm.cars;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.windowing.WindowFunction;
import org.apache.flink.streaming.api.windowing.windows.GlobalWindow;
import org.apache.flink.util.Collector;

/**
 * Flags fast cars: reads lines `car,speed` from a socket, takes each car's readings in windows of so many, and prints `fast> car,mean`
 * where the mean speed of a window is above the limit.
 *
 * <p>--host=HOST --port=PORT [--window=5] [--limit=120]
 */
public final class HighSpeed {
    private HighSpeed() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> options = options(args);
        int window = Integer.parseInt(options.getOrDefault("window", "5"));
        double limit = Double.parseDouble(options.getOrDefault("limit", "120"));

        StreamExecutionEnvironment flink = StreamExecutionEnvironment.getExecutionEnvironment();
        flink.socketTextStream(required(options, "host"), Integer.parseInt(required(options, "port")), "\n", -1)
                .uid("socket")
                .filter(line -> line.matches("[^,]+,\\d+(\\.\\d+)?"))
                .keyBy(line -> line.substring(0, line.indexOf(',')))
                .countWindow(window)
                .apply(new Fast(limit))
                .uid("windows")
                .print("fast");
        flink.execute("high-speed");
    }

    /** The windows whose mean is above the limit. */
    private static final class Fast implements WindowFunction<String, String, String, GlobalWindow> {
        private static final long serialVersionUID = 1;
        private final double limit;

        Fast(double limit) {
            this.limit = limit;
        }

        @Override
        public void apply(String car, GlobalWindow window, Iterable<String> lines, Collector<String> fast) {
            double sum = 0;
            int count = 0;
            for (String line : lines) {
                sum += Double.parseDouble(line.substring(line.indexOf(',') + 1));
                count++;
            }
            if (sum / count > limit) {
                fast.collect(String.format(Locale.ROOT, "%s,%.1f", car, sum / count));
            }
        }
    }

    private static Map<String, String> options(String[] args) {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            if (!arg.startsWith("--") || parts.length != 2) {
                throw new IllegalArgumentException(arg + " is not an option: write --name=value.");
            }
            options.put(parts[0].substring(2), parts[1]);
        }
        return options;
    }

    private static String required(Map<String, String> options, String name) {
        if (!options.containsKey(name)) {
            throw new IllegalArgumentException("--" + name + " is missing.");
        }
        return options.get(name);
    }
}
