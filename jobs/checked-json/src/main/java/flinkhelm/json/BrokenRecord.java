package flinkhelm.json;

/** A record is not what its table says; the message is the reason. Costs no stack trace: there may be many. */
final class BrokenRecord extends Exception {

    private static final long serialVersionUID = 1L;

    BrokenRecord(String reason) {
        super(reason, null, false, false);
    }
}
