package flinkhelm.windows;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Collects the lines of each window and bucket, and gives them as one text when the watermark has passed; copies of a line go. A
 * row whose window has closed is late.
 *
 * <p>The watermark that decides is this operator's own and is part of its state, which sources do not have: whatever is restored,
 * at whatever parallelism, no window closes twice and no row is dropped.
 */
final class WindowOperator extends AbstractStreamOperator<RowData>
        implements OneInputStreamOperator<RowData, RowData>, Triggerable<Integer, Long> {

    private static final long serialVersionUID = 1L;
    private static final DateTimeFormatter START = DateTimeFormatter.ofPattern("',\"'uuuu-MM-dd HH:mm:ss'\"'");
    private static final StringData REASON = StringData.fromString("late: its window was closed");
    // A list that only grows is what every backend bears.
    private static final ListStateDescriptor<byte[]> LINES = new ListStateDescriptor<>("lines", BytePrimitiveArraySerializer.INSTANCE);
    private static final ListStateDescriptor<Long> WATERMARK = new ListStateDescriptor<>("watermark", LongSerializer.INSTANCE);

    private final long size;
    private final long future;
    private final int kept;

    private transient long watermark;
    private transient ListState<Long> watermarks;
    private transient InternalTimerService<Long> timers;
    // The buckets of each open window whose timer is set, so as not to ask the timers for every row.
    private transient Map<Long, Set<Integer>> open;

    WindowOperator(long size, long future, int kept) {
        this.size = size;
        this.future = future;
        this.kept = kept;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        watermarks = context.getOperatorStateStore().getUnionListState(WATERMARK);
        watermark = Long.MIN_VALUE;
        // The latest of all: a window that has closed anywhere stays closed, one that is still open closes with the next watermark.
        for (long restored : watermarks.get()) {
            watermark = Math.max(watermark, restored);
        }
        if (future >= 0 && watermark > System.currentTimeMillis() + future) {
            watermark = Long.MIN_VALUE; // a wrong clock, or the end of a drained job: it would make every row late
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        watermarks.update(List.of(watermark));
    }

    @Override
    public void open() throws Exception {
        super.open();
        open = new HashMap<>();
        timers = getInternalTimerService("windows", LongSerializer.INSTANCE, this);
    }

    @Override
    public void processElement(StreamRecord<RowData> element) throws Exception {
        RowData row = element.getValue();
        long time = row.getTimestamp(Windows.TIME, 3).getMillisecond();
        long start = time - time % size;
        if (start + size - 1 <= watermark) {
            output.collect(Windows.LATE, new StreamRecord<>(Windows.reject(row, REASON, kept)));
            return;
        }
        lines(start).add(row.getString(Windows.LINE).toBytes());
        if (open.computeIfAbsent(start, window -> new HashSet<>()).add(row.getInt(Windows.BUCKET))) {
            timers.registerEventTimeTimer(start, start + size - 1);
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        watermark = Math.max(watermark, mark.getTimestamp());
        super.processWatermark(new Watermark(watermark));
    }

    @Override
    public void onEventTime(InternalTimer<Integer, Long> timer) throws Exception {
        long start = timer.getNamespace();
        open.remove(start);
        ListState<byte[]> lines = lines(start);
        byte[] end = LocalDateTime.ofEpochSecond(start / 1000, 0, ZoneOffset.UTC).format(START).getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        Set<StringData> seen = new HashSet<>();
        for (byte[] line : lines.get()) {
            if (seen.add(BinaryStringData.fromBytes(line))) {
                if (text.size() > 0) {
                    text.write('\n');
                }
                text.writeBytes(line);
                text.writeBytes(end);
            }
        }
        lines.clear();
        output.collect(new StreamRecord<>(GenericRowData.of(StringData.fromBytes(text.toByteArray()))));
    }

    /** The lines of the bucket at hand, in the window with this start. */
    private ListState<byte[]> lines(long start) throws Exception {
        return getPartitionedState(start, LongSerializer.INSTANCE, LINES);
    }

    @Override
    public void onProcessingTime(InternalTimer<Integer, Long> timer) {
        throw new IllegalStateException("no such timer is set");
    }
}
