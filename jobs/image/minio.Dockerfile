# MinIO, a store that speaks S3, for trials and tests.
# Built by `python3 -m ci images`, which compiles beforehand what is copied here: the build needs no network.
ARG BASE
FROM ${BASE}
RUN echo 'minio:x:1000:1000::/data:/bin/sh' >> /etc/passwd && echo 'minio:x:1000:' >> /etc/group
COPY minio /usr/local/bin/minio
ENV LANG=C.UTF-8
USER 1000:1000
EXPOSE 9000
CMD ["minio", "server", "/data"]
