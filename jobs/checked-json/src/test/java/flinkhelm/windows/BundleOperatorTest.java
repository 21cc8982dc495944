package flinkhelm.windows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which rows travel together, and what none of them may be overtaken by. */
final class BundleOperatorTest {

    private static final long TWO_MINUTES = 120_000;

    private OneInputStreamOperatorTestHarness<RowData, RowData> harness;

    @BeforeEach
    void start() throws Exception {
        start(false);
    }

    private void start(boolean fail) throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(new BundleOperator(TWO_MINUTES, fail, 1000));
        harness.setup(Bundle.TYPE.toSerializer());
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void rowsOfOneWindowTravelTogetherAheadOfTheWatermarkThatClosesIt() throws Exception {
        good(10_000, "A");
        good(130_000, "B");
        good(20_000, "C");
        harness.processWatermark(new Watermark(119_998));
        assertEquals(List.of("watermark 119998"), sent());
        harness.processWatermark(new Watermark(119_999));
        assertEquals(List.of("0 to 120000: A C", "watermark 119999"), sent());
        good(130_000, "D");
        good(30_000, "E");
        harness.processWatermark(new Watermark(120_000));
        assertEquals(List.of("0 to 120000: E", "watermark 120000"), sent());
        harness.processWatermark(Watermark.MAX_WATERMARK);
        assertEquals(List.of("120000 to 240000: B D", "watermark " + Watermark.MAX_WATERMARK.getTimestamp()), sent());
    }

    @Test
    void aWindowThatIsOverLeavesNothingToTheNext() throws Exception {
        for (int bucket = 0; bucket < 3; bucket++) {
            harness.processElement(Rows.good(0, 10_000, bucket, "A" + bucket), 0);
        }
        harness.processWatermark(new Watermark(119_999));
        harness.getOutput().clear();
        for (int bucket = 0; bucket < 3; bucket++) {
            harness.processElement(Rows.good(0, 130_000, bucket, "B" + bucket), 0);
            harness.prepareSnapshotPreBarrier(1);
            RowData bundle = harness.extractOutputValues().get(bucket);
            assertEquals(bucket, bundle.getInt(Bundle.BUCKET));
            assertEquals(120_000, Bundle.window(bundle).getStart());
            assertEquals(List.of("B" + bucket), lines(bundle));
        }
    }

    @Test
    void aReaderIsNotIdleBeforeItsRowsAreSent() throws Exception {
        good(10_000, "A");
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        assertEquals(List.of("0 to 120000: A", "idle"), sent());
    }

    /** Other readers may close its window meanwhile: this one was idle, or its rows are out of order. */
    @Test
    void noRowWaitsForLong() throws Exception {
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        for (int round = 1; round <= 3; round++) {
            harness.getOutput().clear();
            good(10_000, "A");
            assertEquals(List.of(), sent());
            harness.setProcessingTime(100 * round);
            assertEquals(List.of("0 to 120000: A"), sent());
        }
        harness.setProcessingTime(1_000);
        assertEquals(List.of(), sent());
    }

    @Test
    void aCheckpointHoldsNoRow() throws Exception {
        good(10_000, "A");
        harness.prepareSnapshotPreBarrier(1);
        assertEquals(List.of("0 to 120000: A"), sent());
    }

    @Test
    void theEndOfTheInputSendsTheLastRows() throws Exception {
        good(10_000, "A");
        harness.getOneInputOperator().finish();
        assertEquals(List.of("0 to 120000: A"), sent());
    }

    @Test
    void aBundleThatIsFullDoesNotWait() throws Exception {
        good(10_000, "A");
        good(130_000, "B");
        String line = "x".repeat(20_000);
        good(10_000, line);
        assertEquals(List.of("0 to 120000: A " + line), sent());
        good(10_000, "C");
        harness.prepareSnapshotPreBarrier(1);
        assertEquals(List.of("0 to 120000: C", "120000 to 240000: B"), sent());
    }

    /** Of as many windows as there are, all with one row, which waits or was sent at once. */
    @ParameterizedTest
    @CsvSource({"50000, 1", "6000, 5000", "2000, 20000", "200, 200000"})
    void bundlesOfManyWindowsTakeLittleMemory(int windows, int length) throws Exception {
        String line = "x".repeat(length);
        int sent = 0;
        for (int window = 0; window < windows; window++) {
            good(TWO_MINUTES * window, line);
            sent += harness.getOutput().size();
            harness.getOutput().clear();
            int waiting = window + 1 - sent;
            long least = (512L + 2 * length) * waiting;
            int memory = operator().memory();
            assertTrue(least <= memory && memory < 1 << 25, () -> memory + " bytes for " + waiting + " rows");
        }
        harness.prepareSnapshotPreBarrier(1);
        assertEquals(windows, sent + harness.getOutput().size());
    }

    @Test
    void memoryThatNoRowNeedsIsFree() throws Exception {
        good(10_000, "x".repeat(20_000));
        good(130_000, "x");
        harness.processWatermark(new Watermark(119_999));
        long most = operator().memory();
        harness.setProcessingTime(100);
        long one = operator().memory();
        assertTrue(0 < one && one < most - 40_000, one + " of " + most);
        good(140_000, "x");
        harness.setProcessingTime(200);
        assertEquals(one, operator().memory());
        harness.setProcessingTime(300);
        assertEquals(0, operator().memory());
    }

    @Test
    void theRecordsOfABundleAreKeptWithTheirPlace() throws Exception {
        good(10_000, "A");
        good(20_000, "B");
        harness.prepareSnapshotPreBarrier(1);
        RowData bundle = harness.extractOutputValues().get(0);
        List<String> rejects = new ArrayList<>();
        for (RowData reject : Bundle.rejects(bundle, StringData.fromString("late"), 1000)) {
            rejects.add(Rows.message(reject) + " " + reject.getString(1) + " " + reject.getInt(2) + " " + reject.getLong(3));
        }
        assertEquals(List.of("A late 0 0", "B late 0 0"), rejects);
    }

    @Test
    void aBrokenRowGoesAside() throws Exception {
        harness.processElement(Rows.broken(3), 0);
        assertEquals(List.of(), sent());
        StreamRecord<RowData> reject = harness.getSideOutput(Windows.BROKEN).poll();
        assertEquals("broken", Rows.message(reject.getValue()));
        assertEquals(3, reject.getValue().getInt(2));
    }

    @Test
    void aBrokenRowFailsTheJobThatWantsIt() throws Exception {
        harness.close();
        start(true);
        Exception error = assertThrows(IllegalArgumentException.class, () -> harness.processElement(Rows.broken(0), 0));
        assertEquals("Broken record: no JSON: broken", error.getMessage());
    }

    private void good(long time, String line) throws Exception {
        harness.processElement(Rows.good(0, time, line), 0);
    }

    /** What was sent since the last call, in its order; windows that are sent at once by their start. */
    private List<String> sent() throws Exception {
        List<String> all = new ArrayList<>();
        for (Object event : harness.getOutput()) {
            if (event instanceof Watermark) {
                all.add("watermark " + ((Watermark) event).getTimestamp());
            } else if (event instanceof WatermarkStatus) {
                all.add(((WatermarkStatus) event).isIdle() ? "idle" : "active");
            } else {
                @SuppressWarnings("unchecked")
                RowData bundle = ((StreamRecord<RowData>) event).getValue();
                all.add(Bundle.window(bundle).getStart() + " to " + Bundle.window(bundle).getEnd() + ": " + String.join(" ", lines(bundle)));
            }
        }
        harness.getOutput().clear();
        return all;
    }

    private static List<String> lines(RowData bundle) throws Exception {
        List<String> lines = new ArrayList<>();
        for (byte[] line : Bundle.lines(bundle)) {
            lines.add(new String(line, StandardCharsets.UTF_8));
        }
        return lines;
    }

    private BundleOperator operator() {
        return (BundleOperator) harness.getOneInputOperator();
    }
}
