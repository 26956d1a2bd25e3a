#!/usr/bin/env bash
# Boots systemd in a container (systemd-nspawn) into which the deb was installed,
# and looks at what the unit promises: with all its rights taken away the daemon
# forms a cluster, etcd outlives it and is adopted, a stop stops etcd, and a wrong
# configuration is not tried again. The instance is one of the local cloud.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
deb=$(echo "$PWD"/.cache/dist/*_"$(go env GOHOSTARCH)".deb)
work=$PWD/.cache/unit-test
root=$work/root
cloud='' container='' leader=''

fail() {
	echo "unit-test: $*" >&2
	inside journalctl --no-pager -o cat -u etcd-appliance 2>/dev/null | tail -n 20 >&2
	exit 1
}

clean() {
	local pid
	for pid in $container $cloud; do
		if kill -TERM "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi
	done
	rm -rf "$work"
}

# inside runs a program beside the container's own.
inside() { nsenter --target "$leader" --mount --pid --uts --ipc "$@"; }

# until SECONDS WHAT COMMAND...
until_true() {
	local limit=$1 what=$2 end
	shift 2
	end=$((SECONDS + limit))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || fail "$what: not within $limit s"
		sleep 0.2
	done
}

show() { inside systemctl show --property "$1" --value etcd-appliance; }
etcdctl() { inside /opt/etcd/bin/etcdctl --endpoints "http://$address:2379" "$@"; }
adopted() { [ "$(show MainPID)" != "$daemon" ] && inside journalctl --no-pager -u etcd-appliance | grep -q 'adopts the etcd that runs'; }
failed() { [ "$(show ActiveState)" = failed ]; }
found_leader() { leader=$(pgrep -P "$container"); }

# An instance of the local cloud that only tells what it is told, for the container to be it.
instance() {
	cat >"$work/instance" <<-EOF
		#!/bin/sh
		env | grep '^AWS_' >"$work/environment.new" && mv "$work/environment.new" "$work/environment"
		exec sleep infinity
	EOF
	chmod +x "$work/instance"
	"$root/usr/bin/etcd-appliance" cloud --size 1 --daemon "$work/instance" --dir "$work/cloud" --etcd-dir "$root/opt/etcd" --etcd-version 3.7 >"$work/cloud.log" 2>&1 &
	cloud=$!
	until_true 20 'the local cloud launches an instance' test -s "$work/environment"
	address=$(sed -n 's,^AWS_EC2_METADATA_SERVICE_ENDPOINT=http://\([0-9.]*\).*,\1,p' "$work/environment")
}

boot() {
	{
		cat "$work/environment"
		echo ETCD_APPLIANCE_HOSTED_ZONE=elephant.example.org
		echo ETCD_APPLIANCE_ETCD_VERSION=3.7
	} >"$root/etc/etcd-appliance/environment"
	chroot "$root" systemctl enable etcd-appliance 2>/dev/null
	systemd-nspawn --quiet --directory="$root" --register=no --keep-unit --boot --console=pipe >"$work/boot.log" 2>&1 &
	container=$!
	until_true 20 'the container boots' found_leader
}

rm -rf "$work"
mkdir -p "$work"
trap clean EXIT
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" >"$work/debootstrap.log" 2>&1 || fail "debootstrap: $(tail -n 3 "$work/debootstrap.log")"
cp "$deb" "$root/package.deb"
chroot "$root" dpkg --install /package.deb >/dev/null
instance
boot

until_true 60 'the daemon forms a cluster' etcdctl endpoint health
etcdctl put hello world >/dev/null
daemon=$(show MainPID)
etcd=$(inside pgrep -x etcd)
[ "$(inside ps -o user= -p "$etcd")" = etcd ] || fail 'etcd does not run as its user'

inside systemctl kill --kill-whom=main --signal=KILL etcd-appliance
until_true 20 'a new daemon adopts etcd' adopted
[ "$(inside pgrep -x etcd)" = "$etcd" ] || fail 'etcd has not outlived the daemon'
[ "$(etcdctl get --print-value-only hello)" = world ] || fail 'the key is lost'

inside systemctl stop etcd-appliance
! inside pgrep -x etcd >/dev/null || fail 'etcd runs after the stop'
[ "$(show Result) $(show ExecMainStatus)" = 'success 0' ] || fail "the stop ends with $(show Result) $(show ExecMainStatus)"

echo ETCD_APPLIANCE_ETCD_VERSION=9.9 >>"$root/etc/etcd-appliance/environment"
inside systemctl start etcd-appliance
until_true 10 'a wrong configuration fails' failed
[ "$(show ExecMainStatus) $(show NRestarts)" = '2 0' ] || fail "exit code $(show ExecMainStatus), $(show NRestarts) restarts"
echo 'unit-test: the unit does what it promises'
