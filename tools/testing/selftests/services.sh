#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# `make install`, and the units under a systemd of their own: a cell on the socket of an
# NBD server, without privileges. The NBD server is started by its first client, and
# replaced under the cell, which only waits for it; both come back when they are killed,
# a wrong configuration is not tried again and again, and nothing is left when they stop.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel debian --timeout 800 --mem 2048
. tools/testing/interop/check.sh

control=/run/afsxd/control
uri="nbd+unix:///?socket=/run/afsx-nbd/volumes.sock"
nbd=afsx-nbd@volumes
manager=

install_files()
{
	make -s -C packaging install BIN="$AFSX_TOP/build/bin"
	systemd-sysusers >/dev/null 2>&1
	mkdir -p /srv/afsx
	truncate -s 256M /srv/afsx/volumes.img
	cat >/etc/default/afsx-nbd-volumes <<-'END'
		IMAGE=/srv/afsx/volumes.img
		OPTIONS=--format=raw --shared=16
	END
	configure --listen=127.0.0.1
}

# configure OPTIONS
configure()
{
	printf '%s\n' CELL=example.org "STORE=$uri" "OPTIONS=$1" >/etc/default/afsxd
}

# What services need of a system, and nothing else that this machine may have.
start_manager()
{
	cat >/etc/systemd/system/test.target <<-'END'
		[Unit]
		Requires=basic.target
		After=basic.target
		AllowIsolate=yes
	END
	container='test' unshare --fork --pid --mount --cgroup --propagation private bash -c '
		mount -t proc proc /proc
		mount -t tmpfs tmpfs /run
		mount -t tmpfs tmpfs /tmp
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		exec /lib/systemd/systemd --system --unit=test.target --show-status=no' \
		>/dev/null 2>&1 &
	until manager=$(pgrep -P $!); do
		sleep 0.1
	done
	until inside systemctl is-active --quiet test.target 2>/dev/null; do
		sleep 1
	done
}

inside()
{
	nsenter --target "$manager" --mount --pid --cgroup "$@"
}

# property UNIT NAME
property()
{
	inside systemctl show --property "$2" --value "$1"
}

# soon UNIT STATE: it is in that state within some time.
soon()
{
	local end=$((SECONDS + 60))

	until [[ $(property "$1" ActiveState) == "$2" ]] || ((SECONDS > end)); do
		sleep 0.5
	done
	check "$1 is soon" "$2" "$(property "$1" ActiveState)"
}

# in_proc UNIT FIELD: of the status of its process.
in_proc()
{
	inside sed -n "s/^$2:[[:space:]]*\([^[:space:]]*\).*/\1/p" "/proc/$(property "$1" MainPID)/status"
}

# volumes NAME...: one more can be made, and all are there.
volumes()
{
	check "create ${*: -1}" '' "$(inside afsx-vol --control "$control" create "${*: -1}" 2>&1 |
		grep -v "^created" || true)"
	check 'the volumes' "$(printf '%s ' "$@")" \
		"$(inside afsx-vol --control "$control" list 2>&1 | grep -o 'vol\.[a-z]*' | tr '\n' ' ')"
}

first_start()
{
	inside systemctl start "$nbd.socket"
	check 'the NBD server waits for a client' inactive "$(property "$nbd" ActiveState)"
	check 'format' "formatted .*" "$(inside afsx-vol --store "$uri" format 2>&1)"
	check 'the NBD server after it' active "$(property "$nbd" ActiveState)"
	check 'start the cell' '' "$(inside systemctl start afsxd 2>&1)"
	check 'the cell' active "$(property afsxd ActiveState)"
	volumes vol.a
}

privileges()
{
	local unit

	for unit in "$nbd" afsxd; do
		check "capabilities of $unit" 0000000000000000 "$(in_proc "$unit" CapEff)"
		check "new ones of $unit" 1 "$(in_proc "$unit" NoNewPrivs)"
	done
	check 'user of the cell' '[1-9][0-9]*' "$(in_proc afsxd Uid)"
}

# Each is replaced, or killed, under the other. Only the main process is told: asked for
# all of them, systemd may read of one that ends just then, and fail.
new_processes()
{
	local cell server

	cell=$(property afsxd MainPID)
	server=$(property "$nbd" MainPID)
	inside systemctl restart "$nbd"
	volumes vol.a vol.b
	progress 'the NBD server was replaced'
	inside systemctl kill --kill-whom main --signal KILL "$nbd"
	volumes vol.a vol.b vol.c
	progress 'it was killed'
	check 'the cell is the same' "$cell" "$(property afsxd MainPID)"
	check 'the NBD server is another' false \
		"$([[ $server == "$(property "$nbd" MainPID)" ]] && echo true || echo false)"
	inside systemctl kill --kill-whom main --signal KILL afsxd
	sleep 1
	soon afsxd active
	volumes vol.a vol.b vol.c vol.d
	progress 'the cell was killed'
}

wrong_configuration()
{
	configure --lissten=127.0.0.1
	check 'start with a wrong option' '.*failed.*' "$(inside systemctl restart afsxd 2>&1 | tr '\n' ' ')"
	sleep 4
	check 'it is not tried again' 'failed 0' \
		"$(property afsxd ActiveState) $(property afsxd NRestarts)"
	configure --listen=127.0.0.1
	inside systemctl reset-failed afsxd
	inside systemctl start afsxd
	volumes vol.a vol.b vol.c vol.d vol.e
}

stop()
{
	progress 'it was wrong, and is right again'
	inside systemctl stop afsxd "$nbd.socket" "$nbd"
	check 'the cell has ended well' 'inactive success' \
		"$(property afsxd ActiveState) $(property afsxd Result)"
	check 'the NBD server has ended well' 'inactive success' \
		"$(property "$nbd" ActiveState) $(property "$nbd" Result)"
	check 'what is left in /run' '' "$(inside find /run/afsxd /run/afsx-nbd ! -type d 2>/dev/null)"
}

command -v systemctl >/dev/null || { echo 'systemd is not installed'; exit 77; }
install_files
start_manager
progress 'the manager runs'
first_start
privileges
progress 'the cell runs'
new_processes
wrong_configuration
stop
finish 'units under systemd'
