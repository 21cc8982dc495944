package flinkhelm.windows;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.api.common.functions.FilterFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.util.OutputTag;

/**
 * Tumbling windows that lose nothing: what Flink's windows of SQL drop, since they have no side output, is a table here.
 *
 * <p>Input: time TIMESTAMP(3), bucket INT, line STRING, reason STRING, message BYTES, partition INT, offset BIGINT. A row
 * with a reason is broken; any other belongs into the window of its time.
 */
public final class Windows {

    static final int TIME = 0;
    static final int BUCKET = 1;
    static final int LINE = 2;
    static final int REASON = 3;
    static final int MESSAGE = 4;
    static final int PARTITION = 5;
    static final int OFFSET = 6;

    static final InternalTypeInfo<RowData> REJECT =
            typeOf(
                    DataTypes.ROW(
                            DataTypes.FIELD("message", DataTypes.BYTES()),
                            DataTypes.FIELD("reason", DataTypes.STRING()),
                            DataTypes.FIELD("partition", DataTypes.INT()),
                            DataTypes.FIELD("offset", DataTypes.BIGINT())));
    static final OutputTag<RowData> LATE = new OutputTag<>("late", REJECT);

    private static final InternalTypeInfo<RowData> CLOSED = typeOf(DataTypes.ROW(DataTypes.FIELD("csv", DataTypes.STRING())));
    private static final int SHOWN = 200;

    private Windows() {}

    /**
     * Makes three views of a table: {@code closed} has one text of many lines for each window and bucket, {@code broken} and
     * {@code late} have message, reason, partition and offset.
     *
     * @param size milliseconds of a window
     * @param future milliseconds that rows may be beyond the clock; a restored watermark of an hour more is forgotten; below 0: none is
     * @param fail whether a broken row fails the job
     * @param kept how many bytes of a message are kept at most; the reason says where there were more
     * @param delay milliseconds that rows may be out of order, as the table's watermarks have it
     * @param idle milliseconds after which a partition without a good row does not hold back the windows; 0: it always does
     */
    public static void over(
            StreamTableEnvironment tables, Table table, long size, long future, boolean fail, int kept, long delay, long idle) {
        DataType internal = table.getResolvedSchema().toPhysicalRowDataType().bridgedTo(RowData.class);
        DataStream<RowData> read = tables.toDataStream(table, internal);
        SingleOutputStreamOperator<RowData> rows =
                read.transform("activity", read.getType(), new ActivityOperator(delay, idle)).uid("activity");
        // Flink 1 begins a chain, and so another thread, with an operator of one's own.
        ((OneInputTransformation<?, ?>) rows.getTransformation()).setChainingStrategy(ChainingStrategy.ALWAYS);
        DataStream<RowData> broken =
                rows.filter(broken(fail))
                        .uid("broken")
                        .map(row -> reject(row, row.getString(REASON), kept))
                        .returns(REJECT)
                        .uid("rejects");
        SingleOutputStreamOperator<RowData> closed =
                rows.filter(row -> row.isNullAt(REASON))
                        .uid("good")
                        .keyBy(row -> row.getInt(BUCKET), Types.INT)
                        .transform("windows", CLOSED, new WindowOperator(size, future, kept))
                        .uid("windows");
        tables.createTemporaryView("broken", broken);
        tables.createTemporaryView("closed", closed);
        tables.createTemporaryView("late", closed.getSideOutput(LATE));
    }

    private static FilterFunction<RowData> broken(boolean fail) {
        return row -> {
            if (fail && !row.isNullAt(REASON)) {
                byte[] message = row.isNullAt(MESSAGE) ? new byte[0] : row.getBinary(MESSAGE);
                String beginning = new String(message, 0, Math.min(message.length, SHOWN), StandardCharsets.UTF_8);
                throw new IllegalArgumentException("Broken record: " + row.getString(REASON) + ": " + beginning);
            }
            return !row.isNullAt(REASON);
        };
    }

    static RowData reject(RowData row, StringData reason, int kept) {
        byte[] message = row.isNullAt(MESSAGE) ? null : row.getBinary(MESSAGE);
        if (message != null && message.length > kept) {
            reason = StringData.fromString(reason + " (the first " + kept + " of " + message.length + " bytes are kept)");
            message = Arrays.copyOf(message, kept);
        }
        return GenericRowData.of(message, reason, row.getInt(PARTITION), row.getLong(OFFSET));
    }

    private static InternalTypeInfo<RowData> typeOf(DataType row) {
        return InternalTypeInfo.of(row.getLogicalType());
    }
}
