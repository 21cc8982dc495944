package flinkhelm.kdv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The line of CSV of an advert. */
final class AdvertLineTest {

    private final AdvertLine line = new AdvertLine();

    @ParameterizedTest
    @CsvSource({
        "18000, 0.18, '18000,0.18,21240.00'",
        "19.90, 0.2, '19.9,0.2,23.88'",
        "0, 0, '0,0,0.00'",
        "55000, 0, '55000,0,55000.00'",
        "0.0001, 1, '0.0001,1,0.00'",
        "0.005, 0, '0.005,0,0.01'",
        "0.0049, 0.0001, '0.0049,0.0001,0.00'",
        "1.05, 0.1, '1.05,0.1,1.16'",
        "99999999999999.9999, 1, '99999999999999.9999,1,200000000000000.00'",
    })
    void amountsArePlainAndThePriceWithKdvIsRoundedHalfUp(String price, String kdv, String amounts) {
        assertEquals("7,\"Kitap\",\"ikinci el\"," + amounts, of(7, "Kitap", "ikinci el", price, kdv));
    }

    @Test
    void quotesInTextsAreDoubled() {
        assertEquals("7,\"\"\"Çay\"\"\",\"a,\"\"b\"\"\nc\",1,0,1.00", of(7, "\"Çay\"", "a,\"b\"\nc", "1", "0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"#######", "#######\"", "1234567\"9", "12345678\"0", "ab\"\"cdefghij", "abcdefgh\"\"\"", "\""})
    void quotesAreDoubledWhereverTheyStand(String text) {
        assertEquals("7,\"" + text.replace("\"", "\"\"") + "\",\"\",1,0,1.00", of(7, text, "", "1", "0"));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE, Long.MAX_VALUE})
    void anIdIsAnyNumberOf64Bits(long id) {
        assertEquals(id + ",\"\",\"\",1,0,1.00", of(id, "", "", "1", "0"));
    }

    @Test
    void aLongTextComesOutWhole() {
        String text = "uzun ".repeat(100_000);
        assertEquals("7,\"" + text + "\",\"\",1,0,1.00", of(7, text, "", "1", "0"));
        assertEquals("7,\"\",\"\",1,0,1.00", of(7, "", "", "1", "0"));
    }

    private String of(long id, String product, String description, String price, String kdv) {
        StringData[] texts = {StringData.fromString(product), StringData.fromString(description)};
        return line.of(id, texts[0], texts[1], decimal(price, 18), decimal(kdv, 5)).toString();
    }

    private static DecimalData decimal(String text, int precision) {
        return DecimalData.fromBigDecimal(new BigDecimal(text), precision, 4);
    }
}
