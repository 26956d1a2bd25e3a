# The daemon with two minor versions of etcd: the one it runs and the one
# before, which an instance needs to join a cluster that is not upgraded yet.
# Everything is built from pinned modules; no binary is downloaded.
ARG ETCDVERSION=3.7
ARG ETCDVERSION_PREV=3.6

FROM golang:1.26.8-bookworm AS build
ARG ETCDVERSION
ARG ETCDVERSION_PREV
ENV CGO_ENABLED=0
WORKDIR /src

# etcd first: its layer stays cached while the daemon's source changes.
COPY cmd/etcd cmd/etcd
COPY cmd/etcdctl cmd/etcdctl
RUN set -e; \
    for minor in "$ETCDVERSION_PREV" "$ETCDVERSION"; do \
        go build -C "cmd/etcd/$minor" -trimpath -buildvcs=false -ldflags '-s -w' \
            -o "/out/opt/etcd/$minor/etcd" .; \
    done; \
    go build -C cmd/etcdctl -trimpath -buildvcs=false -ldflags '-s -w' \
        -o /out/opt/etcd/bin/etcdctl .

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

# scratch has no certificates to check AWS by, no place for temporary files,
# and no directory that an unprivileged user may write its data to.
RUN install -D -m 0644 -t /out/etc/ssl/certs /etc/ssl/certs/ca-certificates.crt && \
    install -d -m 1777 /out/tmp && \
    install -d -m 0700 -o 65532 -g 65532 /data/var/lib/etcd-appliance

FROM scratch
ARG ETCDVERSION
ARG ETCDVERSION_PREV
ENV ETCDVERSION=$ETCDVERSION ETCDVERSION_PREV=$ETCDVERSION_PREV PATH=/usr/bin:/opt/etcd/bin
COPY --from=build /out /
COPY --from=build --chown=65532:65532 /data /
USER 65532:65532
VOLUME /var/lib/etcd-appliance
EXPOSE 2379 2380
ENTRYPOINT ["/usr/bin/etcd-appliance"]
CMD ["run"]
