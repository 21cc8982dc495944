package flinkhelm.json;

import java.io.IOException;
import java.io.Serializable;
import java.math.BigDecimal;
import java.time.DateTimeException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;

/** Reads the value that the parser stands at into Flink's form of one column, or says what is wrong with it. */
interface ColumnReader extends Serializable {

    Object read(JsonParser parser, JsonToken token) throws IOException, BrokenRecord;

    /** The reader for a column: BIGINT, STRING, DECIMAL or TIMESTAMP. */
    static ColumnReader of(String name, LogicalType type, TimestampFormat timestampFormat, Range range) {
        switch (type.getTypeRoot()) {
            case BIGINT:
                return wholeNumber(range);
            case VARCHAR:
                return text();
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
        return (parser, token) -> {
            if (token != JsonToken.VALUE_NUMBER_INT) {
                throw new BrokenRecord("no whole number");
            }
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                throw new BrokenRecord("out of range");
            }
            long value = parser.getLongValue();
            if (range != Range.ALL && !range.holds(BigDecimal.valueOf(value))) {
                throw new BrokenRecord("out of range");
            }
            return value;
        };
    }

    private static ColumnReader text() {
        return (parser, token) -> {
            if (token != JsonToken.VALUE_STRING) {
                throw new BrokenRecord("no text");
            }
            return StringData.fromString(parser.getText());
        };
    }

    private static ColumnReader decimal(DecimalType type, Range range) {
        int precision = type.getPrecision();
        int scale = type.getScale();
        return (parser, token) -> {
            if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
                throw new BrokenRecord("no number");
            }
            BigDecimal value = parser.getDecimalValue();
            // Digits before the point, first: 1e999999999 must not be written out.
            if (value.signum() != 0 && value.precision() - (long) value.scale() > precision - scale || !range.holds(value)) {
                throw new BrokenRecord("out of range");
            }
            if (value.scale() > scale && value.stripTrailingZeros().scale() > scale) {
                throw new BrokenRecord("more than " + scale + " digits behind the point");
            }
            return DecimalData.fromBigDecimal(value, precision, scale);
        };
    }

    private static ColumnReader timestamp(TimestampFormat format) {
        return (parser, token) -> {
            if (token != JsonToken.VALUE_STRING) {
                throw new BrokenRecord("no text");
            }
            try {
                return TimestampData.fromEpochMillis(format.parse(parser.getText()));
            } catch (DateTimeException error) {
                throw new BrokenRecord("unreadable time");
            }
        };
    }
}
