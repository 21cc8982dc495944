package flinkhelm.json;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The first of a character, wherever it stands and whatever is beside it. */
final class EightTest {

    private static final int LONGEST = 24;

    /** Beside it: what differs from it in one bit, and the ends of what a byte may be. */
    @ParameterizedTest
    @ValueSource(ints = {'"' ^ 1, '"' | 0x80, 0, 0x7F, 0x80, 0xFF})
    void findsTheFirstOfACharacter(int other) {
        for (int length = 0; length <= LONGEST; length++) {
            for (int from = 0; from <= Math.min(length, 8); from++) {
                for (int place = 0; place <= length; place++) {
                    byte[] bytes = new byte[LONGEST + 8];
                    Arrays.fill(bytes, (byte) other);
                    bytes[place] = '"';
                    bytes[length] = '"'; // behind the end
                    int first = place < from ? length : place;
                    assertEquals(first, Eight.find('"', bytes, from, length), from + " to " + length + " with one at " + place);
                }
            }
        }
    }
}
