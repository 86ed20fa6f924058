#!/bin/bash
# Runs fuzz targets.   usage: tests/fuzz/run.sh test-fuzz|fuzz|fuzz-corpus KEPT SECONDS TARGET...
#
# test-fuzz    the tree's corpus and up to RUNS inputs made from it, the same each time; ends with `N passed, N failed`
# fuzz         SECONDS for each target; what reaches new code is kept in KEPT/NAME, an input that fails in KEPT/NAME-*
# fuzz-corpus  takes from KEPT/NAME into the tree what reaches code that the tree's corpus does not, as few as do
set -u
mode=$1 kept=$2 seconds=$3
shift 3
RUNS=${RUNS:-20000}
passed=0 failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Where addresses are very random, older sanitizers fail at the start.
calm=()
setarch -R true 2>/dev/null && calm=(setarch -R)

# Replies and warnings of what is fuzzed are of no interest; an input that hangs or eats memory is a failure.
fuzzed() {
	local target=$1
	shift
	"${calm[@]}" "$target" -timeout=20 -rss_limit_mb=2048 -max_len=4096 -close_fd_mask=1 -artifact_prefix="$kept/${target##*/}-" "$@"
}

for target in "$@"; do
	name=${target##*/}
	corpus=tests/fuzz/corpus/${name#fuzz_}
	mkdir -p "$kept/$name" "$scratch/$name"
	case $mode in
	test-fuzz)
		echo "$target"
		# by what an input costs
		case $name in
		fuzz_slot | fuzz_join) runs=$((RUNS / 10)) ;;
		fuzz_patch) runs=$((RUNS / 4)) ;;
		*) runs=$RUNS ;;
		esac
		if fuzzed "$target" -seed=1 -runs="$runs" -verbosity=0 -print_final_stats=1 "$scratch/$name" "$corpus" >"$scratch/log" 2>&1; then
			((passed += 1))
			grep -E 'number_of_executed_units|peak_rss' "$scratch/log"
		else
			((failed += 1))
			tail -n 60 "$scratch/log"
		fi
		;;
	fuzz)
		echo "$target: $seconds s"
		if fuzzed "$target" -max_total_time="$seconds" -print_final_stats=1 -reload=0 "$kept/$name" "$corpus" >"$kept/$name.log" 2>&1; then
			((passed += 1))
			grep -E 'number_of_executed_units|new_units_added' "$kept/$name.log"
		else
			((failed += 1))
			tail -n 60 "$kept/$name.log"
		fi
		;;
	fuzz-corpus)
		"${calm[@]}" "$target" -set_cover_merge=1 -use_counters=0 "$corpus" "$kept/$name" 2>&1 | tail -n 1
		;;
	esac
done
[ "$mode" = fuzz-corpus ] && exit 0
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
