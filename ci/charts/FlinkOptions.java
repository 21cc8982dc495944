import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Prints the options of a Flink, one a line: its name, its deprecated names, and a star if it takes free keys below it. Then, after the word
 * "sensitive", what a name holds whose value Flink does not show.
 *
 * <p>Usage: java FlinkOptions.java FLINK_HOME
 */
public final class FlinkOptions {
    private static final byte[] FIELD = "Lorg/apache/flink/configuration/ConfigOption;".getBytes(StandardCharsets.ISO_8859_1);
    /** Options of a table or a metrics reporter, which have a prefix or no place in the configuration. */
    private static final List<String> TABLES = List.of(
            "org.apache.flink.connector.", "org.apache.flink.connectors.", "org.apache.flink.formats.",
            "org.apache.flink.streaming.connectors.", "org.apache.flink.table.factories.", "org.apache.flink.table.catalog.",
            "org.apache.flink.table.runtime.functions.", "org.apache.flink.table.planner.factories.", "org.apache.flink.metrics.");

    public static void main(String[] arguments) throws Exception {
        List<Path> jars = new ArrayList<>();
        for (String directory : List.of("lib", "opt", "plugins")) {
            try (Stream<Path> files = Files.walk(Path.of(arguments[0], directory))) {
                files.filter(file -> file.toString().endsWith(".jar")).sorted().forEach(jars::add);
            }
        }
        for (Path jar : List.copyOf(jars)) {
            if (jar.getFileName().toString().startsWith("flink-table-planner-loader")) {
                jars.add(inner(jar, "flink-table-planner.jar"));
            }
        }
        URL[] urls = new URL[jars.size()];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = jars.get(i).toUri().toURL();
        }
        Map<String, TreeSet<String>> found = new TreeMap<>();
        try (URLClassLoader loader = new URLClassLoader(urls)) {
            for (Path jar : jars) {
                if (jar.getFileName().toString().startsWith("flink-")) {
                    read(jar, loader, found);
                }
            }
            found.forEach((name, others) -> System.out.println((name + " " + String.join(" ", others)).trim()));
            Field hidden = loader.loadClass("org.apache.flink.configuration.GlobalConfiguration").getDeclaredField("SENSITIVE_KEYS");
            hidden.setAccessible(true);
            System.out.println("sensitive " + String.join(" ", (String[]) hidden.get(null)));
        }
        System.exit(0); // some classes start threads
    }

    private static Path inner(Path jar, String name) throws Exception {
        Path copy = Files.createTempFile("flink-", ".jar");
        copy.toFile().deleteOnExit();
        try (ZipFile zip = new ZipFile(jar.toFile()); InputStream in = zip.getInputStream(zip.getEntry(name))) {
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
        }
        return copy;
    }

    private static void read(Path jar, ClassLoader loader, Map<String, TreeSet<String>> found) throws Exception {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : zip.stream().collect(Collectors.toList())) {
                String name = entry.getName();
                if (!name.startsWith("org/apache/flink/") || !name.endsWith(".class") || name.contains("/shaded/")) {
                    continue;
                }
                String type = name.substring(0, name.length() - 6).replace('/', '.');
                if (TABLES.stream().anyMatch(type::startsWith) || !holds(zip.getInputStream(entry).readAllBytes())) {
                    continue;
                }
                try {
                    options(Class.forName(type, true, loader), found);
                } catch (LinkageError | ReflectiveOperationException error) {
                    System.err.println("left out: " + type + ": " + error);
                }
            }
        }
    }

    private static boolean holds(byte[] bytes) {
        outer:
        for (int i = 0; i + FIELD.length <= bytes.length; i++) {
            for (int j = 0; j < FIELD.length; j++) {
                if (bytes[i + j] != FIELD[j]) {
                    continue outer;
                }
            }
            return true;
        }
        return false;
    }

    private static void options(Class<?> type, Map<String, TreeSet<String>> found) throws ReflectiveOperationException {
        Object single = null; // of an object in Scala, whose fields are its instance's
        for (Field field : type.getDeclaredFields()) {
            if (field.getName().equals("MODULE$")) {
                field.setAccessible(true);
                single = field.get(null);
            }
        }
        for (Field field : type.getDeclaredFields()) {
            boolean fixed = Modifier.isStatic(field.getModifiers());
            if (field.getType().getName().equals("org.apache.flink.configuration.ConfigOption") && (fixed || single != null)) {
                field.setAccessible(true);
                Object option = field.get(fixed ? null : single);
                if (option != null) {
                    add(option, found);
                }
            }
        }
    }

    private static void add(Object option, Map<String, TreeSet<String>> found) throws ReflectiveOperationException {
        Class<?> type = option.getClass();
        String key = (String) type.getMethod("key").invoke(option);
        TreeSet<String> others = found.computeIfAbsent(key, name -> new TreeSet<>());
        for (Object old : (Iterable<?>) type.getMethod("fallbackKeys").invoke(option)) {
            if ((boolean) old.getClass().getMethod("isDeprecated").invoke(old)) {
                others.add((String) old.getClass().getMethod("getKey").invoke(old));
            }
        }
        var kind = type.getDeclaredMethod("getClazz");
        kind.setAccessible(true);
        if (kind.invoke(option) == Map.class) {
            others.add("*");
        }
    }
}
