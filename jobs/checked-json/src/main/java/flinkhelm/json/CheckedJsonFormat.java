package flinkhelm.json;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.utils.DataTypeUtils;
import java.util.stream.Collectors;

/** What the planner asks: which metadata there are, and a decoder for the columns of a table. */
final class CheckedJsonFormat implements DecodingFormat<DeserializationSchema<RowData>> {

    static final String REASON = "reason";
    static final String MESSAGE = "message";

    private final ReadableConfig options;
    private List<String> metadata = List.of();

    CheckedJsonFormat(ReadableConfig options) {
        this.options = options;
    }

    @Override
    public Map<String, DataType> listReadableMetadata() {
        Map<String, DataType> columns = new LinkedHashMap<>();
        columns.put(REASON, DataTypes.STRING());
        columns.put(MESSAGE, DataTypes.BYTES());
        return columns;
    }

    @Override
    public void applyReadableMetadata(List<String> keys) {
        metadata = List.copyOf(keys);
    }

    @Override
    public ChangelogMode getChangelogMode() {
        return ChangelogMode.insertOnly();
    }

    @Override
    public DeserializationSchema<RowData> createRuntimeDecoder(DynamicTableSource.Context context, DataType columns) {
        Map<String, DataType> known = listReadableMetadata();
        DataType produced =
                DataTypeUtils.appendRowFields(
                        columns,
                        metadata.stream().map(key -> DataTypes.FIELD(key, known.get(key))).collect(Collectors.toList()));
        return new CheckedJsonDecoder(
                (RowType) columns.getLogicalType(),
                metadata.toArray(new String[0]),
                context.createTypeInformation(produced),
                options.get(CheckedJsonFormatFactory.TIMESTAMP_FORMAT),
                options.get(CheckedJsonFormatFactory.RANGES),
                options.get(CheckedJsonFormatFactory.MAX_LENGTH).getBytes());
    }
}
