package flinkhelm.windows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;

/** Rows as {@link Windows} takes them; a row's message is its line. */
final class Rows {

    static final int BUCKET = 1;
    static final int PARTITION = 0;

    private static final DataType CLOSED = DataTypes.ROW(DataTypes.FIELD("csv", DataTypes.STRING()));

    private Rows() {}

    /** Of the rows as they come in. */
    static TypeSerializer<RowData> serializer() {
        return Windows.ROWS.toSerializer();
    }

    /** Of the texts of closed windows. */
    static TypeSerializer<RowData> closedSerializer() {
        return InternalTypeInfo.<RowData>of(CLOSED.getLogicalType()).toSerializer();
    }

    static RowData good(int partition, long time, String line) {
        return row(TimestampData.fromEpochMillis(time), line, null, partition);
    }

    static RowData broken(int partition) {
        return row(null, "broken", "no JSON", partition);
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

    private static RowData row(TimestampData time, String line, String reason, int partition) {
        byte[] message = line.getBytes(StandardCharsets.UTF_8);
        return GenericRowData.of(
                time, BUCKET, StringData.fromString(line), StringData.fromString(reason), message, partition, 0L);
    }
}
