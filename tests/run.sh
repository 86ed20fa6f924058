#!/bin/bash
# Runs test binaries made with Check and sums their totals.   usage: tests/run.sh BINARY...
# Ends with what failed and `N passed, N failed`; a binary that ends without a total, or with a status its total does not explain, is a failure.
# CHRONUS_TEST_AGAIN=1: a system test that failed is run once more, and what counts is that time. Such a test plays in real time, and a machine
# that stalls for long enough spoils it; what the code does wrong it does again. The first failure stands in the output, and at the end.
set -u
passed=0 failed=0 bad=() again=() broken=''
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs one binary and counts: checks, faults.
run() {
	local status totals=0
	checks=0 faults=0
	"$1" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	while read -r c f e; do
		((totals += 1, checks += c, faults += f + e))
	done < <(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p' "$log")
	if ((totals == 0 || (status != 0 && faults == 0))); then
		echo "$1: ended with status $status, totals: $totals"
		((faults += 1, checks += 1))
	fi
	((faults)) && broken+=$(grep -E '^[^ :]+:[0-9]+:[FE]:' "$log")$'\n'
	return 0
}

for binary in "$@"; do
	run "$binary"
	if ((faults)) && [ "${CHRONUS_TEST_AGAIN:-}" = 1 ] && [[ $binary == */tests/system/* ]]; then
		echo "$binary: failed, once more"
		again+=("$binary")
		run "$binary"
	fi
	((passed += checks - faults, failed += faults))
	((faults)) && bad+=("$binary")
done
printf '%s' "$broken"
((${#again[@]})) && printf 'failed the first time: %s\n' "${again[@]}"
((failed)) && printf 'failed: %s\n' "${bad[@]}"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
