package flinkhelm.windows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.metrics.TimerGauge;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which watermarks and which status reach the windows while partitions deliver good rows, broken rows or none. */
final class ActivityOperatorTest {

    private static final long DELAY = 5_000;
    private static final long TIMEOUT = 1_000;
    private static final long STEP = TIMEOUT / 10; // the operator looks at its clock so often

    private OneInputStreamOperatorTestHarness<RowData, RowData> harness;

    @BeforeEach
    void start() throws Exception {
        start(TIMEOUT);
    }

    private void start(long timeout) throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(new ActivityOperator(DELAY, timeout));
        harness.setup(Windows.ROWS.toSerializer());
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void aPartitionWithBrokenRowsAloneDoesNotHoldBackTheOthers() throws Exception {
        send(good(0, 100_000));
        assertEquals(List.of(), pass(0, 800, Rows.broken(1), good(0, 100_000)));
        assertEquals(List.of("watermark 195000"), pass(900, 600, Rows.broken(1), good(0, 200_000)));
        assertEquals(List.of(), watermark(50_000));
        assertEquals(List.of("watermark 300000"), watermark(300_000));
    }

    @Test
    void aReaderWithBrokenRowsAloneIsIdleUntilTheNextGoodOne() throws Exception {
        assertEquals(List.of("idle"), pass(0, 1500, Rows.broken(1)));
        assertEquals(List.of("active"), send(good(1, 100_000)));
        assertEquals(List.of("watermark 95000"), watermark(95_000));
        assertEquals(List.of("idle"), pass(1600, 1500, Rows.broken(1)));
        assertEquals(List.of("active", "watermark 97000", "idle"), watermark(97_000));
        assertEquals(List.of("active"), send(good(1, 110_000)));
    }

    /** It becomes active with a watermark alone, which a partition without one does not let it have. */
    @Test
    void aSourceThatWasIdleFromTheBeginningDoesNotDecideAlone() throws Exception {
        assertEquals(List.of("idle"), status(WatermarkStatus.IDLE));
        assertEquals(List.of("active", "watermark 95000"), pass(0, 1500, Rows.broken(1), good(0, 100_000)));
        assertEquals(List.of("idle"), pass(1600, 1500, Rows.broken(1)));
    }

    @Test
    void aSourceThatWasIdleFromTheBeginningPassesOnTheWatermarkOfOneGoodRow() throws Exception {
        assertEquals(List.of("idle"), status(WatermarkStatus.IDLE));
        send(good(0, 100_000));
        assertEquals(List.of("active", "watermark 95000", "idle"), pass(0, 1500, Rows.broken(1)));
    }

    @Test
    void theLastPartitionToBecomeIdleDecidesUntilThen() throws Exception {
        send(good(0, 200_000));
        pass(0, 500);
        send(good(2, 100_000));
        assertEquals(List.of("watermark 95000", "idle"), pass(600, 3000, Rows.broken(1)));
        assertEquals(List.of("active"), send(good(0, 210_000)));
        assertEquals(List.of("watermark 205000"), pass(3700, 100, Rows.broken(1)));
    }

    @Test
    void theEndOfTheInputReachesTheWindowsFromAnIdleReaderToo() throws Exception {
        assertEquals(List.of("idle"), pass(0, 1500, Rows.broken(1)));
        assertEquals(List.of("active", "watermark end"), watermark(Watermark.MAX_WATERMARK.getTimestamp()));
        assertEquals(List.of(), pass(1600, 1500, Rows.broken(1)));
    }

    @Test
    void aPartitionWithoutRowsIsLeftToTheSource() throws Exception {
        send(good(0, 100_000));
        assertEquals(List.of(), pass(0, 3000, good(1, 500_000)));
        assertEquals(List.of("idle"), status(WatermarkStatus.IDLE));
        assertEquals(List.of("active"), status(WatermarkStatus.ACTIVE));
    }

    @Test
    void nothingIsIdleWithoutATimeout() throws Exception {
        harness.close();
        start(0);
        assertEquals(List.of(), pass(0, 20_000, Rows.broken(1)));
        assertEquals(List.of("watermark 50000"), watermark(50_000));
    }

    @Test
    void timeInWhichTheTaskStoodStillMakesNoPartitionIdle() throws Exception {
        pass(0, 2000, good(0, 100_000));
        send(Rows.broken(1));
        harness.setProcessingTime(60_000);
        assertFalse(send(Rows.broken(1)).contains("idle"));
        harness.setProcessingTime(60_100);
        assertFalse(events().contains("idle"));
    }

    /** Timers run on while no row is read, so the good partition would look silent. */
    @Test
    void timeUnderBackpressureMakesNoPartitionIdle() throws Exception {
        pass(0, 2000, good(0, 100_000), Rows.broken(1));
        TimerGauge backpressure =
                harness.getEnvironment().getMetricGroup().getIOMetricGroup().getSoftBackPressuredTimePerSecond();
        backpressure.markStart();
        assertEquals(List.of(), pass(2100, 5000));
        backpressure.markEnd();
        assertEquals(List.of(), pass(7200, 500, Rows.broken(1)));
        assertEquals(List.of(), send(good(0, 110_000)));
        assertEquals(List.of("watermark 105000", "idle"), pass(7800, 1500, Rows.broken(1)));
    }

    @Test
    void everyRowIsPassedOn() throws Exception {
        List<RowData> rows = List.of(good(0, 100_000), Rows.broken(1));
        for (RowData row : rows) {
            harness.processElement(row, 0);
        }
        assertEquals(rows, harness.extractOutputValues());
    }

    /** Lets time pass, with the same rows in each step; returns what reaches the windows beside the rows. */
    private List<String> pass(long start, long milliseconds, RowData... rows) throws Exception {
        for (long clock = start; clock <= start + milliseconds; clock += STEP) {
            harness.setProcessingTime(clock);
            for (RowData row : rows) {
                harness.processElement(row, 0);
            }
        }
        return events();
    }

    private List<String> send(RowData row) throws Exception {
        harness.processElement(row, 0);
        return events();
    }

    private static RowData good(int partition, long time) {
        return Rows.good(partition, time, "good");
    }

    private List<String> watermark(long time) throws Exception {
        harness.processWatermark(new Watermark(time));
        return events();
    }

    private List<String> status(WatermarkStatus status) throws Exception {
        harness.processWatermarkStatus(status);
        return events();
    }

    /** What has reached the windows since the last call, without the rows. */
    private List<String> events() {
        List<String> events = new ArrayList<>();
        for (Object event : harness.getOutput()) {
            if (event instanceof Watermark) {
                long time = ((Watermark) event).getTimestamp();
                events.add("watermark " + (time == Watermark.MAX_WATERMARK.getTimestamp() ? "end" : time));
            } else if (event instanceof WatermarkStatus) {
                events.add(((WatermarkStatus) event).isIdle() ? "idle" : "active");
            }
        }
        harness.getOutput().clear();
        return events;
    }
}
