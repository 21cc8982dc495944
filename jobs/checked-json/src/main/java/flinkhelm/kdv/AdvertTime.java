package flinkhelm.kdv;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * The time of an advert; none for one from the future, so that a wrong clock does not close windows. It is held against the clock
 * and against the time at which Kafka received the record, of which 0 and less stand for unknown.
 */
public final class AdvertTime extends ScalarFunction {

    private static final long serialVersionUID = 1L;

    @Override
    public boolean isDeterministic() {
        return false;
    }

    /**
     * @param future milliseconds that a time may be beyond both; below 0: any
     */
    @DataTypeHint(value = "TIMESTAMP(3)", bridgedTo = TimestampData.class)
    public TimestampData eval(
            @DataTypeHint(value = "TIMESTAMP(3)", bridgedTo = TimestampData.class) TimestampData time,
            @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData received,
            @DataTypeHint("BIGINT NOT NULL") long future) {
        return time == null || isFuture(time, received, future) ? null : time;
    }

    static boolean isFuture(TimestampData time, TimestampData received, long future) {
        if (future < 0) {
            return false;
        }
        long earliest = time.getMillisecond() - future;
        long sent = received.getMillisecond();
        return earliest > System.currentTimeMillis() || earliest > sent && sent > 0;
    }
}
