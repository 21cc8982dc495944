package flinkhelm.kdv;

import flinkhelm.json.Eight;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * An advert's line of CSV without its window: id, product, description, price, kdv, and the price with KDV, rounded half up to
 * two digits. Written at once into bytes, of which texts are copied as they came.
 */
public final class AdvertLine {

    static final int SCALE = 4; // of price and kdv
    private static final long ONE = 10_000;
    private static final int CENTS = 2;
    private static final long HUNDRED = 100;
    private static final long PER_CENT = 1_000_000; // of the product of both, which has eight digits behind the point

    private byte[] bytes = new byte[256];
    private int length;

    public StringData of(long id, StringData product, StringData description, DecimalData price, DecimalData kdv) {
        length = 0;
        whole(id);
        add(',');
        text((BinaryStringData) product);
        add(',');
        text((BinaryStringData) description);
        add(',');
        decimal(price.toUnscaledLong());
        add(',');
        decimal(kdv.toUnscaledLong());
        add(',');
        long cents = withKdv(price.toUnscaledLong(), kdv.toUnscaledLong());
        whole(cents / HUNDRED);
        add('.');
        digits(cents % HUNDRED, CENTS);
        return StringData.fromBytes(Arrays.copyOf(bytes, length));
    }

    /** price * (1 + kdv) in cents, of two numbers with four digits behind the point, none of which is negative. */
    static long withKdv(long price, long kdv) {
        long factor = ONE + kdv;
        long product = price * factor;
        if (Math.multiplyHigh(price, factor) == 0 && product >= 0 && product <= Long.MAX_VALUE - PER_CENT / 2) {
            return (product + PER_CENT / 2) / PER_CENT;
        }
        BigInteger exact = BigInteger.valueOf(price).multiply(BigInteger.valueOf(factor));
        return new BigDecimal(exact, 2 * SCALE).setScale(CENTS, RoundingMode.HALF_UP).unscaledValue().longValueExact();
    }

    /** A number of ten thousandths that is not negative, without zeros at its end. */
    private void decimal(long value) {
        whole(value / ONE);
        long fraction = value % ONE;
        if (fraction == 0) {
            return;
        }
        add('.');
        int count = SCALE;
        while (fraction % 10 == 0) {
            fraction /= 10;
            count--;
        }
        digits(fraction, count);
    }

    private void whole(long value) {
        if (value < 0) { // the smallest of all has no opposite
            byte[] text = Long.toString(value).getBytes(StandardCharsets.ISO_8859_1);
            reserve(text.length);
            System.arraycopy(text, 0, bytes, length, text.length);
            length += text.length;
            return;
        }
        int count = 1;
        for (long rest = value / 10; rest > 0; rest /= 10) {
            count++;
        }
        digits(value, count);
    }

    private void digits(long value, int count) {
        reserve(count);
        for (int index = length + count - 1; index >= length; index--) {
            bytes[index] = (byte) ('0' + value % 10);
            value /= 10;
        }
        length += count;
    }

    /** In quotes; those inside are doubled. */
    private void text(BinaryStringData text) {
        byte[] source = text.toBytes();
        reserve(2 * source.length + 2);
        bytes[length++] = '"';
        int position = 0;
        while (position < source.length) {
            int quote = Eight.find('"', source, position, source.length);
            System.arraycopy(source, position, bytes, length, quote - position);
            length += quote - position;
            if (quote < source.length) {
                bytes[length++] = '"';
                bytes[length++] = '"';
            }
            position = quote + 1;
        }
        bytes[length++] = '"';
    }

    private void add(char sign) {
        reserve(1);
        bytes[length++] = (byte) sign;
    }

    private void reserve(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(length + more, 2 * bytes.length));
        }
    }
}
