# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# How a guest is started: the two machines there are, QEMU and User Mode Linux.
# Sourced by `run`, whose options these functions read; they leave the whole
# command line in the array `guest`.
# shellcheck disable=SC2154,SC2034	# what is read and left belongs to run

# The words of the kernel's command line, left in `words`; $1 is how the host's
# files come in, $2 the console of the session.
guest_words()
{
	read -ra words <<<"$append"
	words+=(
		panic=-1 oops=panic loglevel=7 kunit.enable=1 random.trust_cpu=on
		"guest.host=$1" "guest.tty=$2" "guest.raw=$((!interactive))"
		"guest.run=$run_dir" "guest.modules=$kernel/modroot/lib/modules"
	)
	if [[ -n $out ]]; then
		words+=("guest.out=$out")
	fi
}

# share TAG PATH OPTIONS; QEMU wants a comma in a path twice.
share()
{
	guest+=(-virtfs "local,id=$1,path=${2//,/,,},mount_tag=$1,security_model=none,multidevs=remap$3")
}

# Emulated processors can keep running the breakpoint under which the kernel
# patched code on another of them ("Oops: int3"). Most such patches come while
# the kernel boots: it does that on one, and PID 1 starts the others.
qemu_command()
{
	guest_words 9p ttyS1
	guest=(
		qemu-system-x86_64 -M q35 -m "$memory"
		-nodefaults -no-user-config -display none -no-reboot
		-chardev "file,id=kernel,path=$run_dir/kernel.log" -serial chardev:kernel
		-chardev "stdio,id=session,signal=off" -serial chardev:session
		-kernel "$kernel/image" -initrd "$initrd"
		-append "console=ttyS0 maxcpus=1 ${words[*]}"
	)
	share host / ,readonly=on
	share run "$run_dir" ''
	if [[ -n $out ]]; then
		share out "$out" ''
	fi
	if ((icount)); then
		# rep movsb counts once for each byte: without ERMS and FSRM nobody uses it
		guest+=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -smp 1
			-cpu "max,erms=off,fsrm=off")
	else
		guest+=(-cpu max -accel "$("$vm_dir/accelerator")" -smp "$processors")
	fi
}

# The kernel's console is standard error, the session's the other two.
uml_command()
{
	guest_words hostfs tty1
	guest=(
		"$kernel/image" "mem=${memory}M" "initrd=$initrd"
		console=tty0 "con0=null,fd:2" "con1=fd:0,fd:1" "${words[@]}"
	)
}

# Start the guest and leave its process in guest_pid. QEMU writes the kernel's
# messages to the log itself; User Mode Linux has them on standard error, and as a
# process it would take a polite signal for a reason to complain in them.
start_guest()
{
	local limit=(timeout --kill-after=5) input=/dev/null errors

	if ((interactive)); then
		limit+=(--foreground)
		input=/dev/stdin
	fi
	: >"$run_dir/kernel.log"
	if [[ ${kernel_machine[$kernel_name]} = uml ]]; then
		exec {errors}>"$run_dir/kernel.log"
		limit+=(--signal=KILL)
	else
		exec {errors}>&2
	fi
	"${limit[@]}" "$time_limit" "${guest[@]}" <"$input" 2>&"$errors" &
	guest_pid=$!
	exec {errors}>&-
}
