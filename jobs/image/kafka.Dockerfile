# Stands in for apache/kafka, where no registry answers: broker and command line tools in the folders of the published image, and its volumes.
# Built by `python3 -m ci images`, which fetches and checks beforehand what is copied here: the build needs no network.
ARG BASE
FROM ${BASE}
COPY --chown=1000:1000 kafka /opt/kafka/libs
COPY --chown=1000:1000 image/kafka-log4j2.properties /opt/kafka/config/log4j2.properties
COPY --chown=1000:1000 image/kafka-tools-log4j2.properties /opt/kafka/config/tools-log4j2.properties
COPY --chown=1000:1000 image/kafka-launcher.sh /opt/kafka/bin/kafka-launcher.sh
COPY image/kafka-run.sh /etc/kafka/docker/run
COPY image/kafka-server.properties /etc/kafka/docker/server.properties
RUN echo 'appuser:x:1000:1000::/home/appuser:/bin/bash' >> /etc/passwd && echo 'appuser:x:1000:' >> /etc/group \
    && cd /opt/kafka/bin \
    && for name in server-start storage topics configs console-producer console-consumer consumer-groups get-offsets; do \
        ln -s kafka-launcher.sh "kafka-$name.sh"; \
    done \
    && chown 1000:1000 /opt/kafka /opt/kafka/config /opt/kafka/bin \
    && mkdir -p /home/appuser /var/lib/kafka/data /etc/kafka/secrets /mnt/shared/config /usr/logs \
    && chown -R 1000:1000 /home/appuser /mnt/shared/config /usr/logs \
    && chown -R 1000:0 /var/lib/kafka /etc/kafka && chmod -R ug+w /var/lib/kafka /etc/kafka
ENV LANG=C.UTF-8 PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /
USER appuser
EXPOSE 9092
# Mounted over what a pod mounts above them.
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
