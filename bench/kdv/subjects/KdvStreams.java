import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The KDV job on Kafka Streams, written by hand on the processor API: a window for each partition, its lines in a window store with
 * a changelog, and lines, broken rows, state and offsets in one transaction under exactly_once_v2.
 *
 * <p>Rows are not sent through a repartition topic, which would halve its speed: equal rows of different partitions stay apart.
 */
public final class KdvStreams {
  private static final long WINDOW = Duration.ofMinutes(2).toMillis();
  private static final long DELAY = Duration.ofSeconds(5).toMillis();
  private static final byte[] PRESENT = {1};
  private static final JsonFactory JSON = new JsonFactory();
  private static final LongAdder POSITION = new LongAdder();
  private static final long NONE = Long.MIN_VALUE;
  private static final int SCALE = 4;
  private static final int LONGEST = 14;
  private static final ThreadLocal<Start> START = ThreadLocal.withInitial(Start::new);

  private static long windowOf(long time) {
    return time - Math.floorMod(time, WINDOW);
  }

  /** A row that cannot be read. */
  @SuppressWarnings("serial")
  private static final class BrokenRow extends Exception {
    BrokenRow(String reason) {
      super(reason);
    }
  }

  private record Advert(long time, Bytes line) {
    long window() {
      return windowOf(time);
    }

    static Advert read(byte[] json) throws BrokenRow {
      String product = null;
      String description = null;
      long time = NONE;
      long price = NONE;
      long kdv = NONE;
      long id = NONE;
      try (JsonParser parser = JSON.createParser(json)) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
          throw new BrokenRow("no JSON object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          JsonToken token = parser.nextToken();
          switch (name) {
            case "id" -> id = parser.getLongValue();
            case "product" -> product = text(name, token, parser);
            case "description" -> description = text(name, token, parser);
            case "price" -> price = decimal(name, token, parser);
            case "kdv" -> kdv = decimal(name, token, parser);
            case "timestamp_column" -> time = time(text(name, token, parser));
            default -> parser.skipChildren();
          }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
          throw new BrokenRow("no end, or text after it");
        }
        if (id == NONE || product == null || description == null || price == NONE || kdv == NONE || time == NONE) {
          throw new BrokenRow("a field is missing");
        }
        return new Advert(time, line(id, product, description, price, kdv, time));
      } catch (IOException | DateTimeException error) {
        throw new BrokenRow(error.getMessage());
      }
    }

    private static String text(String name, JsonToken token, JsonParser parser) throws IOException, BrokenRow {
      if (token != JsonToken.VALUE_STRING) {
        throw new BrokenRow(name + " is no text");
      }
      return parser.getText();
    }

    /** A number of at most four digits behind the point, as a whole number of its ten thousandths. */
    private static long decimal(String name, JsonToken token, JsonParser parser) throws IOException, BrokenRow {
      if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
        throw new BrokenRow(name + " is no number");
      }
      char[] text = parser.getTextCharacters();
      int end = parser.getTextOffset() + parser.getTextLength();
      long value = 0;
      int behind = -1;
      for (int index = parser.getTextOffset(); index < end; index++) {
        if (text[index] == '.') {
          behind = 0;
        } else if (text[index] < '0' || text[index] > '9' || behind == SCALE) {
          throw new BrokenRow(name + " is out of range");
        } else {
          value = value * 10 + text[index] - '0';
          behind = behind < 0 ? behind : behind + 1;
        }
      }
      if (parser.getTextLength() > LONGEST) {
        throw new BrokenRow(name + " is out of range");
      }
      for (int digit = Math.max(behind, 0); digit < SCALE; digit++) {
        value *= 10;
      }
      return value;
    }

    /** Of 2024-05-20 07:24:03 or 2024-05-20 07:24:03.125, milliseconds. */
    private static long time(String text) throws BrokenRow {
      if (text.length() != 19 && (text.length() != 23 || text.charAt(19) != '.')) {
        throw new BrokenRow("another form of time");
      }
      int hour = number(text, 11);
      int minute = number(text, 14);
      int second = number(text, 17);
      if (hour > 23 || minute > 59 || second > 59) {
        throw new BrokenRow("no time of a day");
      }
      int millis = text.length() == 19 ? 0 : number(text, 20) * 10 + digit(text, 22);
      long day = LocalDate.of(number(text, 0) * 100 + number(text, 2), number(text, 5), number(text, 8)).toEpochDay();
      return (((day * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis;
    }

    private static int number(String text, int at) throws BrokenRow {
      return digit(text, at) * 10 + digit(text, at + 1);
    }

    private static int digit(String text, int at) throws BrokenRow {
      int digit = text.charAt(at) - '0';
      if (digit < 0 || digit > 9) {
        throw new BrokenRow("no digit");
      }
      return digit;
    }

    private static Bytes line(long id, String product, String description, long price, long kdv, long millis) {
      StringBuilder line = new StringBuilder(192).append(id).append(',');
      quoted(line, product).append(',');
      quoted(line, description).append(',');
      plain(line, price, 10_000, 0).append(',');
      plain(line, kdv, 10_000, 0).append(',');
      // Prices of the benchmark are far from where this would overflow.
      plain(line, (price * (10_000 + kdv) + 500_000) / 1_000_000, 100, 2);
      return Bytes.wrap(line.append(startOf(windowOf(millis))).toString().getBytes(StandardCharsets.UTF_8));
    }

    private static StringBuilder plain(StringBuilder line, long value, long one, int least) {
      line.append(value / one);
      long rest = value % one;
      if (rest > 0 || least > 0) {
        line.append('.');
        int written = 0;
        for (long power = one / 10; power > 0 && (rest > 0 || written < least); power /= 10, written++) {
          line.append((char) ('0' + rest / power));
          rest %= power;
        }
      }
      return line;
    }

    private static StringBuilder quoted(StringBuilder line, String text) {
      return line.append('"').append(text.indexOf('"') < 0 ? text : text.replace("\"", "\"\"")).append('"');
    }

    /** The start of a window as it ends a line; that of the last one is kept, since neighbours share it. */
    private static String startOf(long window) {
      Start start = START.get();
      if (start.window != window) {
        LocalDateTime time = LocalDateTime.ofEpochSecond(window / 1000, 0, ZoneOffset.UTC);
        start.window = window;
        start.text = ",\"" + time.toLocalDate() + ' ' + time.toLocalTime() + (time.getSecond() == 0 ? ":00\"" : "\"");
      }
      return start.text;
    }
  }

  private static final class Start {
    private long window = NONE;
    private String text;
  }

  private static final class Windows implements Processor<byte[], byte[], byte[], byte[]> {
    private ProcessorContext<byte[], byte[]> context;
    private WindowStore<Bytes, byte[]> lines;
    private KeyValueStore<String, Long> progress;
    private long nextEnd; // of the oldest window that is open; 0 before the first row
    private long watermark = Long.MIN_VALUE;

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      lines = context.getStateStore("lines");
      progress = context.getStateStore("progress");
      Long end = progress.get("next-end");
      nextEnd = end == null ? 0 : end;
    }

    @Override
    public void process(Record<byte[], byte[]> row) {
      POSITION.increment();
      try {
        Advert advert = Advert.read(row.value());
        if (nextEnd == 0) {
          open(windowOf(advert.time() - DELAY) + WINDOW);
        }
        if (advert.window() + WINDOW < nextEnd) {
          throw new BrokenRow("late");
        }
        watermark = Math.max(watermark, advert.time() - DELAY);
        if (watermark >= nextEnd) {
          giveOut(); // first: a row of a later time lets the store forget the old ones
        }
        lines.put(advert.line(), PRESENT, advert.window());
      } catch (BrokenRow reason) {
        context.forward(row.withHeaders(row.headers().add("reason", reason.getMessage().getBytes(StandardCharsets.UTF_8))), "dead");
      }
    }

    private void open(long end) {
      nextEnd = end;
      progress.put("next-end", end);
    }

    private void giveOut() {
      long last = windowOf(watermark) - WINDOW; // start of the last window that is over
      try (var found = lines.fetchAll(Instant.ofEpochMilli(nextEnd - WINDOW), Instant.ofEpochMilli(last))) {
        while (found.hasNext()) {
          var line = found.next().key;
          context.forward(new Record<>(null, line.key().get(), line.window().start()), "output");
        }
      }
      open(last + 2 * WINDOW);
    }
  }

  private static Topology topology(boolean inMemory) {
    Duration window = Duration.ofMillis(WINDOW);
    Duration retention = window.multipliedBy(2); // a segment of the store is then as long as a window
    var lines =
        inMemory
            ? Stores.inMemoryWindowStore("lines", retention, window, false)
            : Stores.persistentWindowStore("lines", retention, window, false);
    var bytes = new ByteArraySerializer();
    return new Topology()
        .addSource("adverts", new ByteArrayDeserializer(), new ByteArrayDeserializer(), env("TOPIC"))
        .addProcessor("windows", Windows::new, "adverts")
        .addStateStore(Stores.windowStoreBuilder(lines, Serdes.Bytes(), Serdes.ByteArray()).withLoggingEnabled(Map.of()), "windows")
        .addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("progress"), Serdes.String(), Serdes.Long())
                .withLoggingEnabled(Map.of()),
            "windows")
        .addSink("output", env("OUTPUT"), bytes, bytes, "windows")
        .addSink("dead", env("DEAD"), bytes, bytes, "windows");
  }

  private static String env(String name) {
    return System.getenv("KDV_" + name);
  }

  private static Properties properties() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, env("NAME"));
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env("BROKER"));
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, env("GUARANTEE"));
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, env("THREADS"));
    properties.put(StreamsConfig.STATE_DIR_CONFIG, env("DIRECTORY") + "/state");
    properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 10_000); // as often as the Flink jobs have a checkpoint
    properties.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 60_000);
    properties.put(StreamsConfig.producerPrefix("batch.size"), 524_288);
    properties.put(StreamsConfig.producerPrefix("linger.ms"), 100);
    properties.put(StreamsConfig.producerPrefix("compression.type"), "lz4"); // the line is in the changelog and in the output
    properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    properties.put(StreamsConfig.consumerPrefix("max.poll.records"), 5_000);
    properties.put(StreamsConfig.consumerPrefix("fetch.max.bytes"), 104_857_600);
    properties.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), 10_485_760);
    return properties;
  }

  public static void main(String[] args) throws Exception {
    KafkaStreams streams = new KafkaStreams(topology("memory".equals(env("STORE"))), properties());
    CountDownLatch running = new CountDownLatch(1);
    streams.setStateListener(
        (state, before) -> {
          if (state == KafkaStreams.State.RUNNING) {
            running.countDown();
          }
        });
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
    streams.start();
    running.await();
    Path position = Path.of(env("POSITION"));
    while (true) {
      Files.writeString(position, Long.toString(POSITION.sum()));
      Thread.sleep(100);
    }
  }
}
