package flinkhelm.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Bytes, looked at eight at a time: as one number, the first of which is its lowest. */
public final class Eight {

    static final long ONES = 0x0101010101010101L; // each byte is 1
    static final long HIGHEST = ONES << 7; // the highest bit of each byte

    private static final VarHandle BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Eight() {}

    /** Whether there are so many from a position to an end. */
    static boolean fit(int position, int end) {
        return position + Long.BYTES <= end;
    }

    static long at(byte[] bytes, int position) {
        return (long) BYTES.get(bytes, position);
    }

    /** What there is from a position on, and zeros behind it. */
    static long upTo(byte[] bytes, int position) {
        if (fit(position, bytes.length)) {
            return at(bytes, position);
        }
        long eight = 0;
        for (int index = bytes.length - 1; index >= position; index--) {
            eight = eight << Byte.SIZE | bytes[index] & 0xFF;
        }
        return eight;
    }

    /** Marks, with the highest bit, the first byte that is 0; bytes behind it may be marked as well. */
    static long zeros(long eight) {
        return (eight - ONES) & ~eight & HIGHEST;
    }

    /** Which byte, counted from 0, is the first of those whose highest bit is set. */
    static int first(long highest) {
        return Long.numberOfTrailingZeros(highest) / Byte.SIZE;
    }

    /** Where an ASCII character stands first; {@code to} if it does not. */
    public static int find(char character, byte[] bytes, int from, int to) {
        long eightOfThem = ONES * character;
        int position = from;
        while (fit(position, to)) {
            long marks = zeros(at(bytes, position) ^ eightOfThem);
            if (marks != 0) {
                return position + first(marks);
            }
            position += Long.BYTES;
        }
        while (position < to && bytes[position] != character) {
            position++;
        }
        return position;
    }
}
