# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the scripts of this directory share: where things are, and the table of
# kernels. Sourced, never run.
# shellcheck disable=SC2034	# not everyone uses everything

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$vm_dir/../../.." && pwd)
cache_dir=${AFSX_CACHE:-/var/cache/afsx}

# A kernel is its machine and the configuration fragments it is made of, in
# order. Debian's own has no fragments: it is unpacked, not built.
declare -A kernel_machine=(
	[debian]=qemu
	[test]=qemu
	[debug]=qemu
	[uml-debug]=uml
)
declare -A kernel_fragments=(
	[debian]=''
	[test]='base qemu'
	[debug]='base qemu debug debug-qemu'
	[uml-debug]='base uml debug'
)
kernel_names=(debian uml-debug test debug)

die()
{
	echo "${0##*/}: $*" >&2
	exit 125
}

note()
{
	echo "${0##*/}: $*" >&2
}

need_kernel_name()
{
	[[ -n ${kernel_machine[$1]:-} ]] ||
		die "no kernel '$1' (there are: ${kernel_names[*]})"
}

# The value of ARCH= for a kernel's builds.
kernel_arch()
{
	case ${kernel_machine[$1]} in
	uml) echo um ;;
	*) echo x86 ;;
	esac
}

# Hold the lock of the thing called $1 until this process ends.
hold_lock()
{
	mkdir -p "$cache_dir/locks"
	exec 9>"$cache_dir/locks/$1"
	if ! flock -n 9; then
		note "waiting for another build of $1"
		flock 9
	fi
}

# Run a long command quietly: its output goes to the log $1, and every half
# minute one line with the title $2 tells how far it is. The log's tail is shown
# when it fails.
run_quietly()
{
	local log=$1 title=$2 start=$SECONDS pid
	shift 2

	"$@" >"$log" 2>&1 9>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		if (((SECONDS - start) % 30 == 29)); then
			note "$title: $(wc -l <"$log") steps, $((SECONDS - start)) s"
		fi
	done
	if ! wait "$pid"; then
		tail -n 25 "$log" >&2
		die "$title: failed, the whole log is $log"
	fi
	note "$title: done in $((SECONDS - start)) s"
}
