package flinkhelm.windows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;

/** Rows of one window and bucket that travel as one: their lines, and the records that these were made of. */
final class Bundle {

    static final InternalTypeInfo<RowData> TYPE =
            Windows.typeOf(
                    DataTypes.FIELD("bucket", DataTypes.INT()),
                    DataTypes.FIELD("window_start", DataTypes.BIGINT()),
                    DataTypes.FIELD("window_end", DataTypes.BIGINT()),
                    DataTypes.FIELD("lines", DataTypes.BYTES()),
                    DataTypes.FIELD("records", DataTypes.BYTES()));
    static final int BUCKET = 0;

    private static final int START = 1;
    private static final int END = 2;
    private static final int LINES = 3;
    private static final int RECORDS = 4;
    private static final int INITIAL = 256; // bytes: of many windows, each may have but one row
    private static final int OBJECTS = 512; // bytes of one without its buffers, at most
    private static final int LARGE = 1 << 16;

    private TimeWindow window;
    private int bucket;
    private DataOutputSerializer lines = new DataOutputSerializer(INITIAL);
    private DataOutputSerializer records = new DataOutputSerializer(INITIAL);

    Bundle(TimeWindow window, int bucket) {
        begin(window, bucket);
    }

    /** Begins another one in the memory of this, which has been given out. */
    void begin(TimeWindow window, int bucket) {
        this.window = window;
        this.bucket = bucket;
    }

    /** Adds a good row, and returns how many bytes of memory more this took. */
    int add(RowData row) throws IOException {
        byte[] line = row.getString(Windows.LINE).toBytes();
        byte[] message = row.getBinary(Windows.MESSAGE);
        int before = memory();
        lines.writeInt(line.length);
        lines.write(line);
        records.writeInt(row.getInt(Windows.PARTITION));
        records.writeLong(row.getLong(Windows.OFFSET));
        records.writeInt(message.length);
        records.write(message);
        return memory() - before;
    }

    /** Bytes that it takes, whatever is in it. */
    int memory() {
        return OBJECTS + lines.getSharedBuffer().length + records.getSharedBuffer().length;
    }

    int length() {
        return lines.length() + records.length();
    }

    /** Gives out what there is, and begins anew. */
    RowData take() {
        byte[] allLines = lines.getCopyOfBuffer();
        byte[] allRecords = records.getCopyOfBuffer();
        lines = again(lines);
        records = again(records);
        return GenericRowData.of(bucket, window.getStart(), window.getEnd(), allLines, allRecords);
    }

    /** The same buffer, unless a very long record has made it large. */
    private static DataOutputSerializer again(DataOutputSerializer buffer) {
        if (buffer.getSharedBuffer().length > LARGE) {
            return new DataOutputSerializer(INITIAL);
        }
        buffer.clear();
        return buffer;
    }

    /**
     * Refuses what is none: in an unaligned checkpoint of 0.2.0 there were rows on their way here.
     *
     * @throws IllegalStateException for such a row
     */
    static void check(RowData bundle) {
        if (bundle.isNullAt(LINES)) {
            throw new IllegalStateException(
                    "The checkpoint is unaligned and of a job with other operators: start this job from a savepoint of that one.");
        }
    }

    static TimeWindow window(RowData bundle) {
        return new TimeWindow(bundle.getLong(START), bundle.getLong(END));
    }

    static List<byte[]> lines(RowData bundle) throws IOException {
        List<byte[]> all = new ArrayList<>();
        DataInputDeserializer lines = new DataInputDeserializer(bundle.getBinary(LINES));
        while (lines.available() > 0) {
            all.add(bytes(lines));
        }
        return all;
    }

    /** The records as {@link Windows#reject} makes them. */
    static List<RowData> rejects(RowData bundle, StringData reason, int kept) throws IOException {
        List<RowData> all = new ArrayList<>();
        DataInputDeserializer records = new DataInputDeserializer(bundle.getBinary(RECORDS));
        while (records.available() > 0) {
            int partition = records.readInt();
            long offset = records.readLong();
            all.add(Windows.reject(bytes(records), reason, partition, offset, kept));
        }
        return all;
    }

    private static byte[] bytes(DataInputDeserializer source) throws IOException {
        byte[] bytes = new byte[source.readInt()];
        source.readFully(bytes);
        return bytes;
    }
}
