package flinkhelm.hive;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;

/**
 * Loads the class path as Java 8 did, by a URLClassLoader, which Hive's sessions cast their class loader to. Name it to a JVM
 * by {@code -Djava.system.class.loader}.
 */
public final class HiveClassLoader extends URLClassLoader {
    static {
        registerAsParallelCapable();
    }

    /** Of what the JVM has made for its class path. */
    public HiveClassLoader(ClassLoader builtIn) throws MalformedURLException {
        super(new URL[0], builtIn.getParent());
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!path.isEmpty()) {
                appendToClassPathForInstrumentation(path);
            }
        }
    }

    /** The JVM asks for it by this name for each agent; see java.lang.instrument. */
    void appendToClassPathForInstrumentation(String path) throws MalformedURLException {
        addURL(new File(path).toURI().toURL());
    }
}
