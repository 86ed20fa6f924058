#!/bin/bash
# Runs test binaries made with Check and sums their totals.   usage: tests/run.sh BINARY...
# Ends with `N passed, N failed`; a binary that ends without a total, or with a status its total does not explain, is a failure.
set -u
passed=0 failed=0 bad=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for binary in "$@"; do
	"$binary" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	checks=0 faults=0 totals=0
	while read -r c f e; do
		((totals += 1, checks += c, faults += f + e))
	done < <(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p' "$log")
	if ((totals == 0 || (status != 0 && faults == 0))); then
		echo "$binary: ended with status $status, totals: $totals"
		((faults += 1, checks += 1))
	fi
	((passed += checks - faults, failed += faults))
	((faults)) && bad+=("$binary")
done
((failed)) && printf 'failed: %s\n' "${bad[@]}"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
