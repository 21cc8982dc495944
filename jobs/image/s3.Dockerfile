# The job image and Flink's plugin for S3 in opt/, from where the chart links it (state.root). Most jobs need no S3, so it is an image of its own.
ARG BASE
FROM ${BASE}
COPY --chown=9999:9999 s3 /opt/flink/opt
USER 9999:9999
