package flinkhelm.json;

/** Whether bytes are UTF-8 as RFC 3629 has it: no surrogates, nothing longer than need be, nothing beyond U+10FFFF. */
final class Utf8 {

    private Utf8() {}

    static boolean isValid(byte[] bytes) {
        return isShort(bytes) || isAny(bytes);
    }

    /** Whether they are UTF-8 with characters of one and two bytes only: eight at a time, without a branch for each character. */
    private static boolean isShort(byte[] bytes) {
        long wrong = 0;
        long lead = 0; // whether the last byte of the former eight was the first of two
        for (int position = 0; wrong == 0 && position < bytes.length; position += Long.BYTES) {
            long eight = Eight.upTo(bytes, position);
            long highest = eight & Eight.HIGHEST;
            long second = eight << 1 & Eight.HIGHEST; // bits, each at the place of the highest
            long leads = highest & second;
            long continuing = highest & ~second;
            long longer = eight << 2; // 0xE0 and above
            long notOverlong = eight << 3 | eight << 4 | eight << 5 | eight << 6; // 0xC2 and above
            wrong |= leads & (longer | ~notOverlong) | (leads << Byte.SIZE | lead) ^ continuing;
            lead = leads >>> Long.SIZE - Byte.SIZE;
        }
        return wrong == 0 && lead == 0;
    }

    private static boolean isAny(byte[] bytes) {
        int position = 0;
        while (position < bytes.length) {
            if (Eight.fit(position, bytes.length)) {
                long others = Eight.at(bytes, position) & Eight.HIGHEST; // not ASCII
                if (others == 0) {
                    position += Long.BYTES;
                    continue;
                }
                position += Eight.first(others);
            }
            int length = length(bytes, position);
            if (length == 0) {
                return false;
            }
            position += length;
        }
        return true;
    }

    /** The number of bytes of the character at a position, 0 if there is none. */
    private static int length(byte[] bytes, int position) {
        int lead = bytes[position];
        if (lead >= 0) {
            return 1;
        }
        int second = position + 1 < bytes.length ? bytes[position + 1] & 0xFF : 0;
        switch (lead & 0xFF) {
            case 0xE0:
                return second >= 0xA0 && second <= 0xBF && continues(bytes, position + 2, 1) ? 3 : 0;
            case 0xED:
                return second >= 0x80 && second <= 0x9F && continues(bytes, position + 2, 1) ? 3 : 0;
            case 0xF0:
                return second >= 0x90 && second <= 0xBF && continues(bytes, position + 2, 2) ? 4 : 0;
            case 0xF4:
                return second >= 0x80 && second <= 0x8F && continues(bytes, position + 2, 2) ? 4 : 0;
            default:
                break;
        }
        if (lead >= (byte) 0xC2 && lead <= (byte) 0xDF) {
            return continues(bytes, position + 1, 1) ? 2 : 0;
        }
        if (lead >= (byte) 0xE1 && lead <= (byte) 0xEF) {
            return continues(bytes, position + 1, 2) ? 3 : 0;
        }
        if (lead >= (byte) 0xF1 && lead <= (byte) 0xF3) {
            return continues(bytes, position + 1, 3) ? 4 : 0;
        }
        return 0;
    }

    /** Whether so many bytes from a position on are no first ones of a character. */
    private static boolean continues(byte[] bytes, int position, int count) {
        if (position + count > bytes.length) {
            return false;
        }
        for (int index = position; index < position + count; index++) {
            if ((bytes[index] & 0xC0) != 0x80) {
                return false;
            }
        }
        return true;
    }
}
