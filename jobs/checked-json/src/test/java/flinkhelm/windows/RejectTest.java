package flinkhelm.windows;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;

/** What is kept of a broken or late record. */
final class RejectTest {

    private static final byte[] MESSAGE = "message".getBytes(StandardCharsets.UTF_8);
    private static final StringData REASON = StringData.fromString("no JSON");

    @Test
    void aRecordIsKeptWithItsBytesItsReasonAndItsPlace() {
        RowData reject = Windows.reject(MESSAGE, REASON, 7, 11, 100);
        assertEquals("message", Rows.message(reject));
        assertEquals(REASON, reject.getString(1));
        assertEquals(7, reject.getInt(2));
        assertEquals(11L, reject.getLong(3));
    }

    @Test
    void aRecordThatIsTooLongIsCutAndItsReasonSaysSo() {
        RowData reject = Windows.reject(MESSAGE, REASON, 7, 11, 4);
        assertEquals("mess", Rows.message(reject));
        assertEquals("no JSON (the first 4 of 7 bytes are kept)", reject.getString(1).toString());
    }
}
