package flinkhelm.json;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.ZoneOffset;

/** How event times are written. Both take seconds with or without a fraction, of which milliseconds are kept. */
enum TimestampFormat {
    SQL("SQL", ' '),
    ISO_8601("ISO-8601", 'T');

    private static final int WITHOUT_FRACTION = "2024-05-20 07:24:03".length();

    private final String name;
    private final char separator;

    TimestampFormat(String name, char separator) {
        this.name = name;
        this.separator = separator;
    }

    @Override
    public String toString() {
        return name;
    }

    /**
     * Milliseconds since 1970, of the text as it stands or, where it names an offset, in UTC.
     *
     * @throws DateTimeException for anything else than a time in this format from 1970 on
     */
    long parse(byte[] text) {
        if (text.length < WITHOUT_FRACTION
                || text[4] != '-'
                || text[7] != '-'
                || text[10] != separator
                || text[13] != ':'
                || text[16] != ':') {
            throw new DateTimeException("another form");
        }
        int hour = number(text, 11, 13);
        int minute = number(text, 14, 16);
        int second = number(text, 17, 19);
        if (hour > 23 || minute > 59 || second > 59) {
            throw new DateTimeException("no time of a day");
        }
        long day = LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10)).toEpochDay();
        int position = WITHOUT_FRACTION;
        int millis = 0;
        if (position < text.length && text[position] == '.') {
            int fraction = ++position;
            while (position < text.length && isDigit(text[position])) {
                position++;
            }
            if (position == fraction || position > fraction + 9) {
                throw new DateTimeException("a fraction of " + (position - fraction) + " digits");
            }
            for (int index = fraction; index < fraction + 3; index++) {
                millis = millis * 10 + (index < position ? text[index] - '0' : 0);
            }
        }
        long offset = 0;
        if (position < text.length) {
            if (this == SQL) {
                throw new DateTimeException("text after the time");
            }
            offset = ZoneOffset.of(new String(text, position, text.length - position, StandardCharsets.UTF_8)).getTotalSeconds();
        }
        long epoch = (((day * 24 + hour) * 60 + minute) * 60 + second - offset) * 1000 + millis;
        if (epoch < 0) {
            throw new DateTimeException("before 1970");
        }
        return epoch;
    }

    private static int number(byte[] text, int from, int to) {
        int value = 0;
        for (int index = from; index < to; index++) {
            if (!isDigit(text[index])) {
                throw new DateTimeException("no digit");
            }
            value = value * 10 + text[index] - '0';
        }
        return value;
    }

    private static boolean isDigit(byte character) {
        return character >= '0' && character <= '9';
    }
}
