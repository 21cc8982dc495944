package flinkhelm.json;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** The numbers from {@code minimum} to {@code maximum}, both included; null is no limit. */
final class Range implements Serializable {

    private static final long serialVersionUID = 1L;

    static final Range ALL = new Range(null, null);

    private final BigDecimal minimum;
    private final BigDecimal maximum;

    private Range(BigDecimal minimum, BigDecimal maximum) {
        this.minimum = minimum;
        this.maximum = maximum;
    }

    /** Reads {@code "0..1"}, {@code "0.."} or {@code "..1"}. */
    static Range parse(String text) {
        int dots = text.indexOf("..");
        try {
            if (dots >= 0) {
                return new Range(limit(text.substring(0, dots)), limit(text.substring(dots + 2)));
            }
        } catch (NumberFormatException error) {
            // refused below, with what to write
        }
        throw new IllegalArgumentException("'" + text + "' is no range: write 0..1, 0.. or ..1");
    }

    private static BigDecimal limit(String text) {
        return text.isBlank() ? null : new BigDecimal(text.trim());
    }

    boolean holds(long value) {
        return this == ALL || holds(BigDecimal.valueOf(value));
    }

    /** The smallest decimal of this range with so many digits behind the point, without the point; at most 18 digits in all. */
    long lowest(int scale) {
        return minimum == null ? Long.MIN_VALUE : unscaled(minimum, scale, RoundingMode.CEILING);
    }

    /** The largest one. */
    long highest(int scale) {
        return maximum == null ? Long.MAX_VALUE : unscaled(maximum, scale, RoundingMode.FLOOR);
    }

    /** The ends of a long stand for what is beyond it: no decimal of 18 digits is as far. */
    private static long unscaled(BigDecimal limit, int scale, RoundingMode rounding) {
        if (limit.compareTo(BigDecimal.valueOf(Long.MAX_VALUE, scale)) >= 0) {
            return Long.MAX_VALUE;
        }
        if (limit.compareTo(BigDecimal.valueOf(Long.MIN_VALUE, scale)) <= 0) {
            return Long.MIN_VALUE;
        }
        return limit.setScale(scale, rounding).unscaledValue().longValue();
    }

    boolean holds(BigDecimal value) {
        return (minimum == null || minimum.compareTo(value) <= 0) && (maximum == null || maximum.compareTo(value) >= 0);
    }
}
