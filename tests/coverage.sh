#!/bin/bash
# Prints what share of each room's lines the counters of gcc --coverage say was run.   usage: tests/coverage.sh BUILD BAR ROOM...
# Ends with status 1 when a room is below BAR percent. The files that are below it are named.
set -u
build=$1 bar=$2
shift 2
status=0
for room in "$@"; do
	LC_ALL=C "${GCOV:-gcov}" -n "$build/obj/$room"/*.gcno 2>/dev/null | awk -v room="$room" -v bar="$bar" '
		/^File / { file = substr($2, 2, length($2) - 2) }
		/^Lines executed:/ && file ~ "^" room "/[^/]*\\.c$" {
			split($0, part, /[:% ]+/)
			hit = int(part[3] * part[5] / 100 + 0.5)
			lines += part[5]; run += hit
			if (part[3] < bar) printf "  %-28s %5.1f %% of %d lines\n", file, part[3], part[5]
			file = ""
		}
		END {
			share = lines ? 100 * run / lines : 0
			printf "%-12s %5.1f %% of %d lines\n", room, share, lines
			exit share < bar
		}' || status=1
done
((status == 0)) || echo "coverage: a room is below $bar %"
exit $status
