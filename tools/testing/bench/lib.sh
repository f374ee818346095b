# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Figures of benchmarks: noted round by round, printed as medians side by side.
# $results is a directory of the caller's.

# shellcheck disable=SC2034	# the benchmarks use it
rounds=${AFSX_BENCH_ROUNDS:-3}

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
