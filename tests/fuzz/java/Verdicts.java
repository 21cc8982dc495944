package flinkhelm.json;

import flinkhelm.kdv.AdvertLine;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.StringUtils;
import org.apache.flink.util.UserCodeClassLoader;

/**
 * Decodes batches of records as the KDV job does: a count, then for each record its length and bytes; a line for each comes back,
 * its fields separated by tabs: "good", the row and its line of CSV, "broken" and the reason, or "threw"; the microseconds of CPU that it took are last.
 */
final class Verdicts {

    private static final AdvertLine LINE = new AdvertLine();

    private Verdicts() {}

    public static void main(String[] args) throws Exception {
        DataType columns =
                DataTypes.ROW(
                        DataTypes.FIELD("id", DataTypes.BIGINT()),
                        DataTypes.FIELD("product", DataTypes.STRING()),
                        DataTypes.FIELD("description", DataTypes.STRING()),
                        DataTypes.FIELD("price", DataTypes.DECIMAL(18, 4)),
                        DataTypes.FIELD("kdv", DataTypes.DECIMAL(5, 4)),
                        DataTypes.FIELD("timestamp_column", DataTypes.TIMESTAMP(3)));
        CheckedJsonDecoder decoder =
                new CheckedJsonDecoder(
                        (RowType) columns.getLogicalType(),
                        new String[] {CheckedJsonFormat.REASON},
                        null,
                        TimestampFormat.SQL,
                        Map.of("price", "0..", "kdv", "0..1"),
                        65536);
        decoder.open(new Context());
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        DataInputStream input = new DataInputStream(new BufferedInputStream(System.in));
        PrintStream output = new PrintStream(System.out, false);
        while (true) {
            byte[][] batch = new byte[input.readInt()][];
            for (int index = 0; index < batch.length; index++) {
                batch[index] = new byte[input.readInt()];
                input.readFully(batch[index]);
            }
            for (byte[] record : batch) {
                long start = threads.getCurrentThreadCpuTime();
                RowData row = null;
                Throwable thrown = null;
                try {
                    row = decoder.deserialize(record);
                } catch (Exception | StackOverflowError error) {
                    thrown = error;
                }
                long micros = (threads.getCurrentThreadCpuTime() - start) / 1000;
                output.print((thrown == null ? verdict(row) : "threw\t" + thrown) + "\t" + micros + "\n");
            }
            output.flush();
        }
    }

    private static String verdict(RowData row) {
        if (!row.isNullAt(6)) {
            return "broken\t" + row.getString(6);
        }
        return String.join(
                "\t",
                "good",
                String.valueOf(row.getLong(0)),
                StringUtils.byteToHexString(row.getString(1).toBytes()),
                StringUtils.byteToHexString(row.getString(2).toBytes()),
                row.getDecimal(3, 18, 4).toBigDecimal().toPlainString(),
                row.getDecimal(4, 5, 4).toBigDecimal().toPlainString(),
                String.valueOf(row.getTimestamp(5, 3).getMillisecond()),
                StringUtils.byteToHexString(line(row).toBytes()));
    }

    private static StringData line(RowData row) {
        return LINE.of(row.getLong(0), row.getString(1), row.getString(2), row.getDecimal(3, 18, 4), row.getDecimal(4, 5, 4));
    }

    private static final class Context implements DeserializationSchema.InitializationContext {

        @Override
        public MetricGroup getMetricGroup() {
            return new UnregisteredMetricsGroup();
        }

        @Override
        public UserCodeClassLoader getUserCodeClassLoader() {
            return SimpleUserCodeClassLoader.create(Verdicts.class.getClassLoader());
        }
    }
}
