#!/bin/sh
# The user of the unit, and the unit itself, become known. A new version of the
# daemon runs after the next start of the service, which is left to the operator.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers etcd-appliance.conf
elif ! id etcd >/dev/null 2>&1; then
	useradd --system --no-create-home --home-dir /var/lib/etcd-appliance --shell /usr/sbin/nologin etcd
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
