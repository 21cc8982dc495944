# A Java runtime of the modules that are needed, in the folder JAVA, beside what BASE holds.
ARG BASE
ARG JDK
FROM ${JDK} AS jdk
ARG MODULES
ARG JAVA
RUN jlink --add-modules "$MODULES" --compress=2 --no-header-files --no-man-pages --output "$JAVA" \
    && cp --dereference /etc/ssl/certs/java/cacerts "$JAVA/lib/security/cacerts" \
    && "$JAVA/bin/java" -Xshare:dump
FROM ${BASE}
ARG JAVA
COPY --from=jdk ${JAVA} ${JAVA}
COPY --from=jdk /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV JAVA_HOME=${JAVA} PATH=${JAVA}/bin:/usr/local/bin:/usr/bin:/bin
