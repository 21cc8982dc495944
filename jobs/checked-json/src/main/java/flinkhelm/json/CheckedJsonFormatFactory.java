package flinkhelm.json;

import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * The format {@code checked-json}: JSON objects, each of which either has every column, of its type and within its range, or a
 * reason why not.
 *
 * <p>Flink's own format {@code json} fails on a broken record or skips it, and the record is lost to the query. Here the query
 * gets it: in the metadata columns {@code reason} (null for a good record) and {@code message} (the record's bytes).
 */
public final class CheckedJsonFormatFactory implements DeserializationFormatFactory {

    static final ConfigOption<TimestampFormat> TIMESTAMP_FORMAT =
            ConfigOptions.key("timestamp-format.standard")
                    .enumType(TimestampFormat.class)
                    .defaultValue(TimestampFormat.SQL)
                    .withDescription("SQL: 2024-05-20 07:24:03.5; ISO-8601: 2024-05-20T07:24:03.5, also with Z or +03:00.");

    static final ConfigOption<Map<String, String>> RANGES =
            ConfigOptions.key("ranges")
                    .mapType()
                    .defaultValue(Map.of())
                    .withDescription("Minimum and maximum of number columns: price:0..,kdv:0..1");

    static final ConfigOption<MemorySize> MAX_LENGTH =
            ConfigOptions.key("max-length")
                    .memoryType()
                    .defaultValue(MemorySize.ofMebiBytes(1))
                    .withDescription("A longer record is broken.");

    @Override
    public String factoryIdentifier() {
        return "checked-json";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(TIMESTAMP_FORMAT, RANGES, MAX_LENGTH);
    }

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        try {
            options.get(RANGES).values().forEach(Range::parse);
        } catch (IllegalArgumentException error) {
            throw new ValidationException("Option ranges: " + error.getMessage(), error);
        }
        return new CheckedJsonFormat(options);
    }
}
