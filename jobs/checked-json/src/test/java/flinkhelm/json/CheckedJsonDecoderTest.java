package flinkhelm.json;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.InstantiationUtil;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a query sees of a record: its columns, or the reason why it has none; its bytes in any case. */
final class CheckedJsonDecoderTest {

    private static final int LONGEST = 65_536;
    private static final int PRICE = 1;
    private static final int TIME = 3;
    private static final int REASON = 4;
    private static final int MESSAGE = 5;
    private static final RowType COLUMNS =
            (RowType)
                    DataTypes.ROW(
                                    DataTypes.FIELD("id", DataTypes.BIGINT()),
                                    DataTypes.FIELD("price", DataTypes.DECIMAL(18, 4)),
                                    DataTypes.FIELD("name", DataTypes.STRING()),
                                    DataTypes.FIELD("at", DataTypes.TIMESTAMP(3)))
                            .getLogicalType();
    private static final String REST = "\"name\":\"Çay\",\"at\":\"2024-05-20 07:24:03.5\"}";
    private static final String GOOD = "{\"id\":7,\"price\":19.90," + REST;

    private final Counter broken = new SimpleCounter();
    private CheckedJsonDecoder decoder;

    @BeforeEach
    void start() throws Exception {
        decoder = decoder(TimestampFormat.SQL);
    }

    @Test
    void aGoodRecordHasItsColumnsAndItsBytesAndNoReason() {
        RowData row = read(GOOD);
        assertEquals(7, row.getLong(0));
        assertEquals("19.9000", row.getDecimal(PRICE, 18, 4).toString());
        assertEquals("Çay", row.getString(2).toString());
        assertEquals("2024-05-20T07:24:03.500", row.getTimestamp(TIME, 3).toString());
        assertTrue(row.isNullAt(REASON));
        assertArrayEquals(GOOD.getBytes(StandardCharsets.UTF_8), row.getBinary(MESSAGE));
        assertEquals(0, broken.getCount());
    }

    @Test
    void aBrokenRecordHasAReasonAndItsBytesAndNoColumnAndIsCounted() {
        RowData row = read("{\"id\":7}");
        for (int column = 0; column < REASON; column++) {
            assertTrue(row.isNullAt(column));
        }
        assertEquals("price: missing", row.getString(REASON).toString());
        assertArrayEquals("{\"id\":7}".getBytes(StandardCharsets.UTF_8), row.getBinary(MESSAGE));
        assertEquals(1, broken.getCount());
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "`` | empty",
                "` ` | empty",
                "x | no JSON",
                "{\"id\":7 | no JSON",
                "{\"id\":7,} | no JSON",
                "{\"id\":07} | no JSON",
                "[1] | no JSON object",
                "null | no JSON object",
                "{} {} | text after the document",
                "{} | id: missing",
            })
    void aRecordThatIsNotOneObjectOfJson(String record, String reason) {
        assertEquals(reason, reason(record));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "null | id: null",
                "\"7\" | id: no whole number",
                "7.0 | id: no whole number",
                "true | id: no whole number",
                "9223372036854775808 | id: out of range",
            })
    void anIdThatIsNone(String id, String reason) {
        assertEquals(reason, reason("{\"id\":" + id + ",\"price\":1," + REST));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"1\" | price: no number",
                "-0.0001 | price: out of range",
                "100000000000000 | price: out of range",
                "1e99999999999 | price: out of range",
                "1.00001 | price: more than 4 digits behind the point",
                "1e-99999999999 | price: more than 4 digits behind the point",
            })
    void aPriceThatIsNone(String price, String reason) {
        assertEquals(reason, reason("{\"id\":7,\"price\":" + price + "," + REST));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0.0000",
        "1.00000000, 1.0000",
        "2e-1, 0.2000",
        "99999999999999.9999, 99999999999999.9999",
        "0e999999999999, 0.0000",
    })
    void aPriceIsExactHoweverItIsWritten(String written, String exact) {
        assertEquals(exact, read("{\"id\":7,\"price\":" + written + "," + REST).getDecimal(PRICE, 18, 4).toString());
    }

    @Test
    void aTextThatIsNone() {
        assertEquals("name: no text", reason(GOOD.replace("\"Çay\"", "7")));
        assertEquals("name: half of a surrogate pair", reason(GOOD.replace("Çay", "\\ud83d")));
        assertEquals("not UTF-8", reason(GOOD.getBytes(StandardCharsets.ISO_8859_1)));
        assertEquals("not UTF-8", reason(GOOD.getBytes(StandardCharsets.UTF_16)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2024-05-20",
                "2024-02-30 08:00:00",
                "2024-05-20 24:00:00",
                "2024-05-20T08:00:00",
                "1969-12-31 23:59:59",
            })
    void aTimeThatIsNone(String time) {
        assertEquals("at: unreadable time", reason(GOOD.replace("2024-05-20 07:24:03.5", time)));
    }

    @Test
    void aTimeWithAnOffsetIsTakenInUtc() throws Exception {
        decoder = decoder(TimestampFormat.ISO_8601);
        RowData row = read(GOOD.replace("2024-05-20 07:24:03.5", "2024-05-20T07:24:03.5+03:00"));
        assertEquals("2024-05-20T04:24:03.500", row.getTimestamp(TIME, 3).toString());
    }

    @Test
    void furtherFieldsAreIgnoredWhateverTheirDepthAndNumbers() {
        String deep = "[".repeat(20_000) + "1e99999999999" + "]".repeat(20_000);
        assertEquals(7, read("{\"other\":" + deep + "," + GOOD.substring(1)).getLong(0));
    }

    @Test
    void ofARepeatedFieldTheLastOneCounts() {
        assertEquals(7, read("{\"id\":\"none\"," + GOOD.substring(1)).getLong(0));
        assertEquals("id: null", reason(GOOD.replace("}", ",\"\\u0069d\":null}")));
    }

    @Test
    void aRecordThatIsTooLongIsNotRead() {
        assertEquals("longer than 65536 bytes", reason(GOOD + " ".repeat(LONGEST)));
    }

    @Test
    void aByteOrderMarkIsSkipped() {
        assertEquals(7, read("\uFEFF" + GOOD).getLong(0));
    }

    private RowData read(String record) {
        return decoder.deserialize(record.getBytes(StandardCharsets.UTF_8));
    }

    private String reason(String record) {
        return reason(record.getBytes(StandardCharsets.UTF_8));
    }

    private String reason(byte[] record) {
        RowData row = decoder.deserialize(record);
        assertNotNull(row.getString(REASON));
        return row.getString(REASON).toString();
    }

    /** A decoder as it arrives in a TaskManager. */
    private CheckedJsonDecoder decoder(TimestampFormat format) throws Exception {
        String[] metadata = {CheckedJsonFormat.REASON, CheckedJsonFormat.MESSAGE};
        CheckedJsonDecoder planned =
                new CheckedJsonDecoder(COLUMNS, metadata, null, format, Map.of("price", "0.."), LONGEST);
        CheckedJsonDecoder arrived = InstantiationUtil.clone(planned);
        arrived.open(new Context());
        return arrived;
    }

    private final class Context implements DeserializationSchema.InitializationContext {

        @Override
        public MetricGroup getMetricGroup() {
            return new UnregisteredMetricsGroup() {
                @Override
                public Counter counter(String name) {
                    assertEquals("numBrokenRecords", name);
                    return broken;
                }
            };
        }

        @Override
        public UserCodeClassLoader getUserCodeClassLoader() {
            return SimpleUserCodeClassLoader.create(CheckedJsonDecoderTest.class.getClassLoader());
        }
    }
}
