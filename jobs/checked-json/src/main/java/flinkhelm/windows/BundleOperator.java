package flinkhelm.windows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
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
 * <p>No status or barrier of the reader overtakes a row, so that bundles are no state, and no watermark that closes its window. Other
 * readers can close it only where this one was idle, or its row out of order: so none waits longer than in a buffer of the network.
 */
final class BundleOperator extends AbstractStreamOperator<RowData> implements OneInputStreamOperator<RowData, RowData> {

    private static final long serialVersionUID = 1L;
    private static final int FULL = 1 << 14; // bytes of a bundle
    private static final int LIMIT = 1 << 25; // of memory for all of them
    private static final long LONGEST = 100; // milliseconds that a row waits, as in a buffer of the network by default
    private static final int SHOWN = 200;

    private final long size;
    private final boolean fail;
    private final int kept;

    // By the start of the window, and by bucket.
    private transient Map<Long, Map<Integer, Bundle>> bundles;
    private transient Deque<Bundle> spare;
    private transient int memory;

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
        spare = new ArrayDeque<>();
        sendLater();
    }

    private void sendLater() {
        long time = getProcessingTimeService().getCurrentProcessingTime() + LONGEST;
        getProcessingTimeService()
                .registerTimer(
                        time,
                        now -> {
                            giveUpUnused();
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
        memory += bundle.add(row);
        if (bundle.length() >= FULL) {
            send(bundle);
        }
        if (memory >= LIMIT) {
            sendAll();
            giveUpUnused();
        }
    }

    private Bundle empty(long start, int bucket) {
        TimeWindow window = new TimeWindow(start, start + size);
        Bundle bundle = spare.poll();
        if (bundle == null) {
            bundle = new Bundle(window, bucket);
            memory += bundle.memory();
        } else {
            bundle.begin(window, bucket);
        }
        return bundle;
    }

    /** Bytes that bundles take. */
    int memory() {
        return memory;
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
        if (bundle.length() > 0) {
            memory -= bundle.memory();
            output.collect(new StreamRecord<>(bundle.take()));
            memory += bundle.memory();
        }
    }

    /** Frees bundles without a row: none has come since they were sent last. */
    private void giveUpUnused() {
        spare.clear();
        bundles.values().forEach(window -> window.values().removeIf(bundle -> bundle.length() == 0));
        bundles.values().removeIf(Map::isEmpty);
        memory = bundles.values().stream().flatMap(window -> window.values().stream()).mapToInt(Bundle::memory).sum();
    }

    private void sendAll() {
        bundles.values().forEach(window -> window.values().forEach(this::send));
    }

    /** Sends what would be late behind this watermark. */
    private void sendUntil(long watermark) {
        Iterator<Map.Entry<Long, Map<Integer, Bundle>>> windows = bundles.entrySet().iterator();
        while (windows.hasNext()) {
            Map.Entry<Long, Map<Integer, Bundle>> window = windows.next();
            if (window.getKey() + size - 1 <= watermark) {
                for (Bundle bundle : window.getValue().values()) {
                    send(bundle);
                    spare.push(bundle);
                }
                windows.remove();
            }
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        sendUntil(mark.getTimestamp());
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
