# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Figures of benchmarks: noted round by round, printed as medians side by side.
# $results is a directory of the caller's.

# shellcheck disable=SC2034	# the benchmarks use it
rounds=${AFSX_BENCH_ROUNDS:-3}

# serve_blocks IMAGE: on the socket $work/nbd, by afsx-nbd or what AFSX_BENCH_NBD says
serve_blocks()
{
	case ${AFSX_BENCH_NBD:-afsx-nbd} in
	afsx-nbd)
		build/bin/afsx-nbd --fork --pid-file "${work:?}/nbd.pid" -t -e 16 -f raw \
			--discard unmap -k "$work/nbd" "$1"
		;;
	nbdkit)
		nbdkit --pidfile "${work:?}/nbd.pid" --unix "$work/nbd" file "$1"
		;;
	*)
		echo "AFSX_BENCH_NBD: '$AFSX_BENCH_NBD' is neither afsx-nbd nor nbdkit" >&2
		exit 2
		;;
	esac
}

# end_blocks: end what serve_blocks started, if it is there
end_blocks()
{
	tools/testing/vm/end-blocks "$work"
	rm -f "$work/nbd"
}

# note WHO FIGURE VALUE
note()
{
	mkdir -p "${results:?}/$1"
	echo "$3" >>"$results/$1/${2//\//_}"
}

# note_lines WHO: lines "FIGURE VALUE" from a load generator; a figure may have spaces
note_lines()
{
	local who=$1 line

	while read -r line; do
		note "$who" "${line% *}" "${line##* }"
	done
}

# median WHO FIGURE: of all rounds; "-" when there is none
median()
{
	local file=$results/$1/${2//\//_}

	if [[ ! -e $file ]]; then
		echo -
		return
	fi
	sort -g "$file" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# table TITLE WHO BASE FIGURE...: medians of both, and how often BASE goes into WHO; without
# the figures that neither has
table()
{
	local title=$1 who=$2 base=$3 figure

	shift 3
	printf '\n%-30s %12s %12s %14s\n' "$title" "$base" "$who" "$who/$base"
	for figure; do
		[[ -e $results/$base/${figure//\//_} || -e $results/$who/${figure//\//_} ]] ||
			continue
		printf '%s|%s|%s\n' "$figure" "$(median "$base" "$figure")" \
			"$(median "$who" "$figure")"
	done | awk -F '|' '{ printf "%-30s %12.6g %12.6g %14s\n", $1, $2, $3,
		$2 + 0 ? sprintf("%.2f", $3 / $2) : "-" }'
}
