package flinkhelm.json;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every pair of bytes at every place of the eight that are looked at together, as Java's own decoder has it. */
final class Utf8Test {

    private static final CharsetDecoder STRICT =
            StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);

    @ParameterizedTest
    @ValueSource(strings = {"xxxxxxxxxxxxxxxxxx", "ççççççççç", "xçxçxçxçxçxç", "₺₺₺₺₺₺"})
    void isWhatJavaReads(String around) {
        byte[] filler = around.getBytes(StandardCharsets.UTF_8);
        for (int place = 0; place < 9; place++) {
            for (int length : new int[] {place + 1, place + 2, 16, 18}) {
                byte[] bytes = Arrays.copyOf(filler, length);
                for (int pair = 0; pair <= 0xFFFF; pair++) {
                    bytes[place] = (byte) (pair >> 8);
                    if (place + 1 < length) {
                        bytes[place + 1] = (byte) pair;
                    } else if (pair % 0x100 > 0) {
                        continue;
                    }
                    assertEquals(javaReads(bytes), Utf8.isValid(bytes), () -> Arrays.toString(bytes));
                }
            }
        }
    }

    private static boolean javaReads(byte[] bytes) {
        STRICT.reset();
        return !STRICT.decode(ByteBuffer.wrap(bytes), CharBuffer.allocate(bytes.length), true).isError();
    }
}
