package flinkhelm.json;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which numbers a range holds, whatever form its limits have. */
final class RangeTest {

    @ParameterizedTest
    @CsvSource({
        "0..1, 0, 10000",
        "0.5.., 5000, 9223372036854775807",
        "..0.00005, -9223372036854775808, 0",
        "0.00005..0.00015, 1, 1",
        "-0.00015..-0.00005, -1, -1",
        "1e30.., 9223372036854775807, 9223372036854775807",
        "..1e999999999, -9223372036854775808, 9223372036854775807",
        "-1e999999999.., -9223372036854775808, 9223372036854775807",
    })
    void decimalsOfFourDigitsBehindThePoint(String range, long lowest, long highest) {
        assertEquals(lowest, Range.parse(range).lowest(4));
        assertEquals(highest, Range.parse(range).highest(4));
    }

    @ParameterizedTest
    @CsvSource({
        "0.., 0, true",
        "0.., -1, false",
        "0.5.., 0, false",
        "0.5.., 1, true",
        "9223372036854775808.., 9223372036854775807, false",
        "..-1e30, -9223372036854775808, false",
        "-1e30..1e30, -9223372036854775808, true",
    })
    void wholeNumbers(String range, long value, boolean held) {
        assertEquals(held, Range.parse(range).holds(value));
        assertEquals(held, Range.parse(range).holds(BigDecimal.valueOf(value)));
    }
}
