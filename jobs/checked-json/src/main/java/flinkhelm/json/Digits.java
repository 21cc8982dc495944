package flinkhelm.json;

import java.math.BigDecimal;
import java.math.BigInteger;

/** A JSON number's digits without the zeros at either end, looked at before anything is computed. */
final class Digits {

    private static final int FAR = 1_000_000_000; // an exponent beyond it says no more

    private final byte[] bytes;
    private final boolean negative;
    private int first = -1; // positions of the first and the last digit that is not 0
    private int last;
    private final long highest; // the powers of ten of these two
    private final long lowest;

    Digits(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        negative = bytes[start] == '-';
        int point = -1;
        int position = negative ? start + 1 : start;
        for (; position < end && bytes[position] != 'e' && bytes[position] != 'E'; position++) {
            if (bytes[position] == '.') {
                point = position;
            } else if (bytes[position] != '0') {
                first = first < 0 ? position : first;
                last = position;
            }
        }
        point = point < 0 ? position : point;
        long exponent = exponent(position + 1, end);
        highest = exponent + power(first, point);
        lowest = exponent + power(last, point);
    }

    private static int power(int position, int point) {
        return position < point ? point - position - 1 : point - position;
    }

    private long exponent(int start, int end) {
        long value = 0;
        boolean minus = start < end && bytes[start] == '-';
        for (int index = start; index < end; index++) {
            if (bytes[index] >= '0') { // no sign
                value = Math.min(FAR, value * 10 + bytes[index] - '0');
            }
        }
        return minus ? -value : value;
    }

    /**
     * The number without its point, of {@code scale} digits behind it and at most {@code precision} in all, which is at most 18.
     *
     * @throws BrokenRecord for any number that has more
     */
    long unscaled(int precision, int scale) throws BrokenRecord {
        check(precision, scale);
        if (first < 0) {
            return 0;
        }
        long value = 0;
        for (int index = first; index <= last; index++) {
            if (bytes[index] != '.') {
                value = value * 10 + bytes[index] - '0';
            }
        }
        for (long power = lowest; power > -scale; power--) {
            value *= 10;
        }
        return negative ? -value : value;
    }

    /** The same for any precision. */
    BigDecimal decimal(int precision, int scale) throws BrokenRecord {
        check(precision, scale);
        if (first < 0) {
            return BigDecimal.ZERO;
        }
        BigInteger digits = new BigInteger(significant());
        return new BigDecimal(negative ? digits.negate() : digits, (int) -lowest);
    }

    private void check(int precision, int scale) throws BrokenRecord {
        if (first >= 0 && highest >= precision - scale) {
            throw new BrokenRecord("out of range");
        }
        if (first >= 0 && lowest < -scale) {
            throw new BrokenRecord("more than " + scale + " digits behind the point");
        }
    }

    private String significant() {
        StringBuilder digits = new StringBuilder();
        for (int index = first; index <= last; index++) {
            if (bytes[index] != '.') {
                digits.append((char) bytes[index]);
            }
        }
        return digits.toString();
    }
}
