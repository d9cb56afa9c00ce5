#!/bin/sh
# Makes reports/fonts/ again from public sources. Needs npm, python3 with pip, apt, dpkg-deb.
# Noto Sans SC is under the SIL Open Font License 1.1 (reports/fonts/LICENSE_FONT); its reserved font name is "Source", so the subsets keep their name.
# The code points: Tongyong Guifan Hanzi Biao (8,105, Unihan kTGH), GB 2312, Latin with Vietnamese, punctuation, currency, numbers, arrows,
# mathematical and box-drawing signs, CJK symbols and full-width forms.
# Hinting is dropped: the reports are vector pages. The same sources give the same bytes.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm pack --silent @expo-google-fonts/noto-sans-sc@0.4.3 >/dev/null
tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz
apt-get download unicode-data >/dev/null 2>&1
dpkg-deb -x unicode-data_*.deb unicode
python3 -m venv python
python/bin/pip -q install fonttools==4.68.0

python/bin/python - <<'PYTHON'
import bz2
points = set()
with bz2.open("unicode/usr/share/unicode/Unihan_OtherMappings.txt.bz2", "rt") as lines:
    for line in lines:
        fields = line.split("\t")
        if len(fields) > 2 and fields[1] == "kTGH":
            points.add(int(fields[0][2:], 16))
assert len(points) == 8105
for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        try:
            points.add(ord(bytes([high, low]).decode("gb2312")))
        except UnicodeDecodeError:
            pass
for first, last in [
    (0x20, 0x7E), (0xA0, 0x17F), (0x1A0, 0x1B0), (0x1E00, 0x1EFF), (0x2010, 0x205E), (0x20A0, 0x20CF), (0x2100, 0x214F),
    (0x2150, 0x218F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2460, 0x24FF), (0x2500, 0x25FF), (0x2600, 0x267F),
    (0x3000, 0x303F), (0xFF01, 0xFFEE),
]:
    points.update(range(first, last + 1))
with open("points", "w") as out:
    out.write("\n".join(f"{point:04X}" for point in sorted(points)))
PYTHON

for weight in 400Regular 700Bold; do
  name=NotoSansSC-${weight#?00}.ttf
  python/bin/pyftsubset "package/$weight/NotoSansSC_$weight.ttf" --unicodes-file=points --no-hinting --desubroutinize \
    --name-IDs='*' --notdef-outline --layout-features=kern,locl,vert --drop-tables+=vhea,vmtx,VORG,DSIG --output-file="$name"
  cp "$name" "$here/reports/fonts/$name"
done
cp package/LICENSE_FONT "$here/reports/fonts/LICENSE_FONT"
cd "$here/reports/fonts" && sha256sum NotoSansSC-*.ttf
