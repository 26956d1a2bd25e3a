# The daemon with two minor versions of etcd: the one it runs and the one
# before, which an instance needs to join a cluster that is not upgraded yet.
# Everything is built from pinned modules; no binary is downloaded.
ARG ETCDVERSION=3.7
ARG ETCDVERSION_PREV=3.6
# Any image with this version of Go, a shell and certificates will do.
ARG BASE=golang:1.26.8-bookworm

FROM ${BASE} AS build
ARG ETCDVERSION
ARG ETCDVERSION_PREV
ENV CGO_ENABLED=0
WORKDIR /src

# etcd first: its layer stays cached while the daemon's source changes.
COPY cmd/etcd cmd/etcd
COPY cmd/etcdctl cmd/etcdctl
COPY cmd/etcdutl cmd/etcdutl
COPY cmd/tools/release/go.mod cmd/tools/release/go.sum cmd/tools/release/
RUN set -e; \
    for minor in "$ETCDVERSION_PREV" "$ETCDVERSION"; do \
        go build -C "cmd/etcd/$minor" -trimpath -buildvcs=false -ldflags '-s -w' \
            -o "/out/opt/etcd/$minor/etcd" .; \
    done; \
    go build -C cmd/etcdctl -trimpath -buildvcs=false -ldflags '-s -w' \
        -o /out/opt/etcd/bin/etcdctl .; \
    go build -C cmd/etcdutl -trimpath -buildvcs=false -ldflags '-s -w' \
        -o /out/opt/etcd/bin/etcdutl go.etcd.io/etcd/etcdutl/v3; \
    go build -C cmd/tools/release -o /tools/ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

COPY go.mod go.sum ./
RUN go mod download
COPY agent agent
COPY states states
COPY effects effects
COPY sim sim
COPY cmd/etcd-appliance cmd/etcd-appliance
ARG VERSION=unknown
RUN go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" \
        -o /out/usr/bin/etcd-appliance ./cmd/etcd-appliance

# What each binary was built of, as it tells itself.
RUN set -e; mkdir -p /out/usr/share/sbom; \
    sbom() { /tools/cyclonedx-gomod bin -json -noserial -version "$VERSION" -output "/out/usr/share/sbom/$1.cdx.json" "$2"; }; \
    sbom etcd-appliance /out/usr/bin/etcd-appliance; \
    sbom etcdctl /out/opt/etcd/bin/etcdctl; \
    sbom etcdutl /out/opt/etcd/bin/etcdutl; \
    for minor in "$ETCDVERSION_PREV" "$ETCDVERSION"; do sbom "etcd-$minor" "/out/opt/etcd/$minor/etcd"; done

# scratch has no certificates to check AWS by, no place for temporary files,
# and no directory that an unprivileged user may write its data to.
RUN mkdir -p /out/etc/ssl/certs /out/tmp /data/var/lib/etcd-appliance && \
    cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ && \
    chmod 1777 /out/tmp && \
    chmod 0700 /data/var/lib/etcd-appliance && chown 65532:65532 /data/var/lib/etcd-appliance

FROM scratch
ARG ETCDVERSION
ARG ETCDVERSION_PREV
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="etcd-appliance" \
      org.opencontainers.image.description="runs etcd on the instances of an EC2 auto-scaling group" \
      org.opencontainers.image.source="https://github.com/etcd-appliance/etcd-appliance" \
      org.opencontainers.image.documentation="https://github.com/etcd-appliance/etcd-appliance/blob/main/docs/install.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV ETCDVERSION=$ETCDVERSION ETCDVERSION_PREV=$ETCDVERSION_PREV PATH=/usr/bin:/opt/etcd/bin
COPY --from=build /out /
COPY --from=build --chown=65532:65532 /data /
USER 65532:65532
VOLUME /var/lib/etcd-appliance
# An image in the format of Docker has it; that of OCI knows no health checks.
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s CMD ["/usr/bin/etcd-appliance", "status", "--live"]
EXPOSE 2379 2380
ENTRYPOINT ["/usr/bin/etcd-appliance"]
CMD ["run"]
