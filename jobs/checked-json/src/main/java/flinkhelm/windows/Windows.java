package flinkhelm.windows;

import java.util.Arrays;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.util.OutputTag;

/** Tumbling windows that lose nothing: what Flink's windows of SQL drop, since they have no side output, is a table here. */
public final class Windows {

    /** What comes in. A row with a reason is broken; any other belongs into the window of its time. */
    public static final InternalTypeInfo<RowData> ROWS =
            typeOf(
                    DataTypes.FIELD("time", DataTypes.TIMESTAMP(3)),
                    DataTypes.FIELD("bucket", DataTypes.INT()),
                    DataTypes.FIELD("line", DataTypes.STRING()),
                    DataTypes.FIELD("reason", DataTypes.STRING()),
                    DataTypes.FIELD("message", DataTypes.BYTES()),
                    DataTypes.FIELD("partition", DataTypes.INT()),
                    DataTypes.FIELD("offset", DataTypes.BIGINT()));

    static final int TIME = 0;
    static final int BUCKET = 1;
    static final int LINE = 2;
    static final int REASON = 3;
    static final int MESSAGE = 4;
    static final int PARTITION = 5;
    static final int OFFSET = 6;

    static final OutputTag<RowData> BROKEN = rejects("broken");
    static final OutputTag<RowData> LATE = rejects("late");

    static final InternalTypeInfo<RowData> CLOSED = typeOf(DataTypes.FIELD("csv", DataTypes.STRING()));

    private Windows() {}

    /**
     * Makes three views of rows: {@code closed} has one text of many lines for each window and bucket, {@code broken} and
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
            StreamTableEnvironment tables,
            DataStream<RowData> rows,
            long size,
            long future,
            boolean fail,
            int kept,
            long delay,
            long idle) {
        DataStream<RowData> active = chained(rows, "activity", ROWS, new ActivityOperator(delay, idle));
        SingleOutputStreamOperator<RowData> bundles =
                chained(active, "bundles", Bundle.TYPE, new BundleOperator(size, fail, kept));
        SingleOutputStreamOperator<RowData> closed =
                bundles.keyBy(bundle -> bundle.getInt(Bundle.BUCKET), Types.INT)
                        .transform("windows", CLOSED, new WindowOperator(future, kept))
                        .uid("windows");
        tables.createTemporaryView("broken", bundles.getSideOutput(BROKEN));
        tables.createTemporaryView("closed", closed);
        tables.createTemporaryView("late", closed.getSideOutput(LATE));
    }

    private static SingleOutputStreamOperator<RowData> chained(
            DataStream<RowData> rows, String name, TypeInformation<RowData> type, OneInputStreamOperator<RowData, RowData> operator) {
        SingleOutputStreamOperator<RowData> result = rows.transform(name, type, operator).uid(name);
        // Flink 1 begins a chain, and so another thread, with an operator of one's own.
        ((OneInputTransformation<?, ?>) result.getTransformation()).setChainingStrategy(ChainingStrategy.ALWAYS);
        return result;
    }

    static RowData reject(byte[] message, StringData reason, int partition, long offset, int kept) {
        if (message != null && message.length > kept) {
            reason = StringData.fromString(reason + " (the first " + kept + " of " + message.length + " bytes are kept)");
            message = Arrays.copyOf(message, kept);
        }
        return GenericRowData.of(message, reason, partition, offset);
    }

    private static OutputTag<RowData> rejects(String name) {
        return new OutputTag<>(
                name,
                typeOf(
                        DataTypes.FIELD("message", DataTypes.BYTES()),
                        DataTypes.FIELD("reason", DataTypes.STRING()),
                        DataTypes.FIELD("partition", DataTypes.INT()),
                        DataTypes.FIELD("offset", DataTypes.BIGINT())));
    }

    static InternalTypeInfo<RowData> typeOf(DataTypes.Field... fields) {
        return InternalTypeInfo.of(DataTypes.ROW(fields).getLogicalType());
    }
}
