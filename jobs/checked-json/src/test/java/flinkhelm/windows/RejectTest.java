package flinkhelm.windows;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;

/** What is kept of a broken or late record. */
final class RejectTest {

    private static final StringData REASON = StringData.fromString("no JSON");

    @Test
    void aRecordIsKeptWithItsBytesItsReasonAndItsPlace() {
        RowData reject = Windows.reject(Rows.good(7, 0, "message"), REASON, 100);
        assertEquals("message", Rows.message(reject));
        assertEquals(REASON, reject.getString(1));
        assertEquals(7, reject.getInt(2));
        assertEquals(0L, reject.getLong(3));
    }

    @Test
    void aRecordThatIsTooLongIsCutAndItsReasonSaysSo() {
        RowData reject = Windows.reject(Rows.good(7, 0, "message"), REASON, 4);
        assertEquals("mess", Rows.message(reject));
        assertEquals("no JSON (the first 4 of 7 bytes are kept)", reject.getString(1).toString());
    }
}
