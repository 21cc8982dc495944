package flinkhelm.json;

import flinkhelm.json.JsonReader.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;

/** Makes a row of each record. Every column must be there; further fields are ignored; of a repeated field the last one counts. */
final class CheckedJsonDecoder implements DeserializationSchema<RowData> {

    private static final long serialVersionUID = 1L;
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final String[] names;
    private final ColumnReader[] readers;
    private final String[] metadata;
    private final TypeInformation<RowData> produced;
    private final long maxLength;

    private transient byte[][] encodedNames;
    // Where the columns stand in the record at hand: it is read when all of it is known to be JSON.
    private transient Kind[] kinds;
    private transient int[] starts;
    private transient int[] ends;
    private transient Counter broken;

    CheckedJsonDecoder(
            RowType columns,
            String[] metadata,
            TypeInformation<RowData> produced,
            TimestampFormat timestampFormat,
            Map<String, String> ranges,
            long maxLength) {
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
    }

    @Override
    public void open(InitializationContext context) {
        encodedNames = new byte[names.length][];
        for (int index = 0; index < names.length; index++) {
            encodedNames[index] = names[index].getBytes(StandardCharsets.UTF_8);
        }
        kinds = new Kind[names.length];
        starts = new int[names.length];
        ends = new int[names.length];
        broken = context.getMetricGroup().counter("numBrokenRecords");
    }

    @Override
    public RowData deserialize(byte[] message) {
        GenericRowData row = new GenericRowData(names.length + metadata.length);
        String reason = null;
        try {
            read(message, row);
        } catch (BrokenRecord error) {
            reason = error.getMessage();
            broken.inc();
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
        if (isUtf16OrUtf32(message) || !Utf8.isValid(message)) {
            throw new BrokenRecord("not UTF-8");
        }
        Arrays.fill(kinds, null);
        JsonReader document = new JsonReader(message, startsWith(message, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0);
        if (document.next() < 0) {
            throw new BrokenRecord("empty");
        }
        if (document.next() != '{') {
            document.value();
            throw new BrokenRecord("no JSON object");
        }
        findColumns(document, message);
        if (document.next() >= 0) {
            throw new BrokenRecord("text after the document");
        }
        for (int index = 0; index < names.length; index++) {
            row.setField(index, column(index, message));
        }
    }

    /** Goes over the whole object, so that a record that is no JSON is called that, whatever is wrong with its fields. */
    private void findColumns(JsonReader document, byte[] message) throws BrokenRecord {
        document.take('{');
        if (document.next() == '}') {
            document.another();
            return;
        }
        int following = 0; // fields mostly come in the order of the columns
        do {
            int index = position(document.name(), message, document.start, document.end, following);
            Kind kind = document.value();
            if (index >= 0) {
                following = index + 1;
                kinds[index] = kind;
                starts[index] = document.start;
                ends[index] = document.end;
            }
        } while (document.another());
    }

    /** Which column a name is, below 0 if none; {@code first} is the one to try first. */
    private int position(Kind kind, byte[] message, int start, int end, int first) {
        byte[] name = message;
        if (kind == Kind.ESCAPED) {
            name = Text.unescaped(message, start, end);
            if (name == null) {
                return -1;
            }
            start = 0;
            end = name.length;
        }
        for (int tried = 0; tried < encodedNames.length; tried++) {
            int index = (first + tried) % encodedNames.length;
            byte[] encoded = encodedNames[index];
            if (Arrays.equals(name, start, end, encoded, 0, encoded.length)) {
                return index;
            }
        }
        return -1;
    }

    private Object column(int index, byte[] message) throws BrokenRecord {
        if (kinds[index] == null) {
            throw new BrokenRecord(names[index] + ": missing");
        }
        if (kinds[index] == Kind.NULL) {
            throw new BrokenRecord(names[index] + ": null");
        }
        try {
            return readers[index].read(kinds[index], message, starts[index], ends[index]);
        } catch (BrokenRecord error) {
            throw new BrokenRecord(names[index] + ": " + error.getMessage());
        }
    }

    private static boolean isUtf16OrUtf32(byte[] message) {
        boolean mark = message[0] == (byte) 0xFE || message[0] == (byte) 0xFF;
        return mark || message[0] == 0 || message.length > 1 && message[1] == 0;
    }

    private static boolean startsWith(byte[] message, byte[] start) {
        return message.length >= start.length && Arrays.equals(message, 0, start.length, start, 0, start.length);
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
