package flinkhelm.windows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which rows a window collects, when it closes, and which rows are late, across restarts with other arguments. */
final class WindowOperatorTest {

    private static final long TWO_MINUTES = 120_000;
    private static final long FIVE_MINUTES = 300_000;
    private static final long HOUR = 3_600_000;
    private static final long ANY = -1; // without --max-future
    private static final long YEAR_9999 = 253_402_200_000_000L; // 9999-12-30 20:00:00

    private KeyedOneInputStreamOperatorTestHarness<Integer, RowData, RowData> harness;
    private long size;

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void copiesOfALineWithinAWindowAreOneLine() throws Exception {
        start(TWO_MINUTES, ANY);
        row(10_000, "A");
        row(20_000, "B");
        row(30_000, "A");
        row(130_000, "A");
        assertEquals(List.of("A,\"1970-01-01 00:00:00\"\nB,\"1970-01-01 00:00:00\""), watermark(119_999));
        assertEquals(List.of("A,\"1970-01-01 00:02:00\""), watermark(239_999));
    }

    @Test
    void rowsOfABundleAreRowsOfTheirOwn() throws Exception {
        start(TWO_MINUTES, ANY);
        row(10_000, "A");
        bundle(20_000, "B", "A", "a line\nbreak");
        assertEquals(
                List.of("A,\"1970-01-01 00:00:00\"\nB,\"1970-01-01 00:00:00\"\na line\nbreak,\"1970-01-01 00:00:00\""),
                watermark(119_999));
        assertLate(30_000, "C", "C", "D");
    }

    @Test
    void aBundleOfAnotherSizeBelongsToItsOwnWindow() throws Exception {
        start(FIVE_MINUTES, ANY);
        harness.processElement(Rows.bundle(0, TWO_MINUTES, "A"), 0);
        assertEquals(List.of("A,\"1970-01-01 00:00:00\""), watermark(119_999));
    }

    /** What an unaligned checkpoint of a job without bundles brings. */
    @Test
    void aRowOfItsOwnIsRefused() throws Exception {
        start(TWO_MINUTES, ANY);
        Exception error = assertThrows(IllegalStateException.class, () -> harness.processElement(GenericRowData.of(1, 0L, 9L, null, null), 0));
        assertTrue(error.getMessage().contains("savepoint"));
    }

    @Test
    void aWindowClosesAtItsLastMillisecond() throws Exception {
        start(TWO_MINUTES, ANY);
        row(10_000, "A");
        assertEquals(List.of(), watermark(119_998));
        row(10_000, "B");
        assertEquals(List.of("A,\"1970-01-01 00:00:00\"\nB,\"1970-01-01 00:00:00\""), watermark(119_999));
        assertLate(10_000, "C");
    }

    @Test
    void windowsThatWereOpenWhenTheSizeGrewCloseAtTheirOwnEnd() throws Exception {
        start(TWO_MINUTES, ANY);
        row(10_000, "A");
        watermark(60_000);
        restart(FIVE_MINUTES, ANY);
        row(70_000, "B");
        row(10_000, "C");
        assertEquals(List.of("A,\"1970-01-01 00:00:00\""), watermark(130_000));
        row(10_500, "D");
        assertEquals(
                List.of("B,\"1970-01-01 00:00:00\"\nC,\"1970-01-01 00:00:00\"\nD,\"1970-01-01 00:00:00\""), watermark(400_000));
    }

    @Test
    void windowsThatWereOpenWhenTheSizeShrankCloseAtTheirOwnEnd() throws Exception {
        start(FIVE_MINUTES, ANY);
        row(10_000, "A");
        row(250_000, "D");
        watermark(60_000);
        restart(TWO_MINUTES, ANY);
        row(70_000, "B");
        assertEquals(List.of("B,\"1970-01-01 00:00:00\""), watermark(130_000));
        assertLate(10_000, "C");
        assertEquals(List.of("A,\"1970-01-01 00:00:00\"\nD,\"1970-01-01 00:00:00\""), watermark(500_000));
    }

    @Test
    void aClosedWindowStaysClosedAcrossARestart() throws Exception {
        start(TWO_MINUTES, HOUR);
        row(10_000, "A");
        watermark(130_000);
        restart(TWO_MINUTES, HOUR);
        assertLate(10_000, "A");
    }

    @ParameterizedTest
    @ValueSource(longs = {ANY, HOUR})
    void theEndOfTheInputClosesTheOpenWindowsAndNoLaterOnes(long future) throws Exception {
        start(TWO_MINUTES, future);
        row(10_000, "A");
        watermark(20_000);
        assertEquals(List.of("A,\"1970-01-01 00:00:00\""), watermark(Watermark.MAX_WATERMARK.getTimestamp()));
        restart(TWO_MINUTES, future);
        assertLate(10_000, "A");
        row(130_000, "B");
        assertEquals(List.of("B,\"1970-01-01 00:02:00\""), watermark(240_000));
    }

    @Test
    void aWatermarkAsFarAheadAsRowsMayBeIsKeptOnAClockThatIsBehind() throws Exception {
        long future = 3 * HOUR;
        long latest = System.currentTimeMillis() + future + 20_000;
        start(TWO_MINUTES, future);
        row(latest - 600_000, "A");
        watermark(latest - 5_000);
        restart(TWO_MINUTES, future);
        assertLate(latest - 600_000, "A");
    }

    @Test
    void aWatermarkOfAWrongClockIsForgottenAndItsRowComesOut() throws Exception {
        start(TWO_MINUTES, ANY);
        row(YEAR_9999, "poison");
        row(10_000, "A");
        watermark(YEAR_9999 - 5_000);
        restart(TWO_MINUTES, HOUR);
        row(130_000, "B");
        assertEquals(List.of("poison,\"9999-12-30 20:00:00\""), watermark(0));
        assertEquals(List.of("B,\"1970-01-01 00:02:00\""), watermark(240_000));
        restart(TWO_MINUTES, HOUR);
        assertEquals(List.of(), watermark(250_000));
    }

    private void start(long size, long future) throws Exception {
        open(size, future, null);
    }

    /** Another job from the state of this one. */
    private void restart(long size, long future) throws Exception {
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        open(size, future, state);
    }

    private void open(long size, long future, OperatorSubtaskState state) throws Exception {
        this.size = size;
        WindowOperator operator = new WindowOperator(future, 1000);
        harness = new KeyedOneInputStreamOperatorTestHarness<>(operator, row -> row.getInt(Bundle.BUCKET), Types.INT);
        harness.setup(Windows.CLOSED.toSerializer());
        if (state != null) {
            harness.initializeState(state);
        }
        harness.open();
    }

    /** A row that is in time. */
    private void row(long time, String line) throws Exception {
        bundle(time, line);
        assertEquals(List.of(), late());
    }

    private void assertLate(long time, String... lines) throws Exception {
        bundle(time, lines);
        assertEquals(List.of(lines), late());
    }

    private void bundle(long time, String... lines) throws Exception {
        long start = time - time % size;
        harness.processElement(Rows.bundle(start, start + size, lines), 0);
    }

    private List<String> late() {
        List<String> messages = new ArrayList<>();
        Queue<StreamRecord<RowData>> rows = harness.getSideOutput(Windows.LATE);
        while (rows != null && !rows.isEmpty()) {
            messages.add(Rows.message(rows.poll().getValue()));
        }
        return messages;
    }

    /** The texts of the windows that a watermark closes. */
    private List<String> watermark(long time) throws Exception {
        harness.processWatermark(new Watermark(time));
        List<String> texts = new ArrayList<>();
        for (RowData row : harness.extractOutputValues()) {
            texts.add(row.getString(0).toString());
        }
        harness.getOutput().clear();
        return texts;
    }
}
