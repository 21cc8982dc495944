# Kafka: broker and command line tools, laid out like apache/kafka.
# Built by `python3 -m ci images`, which fetches and checks beforehand what is copied here: the build needs no network.
ARG BASE
FROM ${BASE}
COPY kafka /opt/kafka/libs
COPY image/kafka-log4j2.properties /opt/kafka/config/log4j2.properties
COPY image/kafka-tools-log4j2.properties /opt/kafka/config/tools-log4j2.properties
COPY image/kafka-launcher.sh /opt/kafka/bin/kafka-launcher.sh
RUN echo 'appuser:x:1000:1000::/opt/kafka:/bin/bash' >> /etc/passwd && echo 'appuser:x:1000:' >> /etc/group \
    && cd /opt/kafka/bin \
    && for name in server-start storage topics configs console-producer console-consumer consumer-groups get-offsets; do \
        ln -s kafka-launcher.sh "kafka-$name.sh"; \
    done
ENV LANG=C.UTF-8 PATH=/opt/kafka/bin:/opt/java/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /opt/kafka
USER 1000:1000
EXPOSE 9092
CMD ["bash"]
