#!/usr/bin/env bash
# cmd/tools/release/image-test.sh VERSION
# Builds the image with buildah, and has three instances of the local cloud run
# it: they form a cluster and serve a write. No registry is asked: the base
# image is made here, of this machine's Go and of Debian's busybox. The containers
# share the network, since the instances of the local cloud are on loopback.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
version=$1
work=$PWD/.cache/image-test
log=$work/cloud.log
cloud=

# vfs and chroot need nothing of the kernel that a container may lack.
store() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

fail() {
	echo "image-test: $*" >&2
	tail -n 30 "$work"/cloud/*.log "$log" >&2 2>/dev/null || true
	exit 1
}

clean() {
	if [ -n "$cloud" ] && kill -TERM "$cloud" 2>/dev/null; then wait "$cloud" || true; fi
	store rm --all >/dev/null 2>&1 || true
	rm -rf "$work"
}

# base makes what the build stage starts from.
base() {
	local busybox container root
	busybox=$(command -v busybox) || fail 'no busybox (a package of Debian, busybox-static)'
	! ldd "$busybox" >/dev/null 2>&1 || fail "$busybox is not static: install busybox-static"
	container=$(store from scratch)
	root=$(store mount "$container")
	install -d "$root"/{bin,etc/ssl/certs,usr/local,root}
	install -d -m 1777 "$root/tmp"
	install -m 0755 "$busybox" "$root/bin/busybox"
	chroot "$root" /bin/busybox --install -s /bin
	install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	cp -a "$(go env GOROOT)" "$root/usr/local/go"
	store umount "$container" >/dev/null
	# The module proxy that this machine is set to, and the caches that it has.
	store config --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env GOCACHE=/gocache --env GOTOOLCHAIN=local \
		--env GOPROXY="$(go env GOPROXY)" --env GOSUMDB="$(go env GOSUMDB)" --env GOFLAGS= --env HOME=/root "$container"
	store commit --quiet "$container" localhost/go >/dev/null
	store rm "$container" >/dev/null
}

build() {
	store build --quiet --isolation chroot --network host --format docker --pull-never \
		--volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/gocache" \
		--build-arg BASE=localhost/go --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" \
		--tag localhost/etcd-appliance --file Dockerfile . >/dev/null
}

inspect() {
	local has
	has=$(store inspect --type image --format "$1" localhost/etcd-appliance)
	[ "$has" = "$2" ] || fail "$1 is $has, not $2"
}

# look checks what is in the image.
look() {
	local size program
	inspect '{{.Docker.Config.User}}' 65532:65532
	inspect '{{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}}' '[/usr/bin/etcd-appliance] [run]'
	inspect '{{.Docker.Config.Volumes}}' 'map[/var/lib/etcd-appliance:{}]'
	inspect '{{.Docker.Config.Healthcheck.Test}}' '[CMD /usr/bin/etcd-appliance status --live]'
	inspect '{{index .Docker.Config.Labels "org.opencontainers.image.version"}}' "$version"
	image=$(store mount "$(store from --pull-never localhost/etcd-appliance)")
	size=$(du -sm "$image" | cut -f1)
	((size < 250)) || fail "the image has $size MB"
	for program in usr/bin/etcd-appliance opt/etcd/3.6/etcd opt/etcd/3.7/etcd opt/etcd/bin/etcdctl opt/etcd/bin/etcdutl; do
		[ -x "$image/$program" ] || fail "no $program"
	done
	for program in etcd-appliance etcd-3.6 etcd-3.7 etcdctl etcdutl; do
		grep -q '"bomFormat": "CycloneDX"' "$image/usr/share/sbom/$program.cdx.json" || fail "no bill of materials of $program"
	done
	[ "$(stat -c '%u %a' "$image/var/lib/etcd-appliance")" = '65532 700' ] || fail 'the data directory is not the user'"'"'s'
	echo "image-test: the image has $size MB"
}

# instance writes the program that the local cloud runs on an instance: a container of the image.
instance() {
	cat >"$work/instance" <<-EOF
		#!/usr/bin/env bash
		# Called as the daemon is. Its arguments name paths outside the container; the image knows its own.
		set -euo pipefail
		store() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "\$@"; }
		id=\${AWS_ACCESS_KEY_ID}
		store inspect --type container "\$id" >/dev/null 2>&1 || store from --pull-never --name "\$id" localhost/etcd-appliance >/dev/null
		install -d -m 0700 -o 65532 -g 65532 "$work/data/\$id"
		env=()
		for name in \$(compgen -e | grep -E '^(AWS_|LOCALCLOUD_)'); do env+=(--env "\$name=\${!name}"); done
		# With processes of its own: a daemon adopts the etcd that has its data directory, which has one name in all containers.
		exec unshare --pid --fork --kill-child --mount-proc \\
			buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs run --isolation chroot --network host "\${env[@]}" \\
			--volume "$work/data/\$id:/var/lib/etcd-appliance" "\$id" -- /usr/bin/etcd-appliance run --hosted-zone elephant.example.org --log-format json
	EOF
	chmod +x "$work/instance"
}

# serve forms the cluster, and writes to one member what all have to read.
serve() {
	local endpoints member users etcdctl=$image/opt/etcd/bin/etcdctl
	"$image/usr/bin/etcd-appliance" cloud --daemon "$work/instance" --dir "$work/cloud" --etcd-dir "$image/opt/etcd" --etcd-version 3.7 >"$log" 2>&1 &
	cloud=$!
	for _ in $(seq 240); do
		endpoints=$(sed -n 's/^export ETCDCTL_ENDPOINTS=//p' "$log")
		[ -z "$endpoints" ] || break
		kill -0 "$cloud" 2>/dev/null || fail 'the local cloud has ended'
		sleep 0.5
	done
	[ -n "$endpoints" ] || fail 'no cluster within two minutes'
	"$etcdctl" --endpoints "$endpoints" put hello "from $version" >/dev/null
	for member in ${endpoints//,/ }; do
		[ "$("$etcdctl" --endpoints "$member" get --print-value-only hello)" = "from $version" ] || fail "$member has not the key"
	done
	[ "$("$etcdctl" --endpoints "$endpoints" member list | grep -c started)" = 3 ] || fail 'not three members'
	users=$(ps -eo uid=,args= | awk '$2 == "/opt/etcd/3.7/etcd" {print $1}' | sort | uniq -c | awk '{print $1, $2}')
	[ "$users" = '3 65532' ] || fail "not three etcd of user 65532, but (count, user): $users"
	echo "image-test: three containers are a cluster, and serve a write at $endpoints"
	kill -TERM "$cloud"
	wait "$cloud" || fail 'the local cloud did not end well'
	cloud=
}

rm -rf "$work"
mkdir -p "$work"/{data,run,store}
trap clean EXIT
base
build
look
instance
serve
