#!/usr/bin/env bash
# Installs what dist.sh has made for this machine into directories, and looks at
# what is there. The programs that do it are dpkg's, rpm's and tar's own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../../.cache/dist"
arch=$(go env GOHOSTARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "dist-test: $*" >&2
	exit 1
}

sha256sum --check --quiet SHA256SUMS
base=$(basename ./*_"$arch".tar.gz .tar.gz)
version=${base#etcd-appliance_}
version=${version%_linux_*}

mkdir "$work"/{tar,deb,rpm}
# As the user data of the template unpacks it.
tar -xzf "$base.tar.gz" -C "$work/tar" --strip-components=1 --no-same-owner --no-overwrite-dir
dpkg-deb --info "$base.deb" >"$work/info"
grep -q '^ Package: etcd-appliance$' "$work/info" || fail "the deb is not etcd-appliance"
dpkg-deb --contents "$base.deb" >"$work/contents"
dpkg --extract "$base.deb" "$work/deb"
if command -v rpm2cpio >/dev/null && command -v cpio >/dev/null; then
	rpm --query --package "$base.rpm" >/dev/null
	rpm2cpio "$base.rpm" | (cd "$work/rpm" && cpio --quiet -idm)
else
	echo '** THE RPM IS NOT CHECKED: no rpm2cpio or cpio on this machine (packages of Debian, rpm and cpio)'
	cp -a "$work/deb/." "$work/rpm"
fi

for root in "$work"/{tar,deb,rpm}; do
	kind=$(basename "$root")
	# An empty root has nothing that a static program could be linked to.
	says=$(env -i "$(command -v chroot)" "$root" /usr/bin/etcd-appliance version)
	case $says in
	"etcd-appliance $version "*) ;;
	*) fail "$kind: the daemon says '$says', not version $version" ;;
	esac
	for minor in 3.6 3.7; do
		says_etcd=$(chroot "$root" "/opt/etcd/$minor/etcd" --version)
		[[ $says_etcd == "etcd Version: $minor."* ]] || fail "$kind: no etcd $minor"
	done
	chroot "$root" /opt/etcd/bin/etcdctl version >/dev/null
	chroot "$root" /opt/etcd/bin/etcdutl version >/dev/null
	grep -q '^KillMode=process$' "$root/usr/lib/systemd/system/etcd-appliance.service" || fail "$kind: no unit"
	bash -n "$root/usr/share/bash-completion/completions/etcd-appliance"
	[ -s "$root/usr/share/zsh/site-functions/_etcd-appliance" ] && [ -s "$root/usr/share/fish/vendor_completions.d/etcd-appliance.fish" ] || fail "$kind: completions"
	manual=$(gzip -dc "$root/usr/share/man/man1/etcd-appliance.1.gz")
	[[ $manual == '.TH ETCD-APPLIANCE 1'* ]] || fail "$kind: no manual"
	for program in etcd-appliance etcd-3.6 etcd-3.7 etcdctl etcdutl; do
		grep -q '"bomFormat": "CycloneDX"' "$root/usr/share/sbom/$program.cdx.json" || fail "$kind: no bill of materials of $program"
	done
	echo "dist-test: $kind is whole, $(du -sm "$root" | cut -f1) MB: $says"
done
[ -f "$work/deb/etc/etcd-appliance/environment" ] || fail 'the deb has no /etc/etcd-appliance/environment'
! grep -v '^#' "$work/deb/etc/etcd-appliance/environment" || fail 'the environment of the deb sets something'
