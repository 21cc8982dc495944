# A Java runtime of the modules that are needed, beside what BASE holds.
ARG BASE
ARG JDK
FROM ${JDK} AS jdk
ARG MODULES
RUN jlink --add-modules "$MODULES" --compress=2 --no-header-files --no-man-pages --output /opt/java \
    && cp --dereference /etc/ssl/certs/java/cacerts /opt/java/lib/security/cacerts \
    && /opt/java/bin/java -Xshare:dump
FROM ${BASE}
COPY --from=jdk /opt/java /opt/java
COPY --from=jdk /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV JAVA_HOME=/opt/java PATH=/opt/java/bin:/usr/local/bin:/usr/bin:/bin
