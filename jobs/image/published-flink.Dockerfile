# Stands in for Flink's own image, flink:<version>-java17, where no registry answers: what that one holds, and no more. No Python, no job, no
# connector, no class data archives.
# Built by `python3 -m ci images`, which fetches and checks beforehand what is copied here: the build needs no network.
ARG BASE
FROM ${BASE}
# By name and not by number, as the published one has it: Kubernetes cannot tell from a name that it is not root's.
ARG RUNS_AS
RUN echo 'flink:x:9999:9999::/opt/flink:/bin/sh' >> /etc/passwd && echo 'flink:x:9999:' >> /etc/group
ENV FLINK_HOME=/opt/flink \
    PATH=/opt/flink/bin:/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8
COPY --chown=9999:9999 flink /opt/flink
COPY image/published-flink-entrypoint.sh /docker-entrypoint.sh
COPY image/gosu.sh /usr/local/bin/gosu
RUN [ "$RUNS_AS" = root ] || rm /usr/local/bin/gosu
WORKDIR /opt/flink
USER flink
# Listening to other hosts is all that it changes in the configuration that Flink ships.
RUN config-parser-utils.sh conf bin lib -repKV rest.address,localhost,0.0.0.0 -repKV rest.bind-address,localhost,0.0.0.0 \
    -repKV jobmanager.bind-host,localhost,0.0.0.0 -repKV taskmanager.bind-host,localhost,0.0.0.0 -rmKV taskmanager.host=localhost
USER ${RUNS_AS}
EXPOSE 6123 8081
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["help"]
