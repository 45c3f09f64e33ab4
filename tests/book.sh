#!/usr/bin/env bash
# Builds and tests the book with the mdBook given. mdBook itself forgives what readers don't: a
# missing include is exit status 0, a missing anchor is silence, and so is a dead link.
#
#   tests/book.sh [MDBOOK [--no-browser]]
set -euo pipefail
cd "$(dirname "$0")/.."
mdbook=${1:-mdbook}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$mdbook" build book --dest-dir "$out/html" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
if grep -E 'ERROR|WARN' "$out/log"; then
    echo "book: the build has warnings" >&2
    exit 1
fi
if grep -rn --include='*.html' -F '{{#' "$out/html"; then
    echo "book: an include was not resolved" >&2
    exit 1
fi

# Every anchor that a page includes is a region of the file that it names.
grep -rhoE '\{\{#(rustdoc_)?include [^}]+\}\}' book/src --include='*.md' | sort -u |
while read -r _ target; do
    target=${target%\}\}}
    file=book/src/${target%%:*}
    [ -f "$file" ] || { echo "book: no file for include $target" >&2; exit 1; }
    case $target in
        *:[a-z]*)
            anchor=${target##*:}
            grep -q "ANCHOR: $anchor\$" "$file" || { echo "book: no anchor for $target" >&2; exit 1; }
            ;;
    esac
done

# Every link within the book leads to a page, and every fragment to an element of it.
links=0
while IFS=: read -r page href; do
    href=${href#href=\"}
    href=${href%\"}
    case $href in http*|mailto:*|'') continue ;; esac
    path=${href%%#*}
    fragment=
    case $href in *#*) fragment=${href#*#} ;; esac
    target=$page
    [ -n "$path" ] && target=$(dirname "$page")/$path
    [ -e "$target" ] || { echo "book: $page links to $href, which does not exist" >&2; exit 1; }
    # `#accept/3` is the third step of the ladder `accept`: see book/ladder.js.
    ladder=${fragment%/*}
    if [ -n "$fragment" ] && ! grep -qF -e "id=\"$fragment\"" -e "data-ladder=\"$ladder\"" "$target"; then
        echo "book: $page links to $href, and there is no such heading" >&2
        exit 1
    fi
    links=$((links + 1))
done < <(grep -roE 'href="[^"]*"' "$out/html" --include='*.html' --exclude=print.html --exclude=404.html --exclude=toc.html)
echo "book: $links links lead somewhere"

"$mdbook" test book >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
echo "book: all Rust blocks compile and run"

if [ "${2:-}" = --no-browser ]; then exit 0; fi
if command -v python3 >/dev/null; then
    python3 tests/browser.py "$out/html"
else
    echo "browser: skipped: python3 is not installed"
fi
