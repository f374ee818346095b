# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Two cells in one guest, alike but for who serves them, openafs.example and
# afsxd.example, and two clients of both, a and b, which are kafs unless AFSX_CLIENT
# says otherwise; of OpenAFS's there can be only one, under both names. The same steps
# are taken on both; compare_answers tells whether they came to the same. Sourced by
# tests.

client=${AFSX_CLIENT:-kafs}
. tools/testing/interop/client.sh
. tools/testing/interop/clients.sh
. tools/testing/interop/check.sh

writing=$interop_dir/writing
answers=${AFSX_ANSWERS:-/run/answers}
declare -A directory=([a]=/mnt/a [b]=/mnt/b)
declare -A server_address=([openafs]=10.7.0.1 [afsxd]=10.7.0.2)

openafs_cell()
{
	PARTITION_SIZE="${device_mib}m" "$interop_dir/openafs-cell" "$@"
}

afsxd_cell()
{
	"$interop_dir/afsxd-cell" "$@"
}

# start_servers MIB: the space that each server has.
start_servers()
{
	local server

	device_mib=$1
	mkdir -p "$answers"
	openafs_cell start
	openafs_cell acl root.cell rl
	afsxd_cell new "${device_mib}M"
	afsxd_cell vol create root.cell
	client_load
	for server in "${!server_address[@]}"; do
		client_add_cell "$server.example" "${server_address[$server]}"
	done
	add_client a 1
	add_client b 2
}

# add_volumes NAME KIB: a volume on each server that everybody may change, and a mount
# point of it in root.cell; KIB 0 is no quota.
add_volumes()
{
	openafs_cell volume "$1" "$2"
	openafs_cell acl "$1" rlidwk
	openafs_cell mkmount root.cell "$1" "%$1."
	afsxd_cell vol create --quota "$2" "$1"
	afsxd_cell vol setacl "$1" / system:anyuser rlidwk
	afsxd_cell vol mkmount --rw root.cell "/$1" "$1"
}

# set_quota SERVER VOLUME KIB
set_quota()
{
	case $1 in
	openafs) openafs_cell quota "$2" "$3" ;;
	afsxd) afsxd_cell vol set --quota "$3" "$2" ;;
	esac
}

# mount_both SERVER VOLUME: by the clients, on /mnt/a and /mnt/b.
mount_both()
{
	mount_as a "%$1.example:$2" "${directory[a]}"
	mount_as b "%$1.example:$2" "${directory[b]}"
}

umount_both()
{
	umount "${directory[@]}"
}

# run_calls SERVER SCRIPT [DIRECTORY [PREFIX]]: a script of file-calls, in the
# volume's root directory or one made for it; the answers go by its name, with the
# prefix.
run_calls()
{
	local status=0 dir=${3:-.} name=${4:-}$2

	mkdir -p "${directory[a]}/$dir"
	"$AFSX_TOP/build/bin/file-calls" "$writing/$2.calls" "a=${directory[a]}/$dir" \
		"b=${directory[b]}/$dir" >"$answers/$name.$1" || status=$?
	check "status of $name on $1" 0 "$status"
	progress "$name on $1"
}

# say QUESTION COMMAND...: the answer is what the command prints, or how it failed.
say()
{
	local question=$1 text status=0
	shift

	text=$("$@" 2>&1) || status=$?
	if ((status)); then
		text="status $status; $text"
	fi
	echo "$question: ${text//$'\n'/; }"
	progress "$question" >&2
}

# compare_answers: of all that left answers. Both servers agreeing on wrong contents
# is no excuse.
compare_answers()
{
	local file name

	for file in "$answers"/*.openafs; do
		name=$(basename "$file" .openafs)
		check "contents in $name" '' "$(grep -h 'differs at' "${file%.*}".*)"
		"$interop_dir/compare-answers" "$writing/differences-$client" "$name" \
			"$file" "${file%.*}.afsxd" ||
			check "answers of $name" "the same" "others"
	done
}

stop_servers()
{
	client_unload
	openafs_cell stop
	afsxd_cell stop
}
