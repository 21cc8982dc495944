package flinkhelm.kdv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which records are good, and which are from the future. */
final class AdvertsTest {

    private static final long HOUR = 3_600_000;
    private static final long ANY = -1;
    private static final byte[] MESSAGE = "message".getBytes(StandardCharsets.UTF_8);
    private static final int BUCKETS = 64;

    private static final int TIME = 0;
    private static final int BUCKET = 1;
    private static final int LINE = 2;
    private static final int REASON = 3;
    private static final int ORIGIN = 4;
    private static final int PARTITION = 5;
    private static final int OFFSET = 6;

    private final long now = System.currentTimeMillis();

    @Test
    void aGoodRecordHasItsTimeItsBucketAndItsLine() {
        RowData row = judge(HOUR, advert(130, now, now));
        assertEquals(now, row.getTimestamp(TIME, 3).getMillisecond());
        assertEquals(2, row.getInt(BUCKET));
        assertEquals("130,\"Kitap\",\"ikinci el\",10,0.18,11.80", row.getString(LINE).toString());
        assertTrue(row.isNullAt(REASON));
        assertOrigin(row);
    }

    @Test
    void copiesOfANegativeIdMeetToo() {
        assertEquals(-2, judge(HOUR, advert(-130, now, now)).getInt(BUCKET));
    }

    @Test
    void aRecordWithAFlawKeepsItsReasonAndItsBytes() {
        RowData row =
                judge(HOUR, GenericRowData.of(null, null, null, null, null, null, text("id: missing"), MESSAGE, 3, 11L, time(now)));
        assertTrue(row.isNullAt(TIME));
        assertEquals("id: missing", row.getString(REASON).toString());
        assertOrigin(row);
    }

    @Test
    void aRecordWithoutAValueIsBroken() {
        RowData row = judge(HOUR, GenericRowData.of(null, null, null, null, null, null, text("empty"), null, 3, 11L, time(now)));
        assertEquals("empty", row.getString(REASON).toString());
        assertTrue(row.isNullAt(ORIGIN));
    }

    /** Hours from now: of the row, and at which Kafka received it. */
    @ParameterizedTest
    @CsvSource({"0.9, 0, true", "1.1, 0, false", "0, -0.9, true", "0, -1.1, false", "1.1, 2, false", "-1000, 2, true"})
    void aTimeIsHeldAgainstTheClockAndKafkas(double at, double received, boolean good) {
        assertGood(good, HOUR, now + (long) (at * HOUR), now + (long) (received * HOUR));
    }

    @ParameterizedTest
    @CsvSource({"0.9, 0, true", "1.1, 0, false", "0.9, -1, true"})
    void aRecordThatKafkaReceivedAtAnUnknownTimeIsHeldAgainstTheClock(double at, long received, boolean good) {
        assertGood(good, HOUR, now + (long) (at * HOUR), received);
    }

    @Test
    void anyTimeIsTakenWhereNoneIsOfTheFuture() {
        assertGood(true, ANY, now + 1000 * HOUR, now);
        assertGood(true, ANY, now, now - 1000 * HOUR);
    }

    @Test
    void theLastMillisecondThatKafkaKnowsIsNoFaultOfTheRecord() {
        assertGood(true, HOUR, now, Long.MAX_VALUE);
    }

    private static void assertGood(boolean good, long future, long time, long received) {
        RowData row = judge(future, advert(7, time, received));
        assertEquals(good ? null : "timestamp_column: in the future", row.isNullAt(REASON) ? null : row.getString(REASON).toString());
        assertEquals(good, !row.isNullAt(TIME));
        TimestampData event = new AdvertTime().eval(time(time), time(received), future);
        if (good) {
            assertEquals(time, event.getMillisecond());
        } else {
            assertNull(event);
        }
        assertOrigin(row);
    }

    private static void assertOrigin(RowData row) {
        assertArrayEquals(MESSAGE, row.getBinary(ORIGIN));
        assertEquals(3, row.getInt(PARTITION));
        assertEquals(11L, row.getLong(OFFSET));
    }

    private static RowData judge(long future, RowData advert) {
        return new Adverts(future, BUCKETS).map(advert);
    }

    private static RowData advert(long id, long time, long received) {
        DecimalData price = DecimalData.fromBigDecimal(new BigDecimal("10"), 18, 4);
        DecimalData kdv = DecimalData.fromBigDecimal(new BigDecimal("0.18"), 5, 4);
        return GenericRowData.of(id, text("Kitap"), text("ikinci el"), price, kdv, time(time), null, MESSAGE, 3, 11L, time(received));
    }

    private static StringData text(String text) {
        return StringData.fromString(text);
    }

    private static TimestampData time(long milliseconds) {
        return TimestampData.fromEpochMillis(milliseconds);
    }
}
