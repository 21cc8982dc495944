package flinkhelm.windows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/** Rows as {@link Windows} takes them; a row's message is its line. */
final class Rows {

    static final int BUCKET = 1;
    static final int PARTITION = 0;

    private Rows() {}

    static RowData good(int partition, long time, String line) {
        return good(partition, time, BUCKET, line);
    }

    static RowData good(int partition, long time, int bucket, String line) {
        return row(TimestampData.fromEpochMillis(time), bucket, line, null, partition);
    }

    static RowData broken(int partition) {
        return row(null, BUCKET, "broken", "no JSON", partition);
    }

    /** Rows of one window as they reach the windows. */
    static RowData bundle(long start, long end, String... lines) throws IOException {
        Bundle bundle = new Bundle(new TimeWindow(start, end), BUCKET);
        for (String line : lines) {
            bundle.add(good(PARTITION, start, line));
        }
        return bundle.take();
    }

    static String message(RowData reject) {
        return new String(reject.getBinary(0), StandardCharsets.UTF_8);
    }

    private static RowData row(TimestampData time, int bucket, String line, String reason, int partition) {
        byte[] message = line.getBytes(StandardCharsets.UTF_8);
        return GenericRowData.of(
                time, bucket, StringData.fromString(line), StringData.fromString(reason), message, partition, 0L);
    }
}
