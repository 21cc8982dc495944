package flinkhelm.json;

import java.util.BitSet;

/**
 * Walks over one document in valid UTF-8, strictly as RFC 8259 has it. It looks at each byte once and at nothing deeper than the
 * caller asks for: what is skipped may be of any size and depth, and no number is computed.
 */
final class JsonReader {

    /** What a value is. A text that is {@code ESCAPED} has to be unescaped; {@code WHOLE} is a number of digits alone. */
    enum Kind {
        TEXT,
        ESCAPED,
        WHOLE,
        NUMBER,
        NULL,
        OTHER
    }

    static final String NO_JSON = "no JSON";

    private static final int NOTHING = -1;
    private static final long QUOTES = Eight.ONES * '"';
    private static final long BACKSLASHES = Eight.ONES * '\\';
    private static final long SPACES = Eight.ONES * ' ';

    private final byte[] bytes;
    private int position;

    /** Where the last name, text or number begins and ends, without quotes. */
    int start;

    int end;

    JsonReader(byte[] bytes, int position) {
        this.bytes = bytes;
        this.position = position;
    }

    /** The next byte that is no blank, left where it is; below 0 at the end. */
    int next() {
        while (position < bytes.length) {
            byte next = bytes[position];
            if (next != ' ' && next != '\n' && next != '\r' && next != '\t') {
                return next & 0xFF;
            }
            position++;
        }
        return NOTHING;
    }

    /** Goes over the next byte that is no blank, which has to be this one. */
    void take(char expected) throws BrokenRecord {
        if (next() != expected) {
            throw new BrokenRecord(NO_JSON);
        }
        position++;
    }

    /** Goes over the name of a field and its colon; whether the name has to be unescaped. */
    Kind name() throws BrokenRecord {
        take('"');
        Kind kind = text();
        take(':');
        return kind;
    }

    /** Goes over a value, and all that is in it. */
    Kind value() throws BrokenRecord {
        switch (next()) {
            case '{':
            case '[':
                nested();
                return Kind.OTHER;
            default:
                return scalar();
        }
    }

    /** Goes over the comma before the next field, or over the end of the object: whether there is another field. */
    boolean another() throws BrokenRecord {
        boolean comma = next() == ',';
        take(comma ? ',' : '}');
        return comma;
    }

    private void nested() throws BrokenRecord {
        BitSet objects = new BitSet(); // for each open level: an object, or an array
        int depth = 0;
        do {
            int first = next();
            if (first == '{' || first == '[') {
                position++;
                objects.set(depth++, first == '{');
                if (next() != (first == '{' ? '}' : ']')) {
                    if (first == '{') {
                        name();
                    }
                    continue;
                }
            } else {
                scalar();
            }
            while (depth > 0) {
                boolean object = objects.get(depth - 1);
                if (next() == ',') {
                    position++;
                    if (object) {
                        name();
                    }
                    break;
                }
                take(object ? '}' : ']');
                depth--;
            }
        } while (depth > 0);
    }

    private Kind scalar() throws BrokenRecord {
        switch (next()) {
            case '"':
                position++;
                return text();
            case 't':
                return literal("true", Kind.OTHER);
            case 'f':
                return literal("false", Kind.OTHER);
            case 'n':
                return literal("null", Kind.NULL);
            default:
                return number();
        }
    }

    private Kind literal(String text, Kind kind) throws BrokenRecord {
        for (int index = 0; index < text.length(); index++) {
            if (at() != text.charAt(index)) {
                throw new BrokenRecord(NO_JSON);
            }
            position++;
        }
        return kind;
    }

    /** Goes over a text, the first quote of which is behind. */
    private Kind text() throws BrokenRecord {
        Kind kind = Kind.TEXT;
        start = position;
        position = firstSpecial(position);
        while (at() != '"') {
            if (at() != '\\') { // a control character, or the end
                throw new BrokenRecord(NO_JSON);
            }
            kind = Kind.ESCAPED;
            position++;
            escape();
            position = firstSpecial(position);
        }
        end = position++;
        return kind;
    }

    /** Where the next byte is that does not stand for itself in a text: a quote, a backslash, a control character, or the end. */
    private int firstSpecial(int from) {
        int index = from;
        while (Eight.fit(index, bytes.length)) {
            long eight = Eight.at(bytes, index);
            long controls = (eight - SPACES) & ~eight & Eight.HIGHEST;
            long found = Eight.zeros(eight ^ QUOTES) | Eight.zeros(eight ^ BACKSLASHES) | controls;
            if (found != 0) {
                return index + Eight.first(found); // those behind the first one may be none
            }
            index += Long.BYTES;
        }
        while (index < bytes.length && bytes[index] != '"' && bytes[index] != '\\' && (bytes[index] & 0xFF) >= ' ') {
            index++;
        }
        return index;
    }

    private void escape() throws BrokenRecord {
        int sign = at();
        if (sign < 0 || "\"\\/bfnrtu".indexOf(sign) < 0) {
            throw new BrokenRecord(NO_JSON);
        }
        position++;
        for (int count = 0; sign == 'u' && count < 4; count++) {
            if (Character.digit(at(), 16) < 0) {
                throw new BrokenRecord(NO_JSON);
            }
            position++;
        }
    }

    private Kind number() throws BrokenRecord {
        Kind kind = Kind.WHOLE;
        start = position;
        if (at() == '-') {
            position++;
        }
        if (at() == '0') {
            position++;
        } else {
            digits();
        }
        if (at() == '.') {
            kind = Kind.NUMBER;
            position++;
            digits();
        }
        if (at() == 'e' || at() == 'E') {
            kind = Kind.NUMBER;
            position++;
            if (at() == '+' || at() == '-') {
                position++;
            }
            digits();
        }
        end = position;
        return kind;
    }

    private void digits() throws BrokenRecord {
        int first = position;
        while (at() >= '0' && at() <= '9') {
            position++;
        }
        if (position == first) {
            throw new BrokenRecord(NO_JSON);
        }
    }

    private int at() {
        return position < bytes.length ? bytes[position] & 0xFF : NOTHING;
    }
}
