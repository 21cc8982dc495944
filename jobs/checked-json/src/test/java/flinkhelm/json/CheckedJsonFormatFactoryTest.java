package flinkhelm.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.junit.jupiter.api.Test;

/** The format as a table names it. */
final class CheckedJsonFormatFactoryTest {

    private final DeserializationFormatFactory factory =
            FactoryUtil.discoverFactory(
                    CheckedJsonFormatFactoryTest.class.getClassLoader(), DeserializationFormatFactory.class, "checked-json");

    @Test
    void flinkFindsItByItsName() {
        assertInstanceOf(CheckedJsonFormatFactory.class, factory);
    }

    @Test
    void itOffersReasonAndMessageAsMetadata() {
        DecodingFormat<?> format = factory.createDecodingFormat(null, options("price:0..,kdv:0..1"));
        assertEquals(Set.of("reason", "message"), format.listReadableMetadata().keySet());
    }

    @Test
    void aRangeThatIsNoneIsRefused() {
        ValidationException error =
                assertThrows(ValidationException.class, () -> factory.createDecodingFormat(null, options("price:0-1")));
        assertEquals("Option ranges: '0-1' is no range: write 0..1, 0.. or ..1", error.getMessage());
    }

    private static Configuration options(String ranges) {
        return Configuration.fromMap(Map.of("ranges", ranges));
    }
}
