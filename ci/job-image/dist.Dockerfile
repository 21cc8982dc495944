# Any Flink, as a job's image needs it: a distribution, and the entrypoint of the other images.
ARG BASE
FROM ${BASE}
RUN echo 'flink:x:9999:9999::/opt/flink:/bin/bash' >> /etc/passwd && echo 'flink:x:9999:' >> /etc/group
COPY python /usr/lib/python3/dist-packages
COPY --chown=9999:9999 flink /opt/flink
COPY docker-entrypoint.sh /docker-entrypoint.sh
ENV FLINK_HOME=/opt/flink LANG=C.UTF-8 PATH=/opt/flink/bin:/opt/java/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /opt/flink
USER 9999:9999
EXPOSE 6123 8081
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["help"]
