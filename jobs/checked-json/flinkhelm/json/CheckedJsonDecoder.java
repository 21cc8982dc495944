package flinkhelm.json;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;

/** Makes a row of each record. Every column must be there; further fields are ignored; of a repeated field the last one counts. */
final class CheckedJsonDecoder implements DeserializationSchema<RowData> {

    private static final long serialVersionUID = 1L;
    private static final int SHOWN = 200;

    private final String[] names;
    private final ColumnReader[] readers;
    private final String[] metadata;
    private final TypeInformation<RowData> produced;
    private final long maxLength;
    private final boolean fail;

    private transient JsonFactory json;
    private transient Map<String, Integer> positions;
    private transient Counter broken;

    CheckedJsonDecoder(
            RowType columns,
            String[] metadata,
            TypeInformation<RowData> produced,
            TimestampFormat timestampFormat,
            Map<String, String> ranges,
            long maxLength,
            boolean fail) {
        List<RowType.RowField> fields = columns.getFields();
        this.names = new String[fields.size()];
        this.readers = new ColumnReader[fields.size()];
        for (int index = 0; index < names.length; index++) {
            String name = fields.get(index).getName();
            Range range = ranges.containsKey(name) ? Range.parse(ranges.get(name)) : Range.ALL;
            names[index] = name;
            readers[index] = ColumnReader.of(name, fields.get(index).getType(), timestampFormat, range);
        }
        this.metadata = metadata;
        this.produced = produced;
        this.maxLength = maxLength;
        this.fail = fail;
    }

    @Override
    public void open(InitializationContext context) {
        json = new JsonFactory();
        positions = new HashMap<>();
        for (int index = 0; index < names.length; index++) {
            positions.put(names[index], index);
        }
        broken = context.getMetricGroup().counter("numBrokenRecords");
    }

    @Override
    public RowData deserialize(byte[] message) throws IOException {
        GenericRowData row = new GenericRowData(names.length + metadata.length);
        String reason = null;
        try {
            read(message, row);
        } catch (BrokenRecord error) {
            reason = error.getMessage();
            broken.inc();
            if (fail) {
                throw new IOException("Broken record: " + reason + ": " + beginning(message));
            }
            for (int index = 0; index < names.length; index++) {
                row.setField(index, null);
            }
        }
        for (int index = 0; index < metadata.length; index++) {
            Object value = metadata[index].equals(CheckedJsonFormat.REASON) ? StringData.fromString(reason) : message;
            row.setField(names.length + index, value);
        }
        return row;
    }

    private void read(byte[] message, GenericRowData row) throws BrokenRecord {
        if (message == null || message.length == 0) {
            throw new BrokenRecord("empty");
        }
        if (message.length > maxLength) {
            throw new BrokenRecord("longer than " + maxLength + " bytes");
        }
        if (isUtf16OrUtf32(message)) { // which the parser would take as well
            throw new BrokenRecord("not UTF-8");
        }
        boolean ended = false;
        try (JsonParser parser = json.createParser(message)) {
            JsonToken token = parser.nextToken();
            if (token == null) {
                throw new BrokenRecord("empty");
            }
            if (token != JsonToken.START_OBJECT) {
                throw new BrokenRecord(isUtf8(message) ? "no JSON object" : "not UTF-8");
            }
            readFields(parser, row);
            ended = true;
            if (parser.nextToken() != null) {
                throw new BrokenRecord("text after the document");
            }
        } catch (JsonProcessingException error) {
            throw new BrokenRecord(isUtf8(message) ? ended ? "text after the document" : "no JSON" : "not UTF-8");
        } catch (IOException error) { // bytes that no character has
            throw new BrokenRecord("not UTF-8");
        }
        for (int index = 0; index < names.length; index++) {
            if (row.isNullAt(index)) {
                throw new BrokenRecord(names[index] + ": missing");
            }
        }
    }

    /** Reads to the end of the object, also after a wrong field: a record that is no JSON is called that. */
    private void readFields(JsonParser parser, GenericRowData row) throws IOException, BrokenRecord {
        BrokenRecord first = null;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            Integer position = positions.get(name);
            if (position == null) {
                parser.skipChildren();
                continue;
            }
            try {
                if (token == JsonToken.VALUE_NULL) {
                    throw new BrokenRecord("null");
                }
                row.setField(position, readers[position].read(parser, token));
            } catch (BrokenRecord error) {
                first = first == null ? new BrokenRecord(name + ": " + error.getMessage()) : first;
                parser.skipChildren();
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private static String beginning(byte[] message) {
        return message == null ? "" : new String(message, 0, Math.min(message.length, SHOWN), StandardCharsets.UTF_8);
    }

    private static boolean isUtf16OrUtf32(byte[] message) {
        boolean mark = message[0] == (byte) 0xFE || message[0] == (byte) 0xFF;
        return mark || message[0] == 0 || message.length > 1 && message[1] == 0;
    }

    private static boolean isUtf8(byte[] message) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(message));
            return true;
        } catch (CharacterCodingException error) {
            return false;
        }
    }

    @Override
    public boolean isEndOfStream(RowData row) {
        return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return produced;
    }
}
