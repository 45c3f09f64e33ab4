#!/usr/bin/env bash
# A workspace as its README tells people to use it, with cargo itself, and without a network:
# everything builds without a warning, and every graded test fails and names the step to write.
#
#   tests/course/workspace.sh [MDBOOK]       with mdBook its book is built and tested, too
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
workspace="$work/my söckets"
course=$PWD
cargo run --quiet -- start "$workspace" >/dev/null
cd "$workspace"
unset CARGO_TARGET_DIR
log=$work/log

if cargo test --offline --no-fail-fast >"$log" 2>&1; then
    echo "workspace: cargo test passes with nothing written" >&2
    exit 1
fi
if grep -E '^(warning|error(\[|: could not))' "$log"; then
    echo "workspace: it does not build without a warning" >&2
    exit 1
fi
checks=$( (cargo run --quiet --offline -- check --json || true) | grep -c '"outcome": "blocked"')
failed=$(grep -cE '^test [a-z0-9_]+ \.\.\. FAILED$' "$log")
named=$(grep -cE '^WAIT .* step 1, [a-z_]+, is not written yet$' "$log")
if [ "$failed" != "$checks" ] || [ "$named" != "$checks" ]; then
    cat "$log"
    echo "workspace: of $checks checks $failed tests failed, and $named named the step to write" >&2
    exit 1
fi
echo "workspace: builds without a warning; all $failed graded tests fail and name the step to write"

rm book/src/glossary.md
echo mine >>README.md
cargo run --quiet --offline -- update "$course" >"$log" || { cat "$log"; exit 1; }
grep -q '^new       book/src/glossary.md' "$log" && grep -q '^kept      README.md' "$log" || { cat "$log"; exit 1; }
test -f book/src/glossary.md
echo "workspace: an update brings back what is missing, and keeps what was changed"

if [ $# -gt 0 ]; then tests/book.sh "$1"; fi
