package flinkhelm.json;

import flinkhelm.json.JsonReader.Kind;
import java.io.Serializable;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;

/** Reads a value, which stands from {@code start} to {@code end}, into Flink's form of one column, or says what is wrong with it. */
interface ColumnReader extends Serializable {

    Object read(Kind kind, byte[] bytes, int start, int end) throws BrokenRecord;

    /** The reader for a column: BIGINT, STRING, DECIMAL or TIMESTAMP. */
    static ColumnReader of(String name, LogicalType type, TimestampFormat timestampFormat, Range range) {
        switch (type.getTypeRoot()) {
            case BIGINT:
                return wholeNumber(range);
            case VARCHAR:
                return ColumnReader::text;
            case DECIMAL:
                return decimal((DecimalType) type, range);
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                return timestamp(timestampFormat);
            default:
                throw new ValidationException(
                        "Column " + name + " is of type " + type + ": checked-json reads BIGINT, STRING, DECIMAL and TIMESTAMP.");
        }
    }

    private static ColumnReader wholeNumber(Range range) {
        int longest = String.valueOf(Long.MIN_VALUE).length();
        return (kind, bytes, start, end) -> {
            if (kind != Kind.WHOLE) {
                throw new BrokenRecord("no whole number");
            }
            try {
                if (end - start <= longest) {
                    long value = Long.parseLong(new String(bytes, start, end - start, StandardCharsets.ISO_8859_1));
                    if (range.holds(value)) {
                        return value;
                    }
                }
            } catch (NumberFormatException error) {
                // beyond 64 bits
            }
            throw new BrokenRecord("out of range");
        };
    }

    private static StringData text(Kind kind, byte[] bytes, int start, int end) throws BrokenRecord {
        if (kind == Kind.TEXT) {
            return BinaryStringData.fromBytes(bytes, start, end - start);
        }
        if (kind != Kind.ESCAPED) {
            throw new BrokenRecord("no text");
        }
        byte[] text = Text.unescaped(bytes, start, end);
        if (text == null) {
            throw new BrokenRecord("half of a surrogate pair");
        }
        return StringData.fromBytes(text);
    }

    private static ColumnReader decimal(DecimalType type, Range range) {
        int precision = type.getPrecision();
        int scale = type.getScale();
        long lowest = range.lowest(scale);
        long highest = range.highest(scale);
        return (kind, bytes, start, end) -> {
            if (kind != Kind.WHOLE && kind != Kind.NUMBER) {
                throw new BrokenRecord("no number");
            }
            Digits digits = new Digits(bytes, start, end);
            if (DecimalData.isCompact(precision)) {
                long value = digits.unscaled(precision, scale);
                if (lowest <= value && value <= highest) {
                    return DecimalData.fromUnscaledLong(value, precision, scale);
                }
            } else {
                BigDecimal value = digits.decimal(precision, scale);
                if (range.holds(value)) {
                    return DecimalData.fromBigDecimal(value, precision, scale);
                }
            }
            throw new BrokenRecord("out of range");
        };
    }

    private static ColumnReader timestamp(TimestampFormat format) {
        return (kind, bytes, start, end) -> {
            try {
                return TimestampData.fromEpochMillis(format.parse(text(kind, bytes, start, end).toBytes()));
            } catch (DateTimeException error) {
                throw new BrokenRecord("unreadable time");
            }
        };
    }
}
