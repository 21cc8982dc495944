package flinkhelm.kdv;

import flinkhelm.windows.Windows;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.DataType;

/** Each record with its line of CSV, or with the reason why it has none. A record with a flaw lacks the columns before it. */
public final class Adverts implements MapFunction<RowData, RowData> {

    private static final long serialVersionUID = 1L;
    // As bytes: what is made of a String is encoded by the first thread that asks.
    private static final StringData FUTURE = StringData.fromBytes("timestamp_column: in the future".getBytes(StandardCharsets.UTF_8));

    private static final String COLUMNS =
            "id, product, description, price, kdv, timestamp_column, flaw, message, `partition`, `offset`, received";
    private static final int ID = 0;
    private static final int PRODUCT = 1;
    private static final int DESCRIPTION = 2;
    private static final int PRICE = 3;
    private static final int KDV = 4;
    private static final int TIME = 5;
    private static final int FLAW = 6;
    private static final int MESSAGE = 7;
    private static final int PARTITION = 8;
    private static final int OFFSET = 9;
    private static final int RECEIVED = 10;

    private static final int PRICE_PRECISION = 18;
    private static final int KDV_PRECISION = 5;

    private final long future;
    private final int buckets;

    private transient AdvertLine line;

    /**
     * @param future milliseconds that a time may be beyond the clock; below 0: any
     * @param buckets into which the rows of a window are divided, by their id
     */
    Adverts(long future, int buckets) {
        this.future = future;
        this.buckets = buckets;
    }

    /** The rows of the table {@code adverts} as {@link Windows} takes them; the arguments are the constructor's. */
    public static DataStream<RowData> judged(StreamTableEnvironment tables, long future, int buckets) {
        Table adverts = tables.sqlQuery("SELECT " + COLUMNS + " FROM adverts");
        DataType internal = adverts.getResolvedSchema().toPhysicalRowDataType().bridgedTo(RowData.class);
        DataStream<RowData> read = tables.toDataStream(adverts, internal);
        return read.map(new Adverts(future, buckets)).name("adverts").uid("adverts").returns(Windows.ROWS);
    }

    @Override
    public RowData map(RowData advert) {
        if (!advert.isNullAt(FLAW)) {
            return row(advert, null, null, null, advert.getString(FLAW));
        }
        TimestampData time = advert.getTimestamp(TIME, 3);
        if (AdvertTime.isFuture(time, advert.getTimestamp(RECEIVED, 3), future)) {
            return row(advert, null, null, null, FUTURE);
        }
        if (line == null) {
            line = new AdvertLine();
        }
        long id = advert.getLong(ID);
        StringData csv =
                line.of(
                        id,
                        advert.getString(PRODUCT),
                        advert.getString(DESCRIPTION),
                        advert.getDecimal(PRICE, PRICE_PRECISION, AdvertLine.SCALE),
                        advert.getDecimal(KDV, KDV_PRECISION, AdvertLine.SCALE));
        return row(advert, time, (int) (id % buckets), csv, null);
    }

    private static RowData row(RowData advert, TimestampData time, Integer bucket, StringData line, StringData reason) {
        byte[] message = advert.isNullAt(MESSAGE) ? null : advert.getBinary(MESSAGE);
        return GenericRowData.of(time, bucket, line, reason, message, advert.getInt(PARTITION), advert.getLong(OFFSET));
    }
}
