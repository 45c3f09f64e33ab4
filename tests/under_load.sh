#!/usr/bin/env bash
# A flaky check is a broken check. Runs all checks again and again while every core is kept busy
# by other work, and counts the runs that failed.
#
#   tests/under_load.sh [RUNS] [WHAT ...]       200 runs of all checks, unless told otherwise
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-200}
shift || true
cargo build --quiet || exit 3
work=$(mktemp -d)
output=$work/output
# A copy: a build meanwhile must not take the program away from under the runs.
lab=$work/lab
cp "${CARGO_TARGET_DIR:-target}/debug/lab" "$lab"

busy=()
for _ in $(seq "$(nproc)"); do
    while :; do :; done &
    busy+=($!)
done
trap 'kill "${busy[@]}" 2>/dev/null; rm -rf "$work"' EXIT

failed=0
began=$SECONDS
for run in $(seq "$runs"); do
    if ! "$lab" check "$@" >"$output" 2>&1; then
        failed=$((failed + 1))
        echo "run $run failed:"
        cat "$output"
    fi
done
echo "$runs runs with $(nproc) busy cores, in $((SECONDS - began)) s: $failed failed"
[ "$failed" = 0 ]
