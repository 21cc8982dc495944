# Producer, and the tools that make topics and read them.
# Built by `python3 -m ci images`, which fetches and checks beforehand what is copied here: the build needs no network.
ARG BASE
FROM ${BASE}
RUN echo 'flink:x:9999:9999::/opt/kdv:/bin/bash' >> /etc/passwd && echo 'flink:x:9999:' >> /etc/group
COPY python /usr/lib/python3/dist-packages
RUN python3 -m compileall -q /usr/lib/python3/dist-packages
COPY tools/kafka_client.py tools/producer.py tools/records.py tools/topic.py kdv/sample.jsonl /opt/kdv/
ENV LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /opt/kdv
USER 9999:9999
CMD ["python3", "producer.py", "--help"]
