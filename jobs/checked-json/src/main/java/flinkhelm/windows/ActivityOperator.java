package flinkhelm.windows;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.runtime.metrics.groups.TaskIOMetricGroup;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.util.PausableRelativeClock;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.table.data.RowData;

/**
 * Keeps partitions that deliver broken rows alone from holding back the windows. A source counts each row as activity, but a
 * broken one has no time: its partition is never idle, and brings no watermark.
 *
 * <p>It stands right behind a reader, sees all its rows, and passes the source's watermarks on. While a partition has delivered
 * broken rows only for the whole timeout, the partitions with good rows alone decide; where there is none, this reader is idle. A
 * timeout of 0 leaves everything to the source.
 */
final class ActivityOperator extends AbstractStreamOperator<RowData> implements OneInputStreamOperator<RowData, RowData> {

    private static final long serialVersionUID = 1L;
    private static final long LAST = Watermark.MAX_WATERMARK.getTimestamp();
    private static final long LOOKS = 10; // within a timeout

    private final long delay;
    private final long timeout;

    private transient Map<Integer, Partition> partitions;
    // Stands still under backpressure, as the source's own does: timers run on then, and no partition can deliver.
    private transient PausableRelativeClock clock;
    // Milliseconds since the start, without those in which this task stood still.
    private transient long now;
    private transient long lookedAt;
    private transient boolean readerIdle;
    private transient boolean onlyBroken; // some partition
    private transient boolean stalled; // all of them, or silent
    private transient boolean idle;
    private transient long reached;
    private transient long emitted;

    private static final class Partition {
        long latest = Long.MIN_VALUE;
        long good = Long.MIN_VALUE;
        long broken = Long.MIN_VALUE;
    }

    /**
     * @param delay milliseconds that rows may be out of order, as the source's watermarks have it
     * @param timeout milliseconds after which a partition without a good row is idle
     */
    ActivityOperator(long delay, long timeout) {
        this.delay = delay;
        this.timeout = timeout;
    }

    @Override
    public void open() throws Exception {
        super.open();
        partitions = new HashMap<>();
        reached = Long.MIN_VALUE;
        emitted = Long.MIN_VALUE;
        if (timeout > 0) {
            clock = new PausableRelativeClock(getProcessingTimeService().getClock());
            ioMetrics().registerBackPressureListener(clock);
            lookedAt = clock.relativeTimeMillis();
            lookLater();
        }
    }

    @Override
    public void close() throws Exception {
        if (clock != null) {
            ioMetrics().unregisterBackPressureListener(clock);
        }
        super.close();
    }

    private TaskIOMetricGroup ioMetrics() {
        return getContainingTask().getEnvironment().getMetricGroup().getIOMetricGroup();
    }

    private void lookLater() {
        getProcessingTimeService().registerTimer(getProcessingTimeService().getCurrentProcessingTime() + pause(), time -> look());
    }

    private long pause() {
        return Math.max(1, timeout / LOOKS);
    }

    private void look() throws Exception {
        long time = clock.relativeTimeMillis();
        now += Math.min(Math.max(0, time - lookedAt), 2 * pause());
        lookedAt = time;
        judge();
        lookLater();
    }

    private void judge() throws Exception {
        long mark = LAST;
        long lastGood = Long.MIN_VALUE;
        long lastMark = Long.MIN_VALUE;
        onlyBroken = false;
        for (Partition partition : partitions.values()) {
            long own = partition.latest - delay;
            if (recent(partition.good)) {
                mark = Math.min(mark, own);
            } else {
                onlyBroken |= recent(partition.broken);
            }
            if (partition.good != Long.MIN_VALUE && partition.good >= lastGood) {
                lastMark = partition.good > lastGood ? own : Math.min(lastMark, own);
                lastGood = partition.good;
            }
        }
        // Partitions of which nothing is known are idle when the timeout has passed once.
        onlyBroken &= now >= timeout && reached < LAST;
        stalled = onlyBroken && mark == LAST;
        if (onlyBroken) {
            // Where none is left, the one that became idle last decided until then.
            reached = Math.max(reached, stalled ? lastMark : mark);
        }
        announce();
    }

    private boolean recent(long time) {
        return time != Long.MIN_VALUE && now - time < timeout;
    }

    @Override
    public void processElement(StreamRecord<RowData> element) throws Exception {
        RowData row = element.getValue();
        if (timeout > 0) {
            Partition partition = partitions.computeIfAbsent(row.getInt(Windows.PARTITION), number -> new Partition());
            if (row.isNullAt(Windows.REASON)) {
                partition.good = now;
                partition.latest = Math.max(partition.latest, row.getTimestamp(Windows.TIME, 3).getMillisecond());
                if (stalled) {
                    stalled = false;
                    announce();
                }
            } else {
                partition.broken = now;
            }
        }
        output.collect(element);
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        reached = Math.max(reached, mark.getTimestamp());
        onlyBroken &= reached < LAST;
        announce();
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        readerIdle = status.isIdle();
        announce();
    }

    /** Tells the next operator what has changed. A watermark would be lost on it while this reader is idle. */
    private void announce() throws Exception {
        // A source that was idle before its first watermark stays so for such a partition, whatever comes in others.
        boolean idleNow = onlyBroken ? stalled : readerIdle;
        if (idle && (!idleNow || reached > emitted)) {
            idle = false;
            super.processWatermarkStatus(WatermarkStatus.ACTIVE);
        }
        if (reached > emitted) {
            emitted = reached;
            super.processWatermark(new Watermark(emitted));
        }
        if (!idle && idleNow) {
            idle = true;
            super.processWatermarkStatus(WatermarkStatus.IDLE);
        }
    }
}
