package flinkhelm.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.apache.flink.table.data.DecimalData;

/** A JSON number's digits without the zeros at either end, looked at before anything is computed. */
final class Digits {

    private static final int FAR = 1_000_000_000; // an exponent beyond it says no more
    private static final int LONG = 18; // digits that a long holds, whatever they are

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

    DecimalData decimal(int precision, int scale, Range range) throws BrokenRecord {
        if (first < 0) {
            return checked(BigDecimal.ZERO, precision, scale, range);
        }
        if (highest >= precision - scale) {
            throw new BrokenRecord("out of range");
        }
        if (lowest < -scale) {
            throw new BrokenRecord("more than " + scale + " digits behind the point");
        }
        if (precision > LONG) {
            BigInteger digits = new BigInteger(significant());
            return checked(new BigDecimal(negative ? digits.negate() : digits, (int) -lowest), precision, scale, range);
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
        value = negative ? -value : value;
        if (!range.holds(value, scale)) {
            throw new BrokenRecord("out of range");
        }
        return DecimalData.fromUnscaledLong(value, precision, scale);
    }

    private static DecimalData checked(BigDecimal value, int precision, int scale, Range range) throws BrokenRecord {
        if (!range.holds(value)) {
            throw new BrokenRecord("out of range");
        }
        return DecimalData.fromBigDecimal(value, precision, scale);
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
