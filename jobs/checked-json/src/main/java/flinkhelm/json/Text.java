package flinkhelm.json;

import java.util.Arrays;

/** Texts as they stand in a document. */
final class Text {

    private Text() {}

    /** The UTF-8 of a text with valid escapes; null if one of them is half of a surrogate pair, which no UTF-8 has. */
    static byte[] unescaped(byte[] bytes, int start, int end) {
        byte[] result = new byte[end - start]; // no escape is shorter than what it stands for
        int length = 0;
        int position = start;
        while (position < end) {
            int first = position;
            position = Eight.find('\\', bytes, first, end);
            System.arraycopy(bytes, first, result, length, position - first);
            length += position - first;
            if (position == end) {
                break;
            }
            int sign = bytes[position + 1];
            if (sign != 'u') {
                result[length++] = meaning(sign);
                position += 2;
                continue;
            }
            int character = unit(bytes, position);
            position += 6;
            if (Character.isHighSurrogate((char) character) && position < end && bytes[position] == '\\' && bytes[position + 1] == 'u') {
                character = pair((char) character, (char) unit(bytes, position));
                position += 6;
            }
            if (character < 0 || character <= 0xFFFF && Character.isSurrogate((char) character)) {
                return null;
            }
            length = encode(character, result, length);
        }
        return Arrays.copyOf(result, length);
    }

    /** Writes a character as UTF-8, and returns where it ends. */
    private static int encode(int character, byte[] target, int position) {
        if (character < 0x80) {
            target[position++] = (byte) character;
            return position;
        }
        int bits = character < 0x800 ? 6 : character < 0x10000 ? 12 : 18; // behind those of the first byte
        target[position++] = (byte) ((bits == 6 ? 0xC0 : bits == 12 ? 0xE0 : 0xF0) | character >> bits);
        while (bits > 0) {
            bits -= 6;
            target[position++] = (byte) (0x80 | character >> bits & 0x3F);
        }
        return position;
    }

    private static byte meaning(int sign) {
        switch (sign) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            default:
                return (byte) sign;
        }
    }

    /** What the escape "\\uXXXX" at a position stands for. */
    private static int unit(byte[] bytes, int position) {
        int value = 0;
        for (int index = position + 2; index < position + 6; index++) {
            value = value * 16 + Character.digit(bytes[index], 16);
        }
        return value;
    }

    private static int pair(char high, char low) {
        return Character.isLowSurrogate(low) ? Character.toCodePoint(high, low) : -1;
    }
}
