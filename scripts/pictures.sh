#!/usr/bin/env bash
# Makes the pictures of the README from the demo: run it after the look of a report has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo run --locked -q -- demo --no-serve --dir "$folder/demo" >/dev/null
mkdir -p docs/pictures
for page in zh.1 zh.3 en.1; do
  language=${page%.*} number=${page#*.}
  pdftoppm -r 72 -f "$number" -l "$number" -png -singlefile "$folder"/demo/reports/*."$language".pdf \
    "docs/pictures/report-$language-$number"
done
