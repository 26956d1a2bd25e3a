#!/usr/bin/env bash
# cmd/tools/release/dist.sh VERSION ARCH...
# Makes what a release consists of in .cache/dist: for each architecture an
# archive, a deb and an rpm of the same tree, and the checksums of all. Files are
# dated by the commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

version=$1
shift
minors=(3.6 3.7)
dist=$PWD/.cache/dist
host=$(go env GOHOSTARCH)
flags=(-trimpath -buildvcs=false -ldflags)
tools=$PWD/.cache/tools
export GOWORK=off CGO_ENABLED=0 GOOS=linux
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# Packages want a version that begins with a digit, and sort by it. What has no
# tag is before every release.
case $version in
v[0-9]*) package_version=${version#v} ;;
[0-9]*.*) package_version=$version ;;
*) package_version=0~${version//-/.} ;;
esac

# server MINOR: etcd for this machine is built already.
server() {
	if [ "$GOARCH" = "$host" ] && [ -x ".cache/etcd/$1/etcd" ]; then
		install -D -m 0755 ".cache/etcd/$1/etcd" "$tree/opt/etcd/$1/etcd"
	else
		go build -C "cmd/etcd/$1" "${flags[@]}" '-s -w' -o "$tree/opt/etcd/$1/etcd" .
	fi
}

build() {
	local minor
	go build "${flags[@]}" "-s -w -X main.version=$version" -o "$tree/usr/bin/etcd-appliance" ./cmd/etcd-appliance
	for minor in "${minors[@]}"; do server "$minor"; done
	go build -C cmd/etcdctl "${flags[@]}" '-s -w' -o "$tree/opt/etcd/bin/etcdctl" .
	go build -C cmd/etcdutl "${flags[@]}" '-s -w' -o "$tree/opt/etcd/bin/etcdutl" go.etcd.io/etcd/etcdutl/v3
}

# sbom writes the modules that a binary was built of, which it tells itself.
sbom() {
	local binary name
	mkdir -p "$tree/usr/share/sbom"
	while read -r binary; do
		name=$(basename "$binary")
		[ "$name" != etcd ] || name=etcd-$(basename "$(dirname "$binary")")
		"$tools/cyclonedx-gomod" bin -json -noserial -version "$version" -output "$tree/usr/share/sbom/$name.cdx.json" "$binary" 2>/dev/null
	done < <(find "$tree/usr/bin" "$tree/opt" -type f -perm -u+x)
}

# texts are of no architecture: the program of this machine prints them.
texts() {
	local share=$tree/usr/share program=bin/etcd-appliance
	mkdir -p "$share"/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d,man/man1,doc/etcd-appliance} \
		"$tree"/usr/lib/{systemd/system,sysusers.d}
	"$program" completion bash >"$share/bash-completion/completions/etcd-appliance"
	"$program" completion zsh >"$share/zsh/site-functions/_etcd-appliance"
	"$program" completion fish >"$share/fish/vendor_completions.d/etcd-appliance.fish"
	"$program" man | gzip -9n >"$share/man/man1/etcd-appliance.1.gz"
	"$program" template systemd -o "$tree/usr/lib/systemd/system/etcd-appliance.service"
	install -m 0644 cmd/tools/release/sysusers.conf "$tree/usr/lib/sysusers.d/etcd-appliance.conf"
	install -m 0644 LICENSE README.md CHANGELOG.md docs/install.md docs/operations.md "$share/doc/etcd-appliance"
}

package() {
	local name=etcd-appliance_${version}_linux_$GOARCH
	find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
	tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w -C "$(dirname "$tree")" -c "$(basename "$tree")" | gzip -9n >"$dist/$name.tar.gz"
	export TREE=$tree VERSION=$package_version ARCH=$GOARCH
	"$tools/nfpm" package --config cmd/tools/release/nfpm.yaml --packager deb --target "$dist/$name.deb" >/dev/null
	"$tools/nfpm" package --config cmd/tools/release/nfpm.yaml --packager rpm --target "$dist/$name.rpm" >/dev/null
}

for tool in github.com/goreleaser/nfpm/v2/cmd/nfpm github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod; do
	go build -modfile=cmd/tools/release/go.mod -o "$tools/" "$tool"
done
rm -rf "$dist"
mkdir -p "$dist"
for GOARCH in "$@"; do
	export GOARCH
	echo "== $GOARCH"
	tree=$dist/$GOARCH/etcd-appliance-$version
	umask 022
	build
	sbom
	texts
	package
	rm -rf "${dist:?}/$GOARCH"
done
(cd "$dist" && sha256sum -- * >SHA256SUMS)
ls -l "$dist"
