package flinkhelm.windows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Collects the lines of each window and bucket from their bundles, and gives them as one text when the watermark has passed; copies
 * of a line go. A row whose window has closed is late.
 *
 * <p>The watermark that decides is this operator's own and is part of its state, which sources do not have: whatever is restored,
 * at whatever parallelism, no window closes twice and no row is dropped. A window knows its own start and end, so that one which
 * was open when the size changed closes at the end that it had.
 */
final class WindowOperator extends AbstractStreamOperator<RowData>
        implements OneInputStreamOperator<RowData, RowData>, Triggerable<Integer, TimeWindow> {

    private static final long serialVersionUID = 1L;
    private static final DateTimeFormatter START = DateTimeFormatter.ofPattern("',\"'uuuu-MM-dd HH:mm:ss'\"'");
    private static final StringData REASON = StringData.fromBytes("late: its window was closed".getBytes(StandardCharsets.UTF_8));
    // Clocks differ, and the rows that made a restored watermark were held against those of other machines.
    private static final long SLACK = 3_600_000;
    private static final long AT_ONCE = Long.MIN_VALUE;
    // A list that only grows is what every backend bears.
    private static final ListStateDescriptor<byte[]> LINES = new ListStateDescriptor<>("lines", LineSerializer.INSTANCE);
    private static final ListStateDescriptor<Long> WATERMARK = new ListStateDescriptor<>("watermark", LongSerializer.INSTANCE);
    private static final TimeWindow.Serializer WINDOW = new TimeWindow.Serializer();

    private final long future;
    private final int kept;

    private transient long watermark;
    // What another run has to know of it: the end of the input closes all windows there are, but none that are still to come.
    private transient long reached;
    private transient long latest;
    private transient boolean restored;
    private transient ListState<Long> watermarks;
    private transient InternalTimerService<TimeWindow> timers;
    // The buckets of each open window whose timer is set, so as not to ask the timers for every bundle.
    private transient Map<TimeWindow, Set<Integer>> open;

    WindowOperator(long future, int kept) {
        this.future = future;
        this.kept = kept;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        restored = context.isRestored();
        watermarks = context.getOperatorStateStore().getUnionListState(WATERMARK);
        watermark = Long.MIN_VALUE;
        // The latest of all: a window that has closed anywhere stays closed, one that is still open closes with the next watermark.
        for (long other : watermarks.get()) {
            watermark = Math.max(watermark, other);
        }
        latest = future < 0 ? Long.MAX_VALUE : System.currentTimeMillis() + future + SLACK;
        if (watermark > latest) {
            watermark = Long.MIN_VALUE; // a wrong clock: it would make every row late
        }
        reached = watermark;
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        watermarks.update(List.of(reached));
    }

    @Override
    public void open() throws Exception {
        super.open();
        open = new HashMap<>();
        timers = getInternalTimerService("windows", WINDOW, this);
        if (restored) {
            closeWhatNoRowCanReach();
        }
    }

    /** Lets windows of a wrong clock close with the next watermark: their own end would never come. */
    private void closeWhatNoRowCanReach() throws Exception {
        List<Map.Entry<Object, TimeWindow>> far = new ArrayList<>();
        timers.forEachEventTimeTimer(
                (window, time) -> {
                    if (window.getStart() > latest) {
                        far.add(Map.entry(getCurrentKey(), window));
                    }
                });
        for (Map.Entry<Object, TimeWindow> entry : far) {
            setCurrentKey(entry.getKey());
            timers.deleteEventTimeTimer(entry.getValue(), entry.getValue().maxTimestamp());
            timers.registerEventTimeTimer(entry.getValue(), AT_ONCE);
        }
    }

    @Override
    public void processElement(StreamRecord<RowData> element) throws Exception {
        RowData bundle = element.getValue();
        Bundle.check(bundle);
        TimeWindow window = Bundle.window(bundle);
        if (window.maxTimestamp() <= watermark) {
            for (RowData reject : Bundle.rejects(bundle, REASON, kept)) {
                output.collect(Windows.LATE, new StreamRecord<>(reject));
            }
            return;
        }
        lines(window).addAll(Bundle.lines(bundle));
        if (open.computeIfAbsent(window, none -> new HashSet<>()).add(bundle.getInt(Bundle.BUCKET))) {
            timers.registerEventTimeTimer(window, window.maxTimestamp());
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        watermark = Math.max(watermark, mark.getTimestamp());
        if (!ended()) {
            reached = watermark;
        }
        super.processWatermark(new Watermark(watermark));
    }

    private boolean ended() {
        return watermark == Watermark.MAX_WATERMARK.getTimestamp();
    }

    @Override
    public void onEventTime(InternalTimer<Integer, TimeWindow> timer) throws Exception {
        TimeWindow window = timer.getNamespace();
        if (ended()) {
            reached = Math.max(reached, window.maxTimestamp());
        }
        open.remove(window);
        ListState<byte[]> state = lines(window);
        Iterable<byte[]> lines = state.get();
        if (lines == null) {
            return;
        }
        byte[] end = LocalDateTime.ofEpochSecond(window.getStart() / 1000, 0, ZoneOffset.UTC).format(START).getBytes(StandardCharsets.UTF_8);
        byte[] text = text(lines, end);
        state.clear();
        if (text.length > 0) {
            output.collect(new StreamRecord<>(GenericRowData.of(StringData.fromBytes(text))));
        }
    }

    /** Each line once, with its end. */
    private static byte[] text(Iterable<byte[]> lines, byte[] end) {
        Set<BinaryStringData> different = new LinkedHashSet<>();
        int length = 0;
        for (byte[] line : lines) {
            if (different.add(BinaryStringData.fromBytes(line))) {
                length = Math.addExact(length, line.length + end.length + 1);
            }
        }
        ByteBuffer text = ByteBuffer.allocate(Math.max(0, length - 1));
        for (BinaryStringData line : different) {
            if (text.position() > 0) {
                text.put((byte) '\n');
            }
            text.put(line.toBytes()).put(end);
        }
        return text.array();
    }

    /** The lines of the bucket at hand, in this window. */
    private ListState<byte[]> lines(TimeWindow window) throws Exception {
        return getPartitionedState(window, WINDOW, LINES);
    }

    @Override
    public void onProcessingTime(InternalTimer<Integer, TimeWindow> timer) {
        throw new IllegalStateException("no such timer is set");
    }
}
