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

# The donor's page on a phone, where chromium is and `npm ci` was run in tests/browser.
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -n "$browser" ] && [ -d tests/browser/node_modules ]; then
  program=target/debug/mingzhang
  gift=$("$program" donation list --last 9999 --fund f_3k9w --json --data "$folder/demo" |
    python3 -c 'import json, sys; print([g["seq"] for g in json.load(sys.stdin)["donations"] if g["amount"] == 50000 and g["source"] == "members"][0])')
  code=$("$program" donation code "$gift" --json --data "$folder/demo" | python3 -c 'import json, sys; print(json.load(sys.stdin)["code"])')
  "$program" donation receipt "$gift" --data "$folder/demo" --out "$folder/receipt" >/dev/null
  mkdir -p "$folder/shots"
  node tests/browser/receipt.mjs "$browser" --shots "$folder/shots" "$folder"/receipt/*.zh.html "$folder"/receipt/*.en.html >/dev/null
  "$program" serve --listen 127.0.0.1:0 --json --data "$folder/demo" >"$folder/address" 2>/dev/null &
  server=$!
  until [ -s "$folder/address" ]; do sleep 0.1; done
  address=$(python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["listening"])' <"$folder/address")
  node tests/browser/pages.mjs "$browser" "http://$address" --shots "$folder/shots" "/zh/gift/$code" "/en/gift/$code" /zh || true
  node tests/browser/verify.mjs "$browser" "http://$address/zh/verify" --shots "$folder/shots" "$folder"/receipt/*.zh.html >/dev/null
  kill "$server"
  cp "$folder"/shots/_zh_gift_*_390.png docs/pictures/gift-zh.png
  cp "$folder"/shots/_en_gift_*_390.png docs/pictures/gift-en.png
  cp "$folder"/shots/_zh_390.png docs/pictures/home-zh.png
  cp "$folder"/shots/2*.zh.html.png docs/pictures/receipt-zh.png
  cp "$folder"/shots/2*.en.html.png docs/pictures/receipt-en.png
  cp "$folder"/shots/verify-2*.zh.html.png docs/pictures/verify-zh.png
fi
