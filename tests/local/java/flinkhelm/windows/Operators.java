package flinkhelm.windows;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.metrics.TimerGauge;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;

/**
 * Drives one operator in Flink's own harness: a command a line, fields separated by tabs; answers with a line for all that the
 * operator gave, and a line with a dot.
 */
final class Operators {

    private static final DataType CLOSED = DataTypes.ROW(DataTypes.FIELD("csv", DataTypes.STRING()));
    private static final DataType ROW =
            DataTypes.ROW(
                    DataTypes.FIELD("time", DataTypes.TIMESTAMP(3)),
                    DataTypes.FIELD("bucket", DataTypes.INT()),
                    DataTypes.FIELD("line", DataTypes.STRING()),
                    DataTypes.FIELD("reason", DataTypes.STRING()),
                    DataTypes.FIELD("message", DataTypes.BYTES()),
                    DataTypes.FIELD("partition", DataTypes.INT()),
                    DataTypes.FIELD("offset", DataTypes.BIGINT()));

    private static OneInputStreamOperatorTestHarness<RowData, RowData> harness;

    private Operators() {}

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            try {
                run(line.split("\t"));
                answer();
            } catch (Exception error) {
                System.out.println("threw " + error);
            }
            System.out.println(".");
            System.out.flush();
        }
    }

    private static void run(String[] words) throws Exception {
        switch (words[0]) {
            case "windows":
                windows(words, null);
                break;
            case "restore":
                OperatorSubtaskState state = harness.snapshot(1, 1);
                harness.close();
                windows(words, state);
                break;
            case "activity":
                harness = new OneInputStreamOperatorTestHarness<>(new ActivityOperator(number(words[1]), number(words[2])));
                open(ROW, null);
                break;
            case "row":
                harness.processElement(row(number(words[1]), words[2], null, 0), 0);
                break;
            case "good":
                harness.processElement(row(number(words[2]), "good", null, (int) number(words[1])), 0);
                break;
            case "broken":
                harness.processElement(row(0, "broken", "no JSON", (int) number(words[1])), 0);
                break;
            case "mark":
                harness.processWatermark(words[1].equals("end") ? Watermark.MAX_WATERMARK : new Watermark(number(words[1])));
                break;
            case "status":
                harness.processWatermarkStatus(words[1].equals("idle") ? WatermarkStatus.IDLE : WatermarkStatus.ACTIVE);
                break;
            case "backpressure":
                TimerGauge pressed =
                        harness.getEnvironment().getMetricGroup().getIOMetricGroup().getSoftBackPressuredTimePerSecond();
                if (words[1].equals("on")) {
                    pressed.markStart();
                } else {
                    pressed.markEnd();
                }
                break;
            case "clock":
                harness.setProcessingTime(number(words[1]));
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private static void windows(String[] words, OperatorSubtaskState state) throws Exception {
        WindowOperator operator = new WindowOperator(number(words[1]), number(words[2]), 1000);
        harness = new KeyedOneInputStreamOperatorTestHarness<>(operator, row -> row.getInt(Windows.BUCKET), Types.INT);
        open(CLOSED, state);
    }

    private static void open(DataType given, OperatorSubtaskState state) throws Exception {
        harness.setup(InternalTypeInfo.<RowData>of(given.getLogicalType()).toSerializer());
        if (state != null) {
            harness.initializeState(state);
        }
        harness.open();
    }

    private static RowData row(long time, String line, String reason, int partition) {
        TimestampData when = reason == null ? TimestampData.fromEpochMillis(time) : null;
        byte[] message = line.getBytes(StandardCharsets.UTF_8);
        return GenericRowData.of(when, 1, StringData.fromString(line), StringData.fromString(reason), message, partition, 0L);
    }

    @SuppressWarnings("unchecked")
    private static void answer() {
        for (Object found : harness.getOutput()) {
            if (found instanceof Watermark) {
                long mark = ((Watermark) found).getTimestamp();
                System.out.println("mark " + (mark == Long.MAX_VALUE ? "end" : mark));
            } else if (found instanceof WatermarkStatus) {
                System.out.println(((WatermarkStatus) found).isIdle() ? "idle" : "active");
            } else {
                RowData row = ((StreamRecord<RowData>) found).getValue();
                System.out.println("row " + row.getString(row.getArity() == 1 ? 0 : Windows.LINE).toString().replace('\n', '|'));
            }
        }
        harness.getOutput().clear();
        Queue<StreamRecord<RowData>> late = harness.getSideOutput(Windows.LATE);
        while (late != null && !late.isEmpty()) {
            System.out.println("late " + new String(late.poll().getValue().getBinary(0), StandardCharsets.UTF_8));
        }
    }

    private static long number(String word) {
        return Long.parseLong(word);
    }
}
