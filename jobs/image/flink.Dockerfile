# Flink with PyFlink, the Kafka connector and the KDV job.
# Built by `python3 -m ci images`, which fetches and checks beforehand what is copied here: the build needs no network.
ARG BASE
FROM ${BASE} AS flink
RUN echo 'flink:x:9999:9999::/opt/flink:/bin/bash' >> /etc/passwd && echo 'flink:x:9999:' >> /etc/group
COPY python /usr/lib/python3/dist-packages
RUN python3 -m compileall -q /usr/lib/python3/dist-packages
COPY --chown=9999:9999 flink /opt/flink
COPY image/archive-classes.sh /opt/flink/bin/archive-classes.sh
COPY image/docker-entrypoint.sh /docker-entrypoint.sh
COPY --chown=9999:9999 kdv/kdv.py /opt/flink/usrlib/kdv.py
# Where charts/flink looks for a job that is not named.
RUN ln -s kdv.py /opt/flink/usrlib/job.py
ENV FLINK_HOME=/opt/flink LANG=C.UTF-8 PATH=/opt/flink/bin:/opt/java/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /opt/flink

FROM flink AS archives
RUN archive-classes.sh /archives

FROM flink
COPY --from=archives /archives /opt/flink/
# Read by Flink's start scripts: the first for each process of Flink, the second for the program that reads the configuration for them.
ENV JVM_ARGS="-XX:SharedArchiveFile=/opt/flink/flink.jsa" \
    BASH_JAVA_UTILS_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:SharedArchiveFile=/opt/flink/bash-java-utils.jsa"
USER 9999:9999
EXPOSE 6123 8081
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["help"]
