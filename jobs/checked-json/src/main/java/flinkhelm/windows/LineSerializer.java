package flinkhelm.windows;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Lines of a window, which nobody changes: the backend on the heap copies a list after each checkpoint, and copies its lines as well
 * with the serializer of Flink's own.
 */
final class LineSerializer extends TypeSerializerSingleton<byte[]> {

    static final LineSerializer INSTANCE = new LineSerializer();

    private static final long serialVersionUID = 1L;
    private static final BytePrimitiveArraySerializer BYTES = BytePrimitiveArraySerializer.INSTANCE;

    @Override
    public boolean isImmutableType() {
        return true;
    }

    @Override
    public byte[] createInstance() {
        return BYTES.createInstance();
    }

    @Override
    public byte[] copy(byte[] line) {
        return line;
    }

    @Override
    public byte[] copy(byte[] line, byte[] reuse) {
        return line;
    }

    @Override
    public int getLength() {
        return BYTES.getLength();
    }

    @Override
    public void serialize(byte[] line, DataOutputView target) throws IOException {
        BYTES.serialize(line, target);
    }

    @Override
    public byte[] deserialize(DataInputView source) throws IOException {
        return BYTES.deserialize(source);
    }

    @Override
    public byte[] deserialize(byte[] reuse, DataInputView source) throws IOException {
        return BYTES.deserialize(source);
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
        BYTES.copy(source, target);
    }

    /** That of Flink's own: state goes to and from jobs that keep their lines with it. */
    @Override
    public TypeSerializerSnapshot<byte[]> snapshotConfiguration() {
        return BYTES.snapshotConfiguration();
    }
}
