package flinkhelm.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Eight bytes as one number, the first of which is its lowest. */
final class Eight {

    static final long ONES = 0x0101010101010101L; // each byte is 1
    static final long HIGHEST = ONES << 7; // the highest bit of each byte

    private static final VarHandle BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Eight() {}

    /** Whether there are so many from a position on. */
    static boolean fit(byte[] bytes, int position) {
        return position + Long.BYTES <= bytes.length;
    }

    static long at(byte[] bytes, int position) {
        return (long) BYTES.get(bytes, position);
    }

    /** Which byte, counted from 0, is the first of those whose highest bit is set. */
    static int first(long highest) {
        return Long.numberOfTrailingZeros(highest) / Byte.SIZE;
    }
}
