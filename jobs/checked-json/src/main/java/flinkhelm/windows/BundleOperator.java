package flinkhelm.windows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.table.data.RowData;

/**
 * Sends rows to the windows in bundles, one for each window and bucket, since each costs the network and the state as much as a row
 * on its own would. Broken rows go aside.
 *
 * <p>A row waits no longer than in a buffer of the network, and no watermark, status or barrier of its reader overtakes it: bundles
 * are no state, and whether a row is late does not depend on them.
 */
final class BundleOperator extends AbstractStreamOperator<RowData> implements OneInputStreamOperator<RowData, RowData> {

    private static final long serialVersionUID = 1L;
    private static final int FULL = 1 << 14; // bytes of a bundle
    private static final int LIMIT = 1 << 23; // of all of them
    private static final int EMPTY = 1 << 10; // what one without rows is counted as
    private static final long LONGEST = 100; // milliseconds that a row waits, as in a buffer of the network by default
    private static final int SHOWN = 200;

    private final long size;
    private final boolean fail;
    private final int kept;

    // By the start of the window, and by bucket.
    private transient Map<Long, Map<Integer, Bundle>> bundles;
    private transient int length;

    /**
     * @param size milliseconds of a window
     * @param fail whether a broken row fails the job
     * @param kept how many bytes of a broken row's message are kept at most
     */
    BundleOperator(long size, boolean fail, int kept) {
        this.size = size;
        this.fail = fail;
        this.kept = kept;
    }

    @Override
    public void open() throws Exception {
        super.open();
        bundles = new HashMap<>();
        sendLater();
    }

    private void sendLater() {
        long time = getProcessingTimeService().getCurrentProcessingTime() + LONGEST;
        getProcessingTimeService()
                .registerTimer(
                        time,
                        now -> {
                            sendAll();
                            sendLater();
                        });
    }

    @Override
    public void processElement(StreamRecord<RowData> element) throws Exception {
        RowData row = element.getValue();
        if (row.isNullAt(Windows.REASON)) {
            add(row);
        } else {
            reject(row);
        }
    }

    private void add(RowData row) throws IOException {
        long time = row.getTimestamp(Windows.TIME, 3).getMillisecond();
        long start = time - time % size;
        int bucket = row.getInt(Windows.BUCKET);
        Bundle bundle = bundles.computeIfAbsent(start, none -> new HashMap<>()).computeIfAbsent(bucket, none -> empty(start, bucket));
        length += bundle.add(row);
        if (bundle.length() >= FULL) {
            send(bundle);
        } else if (length >= LIMIT) {
            sendAll();
        }
    }

    private Bundle empty(long start, int bucket) {
        length += EMPTY;
        return new Bundle(new TimeWindow(start, start + size), bucket);
    }

    private void reject(RowData row) {
        byte[] message = row.isNullAt(Windows.MESSAGE) ? null : row.getBinary(Windows.MESSAGE);
        if (fail) {
            String beginning =
                    message == null ? "" : new String(message, 0, Math.min(message.length, SHOWN), StandardCharsets.UTF_8);
            throw new IllegalArgumentException("Broken record: " + row.getString(Windows.REASON) + ": " + beginning);
        }
        RowData reject =
                Windows.reject(message, row.getString(Windows.REASON), row.getInt(Windows.PARTITION), row.getLong(Windows.OFFSET), kept);
        output.collect(Windows.BROKEN, new StreamRecord<>(reject));
    }

    private void send(Bundle bundle) {
        length -= bundle.length();
        output.collect(new StreamRecord<>(bundle.take()));
    }

    private void sendAll() {
        for (Map<Integer, Bundle> window : bundles.values()) {
            for (Bundle bundle : window.values()) {
                if (bundle.length() > 0) {
                    send(bundle);
                }
            }
        }
        bundles.clear();
        length = 0;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        sendAll();
        super.processWatermark(mark);
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        sendAll();
        super.processWatermarkStatus(status);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
        sendAll();
        super.prepareSnapshotPreBarrier(checkpointId);
    }

    @Override
    public void finish() throws Exception {
        sendAll();
        super.finish();
    }
}
