#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The volume store against a model of it in memory: random operations on volumes,
# clones, names and data, contents compared after each batch and each reopening. One
# operation in ten is of a run with directories that are filled until they are full.
# The long run: MODEL_OPERATIONS=1000000 MODEL_SEEDS=1.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

for seed in ${MODEL_SEEDS:-1 2 3}; do
	"$bin/store-model" "$seed" "${MODEL_OPERATIONS:-10000}"
	"$bin/store-model" --large "$seed" "$((${MODEL_OPERATIONS:-10000} / 10))"
done
