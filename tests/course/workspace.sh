#!/usr/bin/env bash
# A workspace as its README tells people to use it, with cargo itself, an empty cargo home and no
# network: everything builds without a warning, and every graded test fails and names the step to
# write.
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

# Who has just cloned: nothing was ever downloaded, and nothing can be.
home=${CARGO_HOME:-$HOME/.cargo}
export CARGO_HOME=$work/home CARGO_NET_OFFLINE=true
mkdir "$CARGO_HOME"
alone=()
if unshare --user --map-root-user --net true 2>/dev/null; then
    alone=(unshare --user --map-root-user --net)
else
    echo "workspace: note: no network of its own here; cargo is told to do without"
fi
"${alone[@]}" cargo metadata --format-version 1 >/dev/null
"${alone[@]}" cargo build >"$log" 2>&1 || { cat "$log"; exit 1; }
echo "workspace: cargo metadata and cargo build need no network and no download"

if cargo test --no-fail-fast >>"$log" 2>&1; then
    echo "workspace: cargo test passes with nothing written" >&2
    exit 1
fi
if grep -E '^(warning|error(\[|: could not))' "$log"; then
    echo "workspace: it does not build without a warning" >&2
    exit 1
fi
checks=$( (cargo run --quiet -- check --json || true) | grep -c '"outcome": "blocked"')
tests=$(grep -cE '^test .* \.\.\. ' "$log")
failed=$(grep -cE '^test [a-z0-9_]+ \.\.\. FAILED$' "$log")
# As a rule the first one. A lab with two programs has a first step for each.
named=$(grep -cE '^WAIT .* step [0-9]+, [a-z0-9_]+, is not written yet$' "$log")
if [ "$tests" != "$checks" ] || [ "$failed" != "$checks" ] || [ "$named" != "$checks" ]; then
    cat "$log"
    echo "workspace: of $checks checks $failed of $tests tests failed, and $named named the step to write" >&2
    exit 1
fi
echo "workspace: builds without a warning; all $failed tests are the labs', fail and name the step to write"

# The course that it is brought up to does need its packages.
export CARGO_HOME=$home
rm book/src/glossary.md
echo mine >>README.md
cargo run --quiet --offline -- update "$course" >"$log" || { cat "$log"; exit 1; }
grep -q '^new       book/src/glossary.md' "$log" && grep -q '^kept      README.md' "$log" || { cat "$log"; exit 1; }
test -f book/src/glossary.md
echo "workspace: an update brings back what is missing, and keeps what was changed"

# Its pages look like the course's, which were looked at in a browser.
if [ $# -gt 0 ]; then tests/book.sh "$1" --no-browser; fi
