// Checks receipts, proofs and totals of a ledger, in the reader's own browser. Nothing leaves it. The formats are those of C2SP and
// of docs/format.md; the same cases are checked here and in the program (tests/vectors).
"use strict";
const mingzhang = (() => {
  /** What does not hold, in words of both languages. */
  class Refused extends Error {
    constructor(code, zh, en) {
      super(en);
      this.code = code;
      this.zh = zh;
      this.en = en;
    }
  }
  const refuse = (code, zh, en) => {
    throw new Refused(code, zh, en);
  };

  // ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────
  const utf8 = new TextEncoder();
  const bytesOf = (text) => utf8.encode(text);
  const textOf = (bytes) => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return refuse("utf8", "文件不是文本（UTF-8）。", "The file is not text (UTF-8).");
    }
  };
  const concat = (...parts) => {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fromHex = (text) => {
    if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) return null;
    return Uint8Array.from({ length: text.length / 2 }, (_, place) => parseInt(text.slice(place * 2, place * 2 + 2), 16));
  };
  const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  /** Strict: what is read must be what would be written. */
  const fromBase64 = (text) => {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return toBase64(bytes) === text ? bytes : null;
  };
  const hashFromBase64 = (text) => {
    const bytes = fromBase64(text);
    return bytes && bytes.length === 32 ? bytes : null;
  };
  const equal = (one, two) => one.length === two.length && one.every((byte, place) => byte === two[place]);
  const u64 = (n) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, n);
    return bytes;
  };

  // ── SHA-256, FIPS 180-4: at once, where the browser's own would have to be waited for hundreds of times ──────
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime)) primes.push(n);
  const fraction = (n) => Math.floor((n - Math.floor(n)) * 2 ** 32) | 0;
  const K = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
  const H = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const sha256 = (...parts) => {
    const message = concat(...parts);
    const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
    padded.set(message);
    padded[message.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
    const state = Int32Array.from(H);
    const w = new Int32Array(64);
    for (let block = 0; block < padded.length; block += 64) {
      for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(block + i * 4);
      for (let i = 16; i < 64; i += 1) {
        const a = w[i - 15];
        const b = w[i - 2];
        const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
        const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i += 1) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + t2) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((word, place) => {
        state[place] = (state[place] + word) | 0;
      });
    }
    const digest = new Uint8Array(32);
    const out = new DataView(digest.buffer);
    state.forEach((word, place) => out.setInt32(place * 4, word));
    return digest;
  };

  // ── canonical JSON, RFC 8785 for this ledger's subset ──────────────────────────────────────────────────────
  const write = (value, depth) => {
    if (typeof value === "string") return value.isWellFormed() ? JSON.stringify(value) : null;
    if (typeof value === "boolean") return String(value);
    if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : null;
    if (value === null || typeof value !== "object" || depth >= 16) return null;
    const parts = Array.isArray(value)
      ? value.map((inner) => write(inner, depth + 1))
      : Object.keys(value).sort().map((key) => {
          const inner = write(value[key], depth + 1);
          return inner === null || !key.isWellFormed() ? null : `${JSON.stringify(key)}:${inner}`;
        });
    if (parts.includes(null)) return null;
    return Array.isArray(value) ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
  };
  /** The value of a canonical text; every other form of the same JSON is refused. */
  const canonical = (text) => {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      value = null;
    }
    if (value === null || write(value, 0) !== text) {
      refuse("canonical", "这段数据不是规定的写法，或被改动过。", "This data does not have its canonical form, or was changed.");
    }
    return value;
  };

  // ── the Merkle tree of RFC 6962 ────────────────────────────────────────────────────────────────────────────
  const leafHash = (bytes) => sha256(Uint8Array.of(0), bytes);
  const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
  /** Whether a path leads from a leaf at an index to the root of a size. RFC 9162 §2.1.3.2; numbers are BigInt. */
  const verifyInclusion = (leaf, index, size, path, root) => {
    if (index >= size) return false;
    let place = index;
    let last = size - 1n;
    let hash = leaf;
    for (const sibling of path) {
      if (last === 0n) return false;
      if (place & 1n || place === last) {
        hash = nodeHash(sibling, hash);
        while (!(place & 1n) && place !== 0n) {
          place >>= 1n;
          last >>= 1n;
        }
      } else {
        hash = nodeHash(hash, sibling);
      }
      place >>= 1n;
      last >>= 1n;
    }
    return last === 0n && equal(hash, root);
  };
  /** Whether one tree is the beginning of another. RFC 9162 §2.1.4.2. */
  const verifyConsistency = (oldSize, newSize, oldRoot, newRoot, path) => {
    if (oldSize === 0n || oldSize > newSize) return false;
    if (oldSize === newSize) return path.length === 0 && equal(oldRoot, newRoot);
    const hashes = (oldSize & (oldSize - 1n)) === 0n ? [oldRoot, ...path] : [...path];
    const first = hashes.shift();
    if (!first) return false;
    let place = oldSize - 1n;
    let last = newSize - 1n;
    while (place & 1n) {
      place >>= 1n;
      last >>= 1n;
    }
    let [oldHash, newHash] = [first, first];
    for (const sibling of hashes) {
      if (last === 0n) return false;
      if (place & 1n || place === last) {
        oldHash = nodeHash(sibling, oldHash);
        newHash = nodeHash(sibling, newHash);
        while (!(place & 1n) && place !== 0n) {
          place >>= 1n;
          last >>= 1n;
        }
      } else {
        newHash = nodeHash(newHash, sibling);
      }
      place >>= 1n;
      last >>= 1n;
    }
    return last === 0n && equal(oldHash, oldRoot) && equal(newHash, newRoot);
  };

  // ── signed notes, checkpoints, cosignatures ────────────────────────────────────────────────────────────────
  const P = 2n ** 255n - 19n;
  const power = (base, exponent) => {
    let [result, square] = [1n, base % P];
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) result = (result * square) % P;
      square = (square * square) % P;
    }
    return result;
  };
  /** −121665/121666. */
  const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
  const yOf = (point) => point.reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n) & ((1n << 255n) - 1n);
  /** Whether 32 bytes are a point of the curve: x² = (y² − 1) / (d·y² + 1) has a root. RFC 8032 §5.1.3. */
  const isPoint = (key) => {
    const y2 = yOf(key) ** 2n % P;
    const [u, v] = [(y2 + P - 1n) % P, (D * y2 + 1n) % P];
    return [0n, 1n].includes(power(u * v, (P - 1n) / 2n));
  };
  const notNote = (zh, en) => refuse("note", `签名文件的写法不对：${zh}。`, `This is not a signed note: ${en}.`);
  const isName = (name) => name.length > 0 && !/[+\p{White_Space}\p{Cc}]/u.test(name);
  const keyId = (name, type, key) => sha256(bytesOf(`${name}\n`), Uint8Array.of(type), key).slice(0, 4);
  /** A public key by its name: `name+keyid+base64(type ‖ key)`; type 1 signs a log, 4 for a witness. */
  const verifierKey = (text) => {
    const bad = () => refuse("vkey", "公钥的写法不对，或编号与公钥不符。", "This is not a verifier key, or its id is another key's.");
    const [, name, id, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? bad();
    const bytes = fromBase64(encoded) ?? bad();
    if (!isName(name) || bytes.length !== 33 || ![1, 4].includes(bytes[0])) bad();
    const key = bytes.slice(1);
    if (toHex(keyId(name, bytes[0], key)) !== id || !isPoint(key)) bad();
    return { name, id, type: bytes[0], key, text };
  };
  const parseNote = (whole) => {
    if (bytesOf(whole).length > 1_000_000) notNote("太长", "it is longer than a million bytes");
    // eslint-disable-next-line no-control-regex
    if (/[\x00-\x09\x0b-\x1f\x7f]/.test(whole)) notNote("有控制字符", "it holds a control character");
    const end = whole.lastIndexOf("\n\n");
    if (end < 0 || !whole.endsWith("\n")) notNote("缺空行或结尾的换行", "the empty line or the last newline is missing");
    const lines = whole.slice(end + 2, -1).split("\n");
    if (lines.length > 100) notNote("签名超过 100 行", "it has more than 100 signatures");
    const signatures = lines.map((line) => {
      const [, name, encoded] = /^— ([^ ]*) (.*)$/s.exec(line) ?? notNote("签名行不对", "a signature line has another form");
      const bytes = fromBase64(encoded);
      if (!isName(name) || !bytes || bytes.length < 5) notNote("签名行不对", "a signature line has another form");
      return { name, id: toHex(bytes.slice(0, 4)), signature: bytes.slice(4) };
    });
    return { text: whole.slice(0, end + 1), signatures };
  };
  const decimal = (text) => (/^(0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : null);
  const parseCheckpoint = (text) => {
    const bad = (zh, en) => refuse("checkpoint", `检查点的写法不对：${zh}。`, `This is not a checkpoint: ${en}.`);
    if (!text.endsWith("\n")) bad("缺结尾的换行", "the last line has no newline");
    const [origin, size, root, ...rest] = text.slice(0, -1).split("\n");
    if (!origin || rest.includes("")) bad("有空行", "a line is empty");
    const count = decimal(size ?? "") ?? bad("大小不是数", "the size is not a plain number");
    const hash = hashFromBase64(root ?? "") ?? bad("根不是 32 字节", "the root is not base64 of 32 bytes");
    return { origin, size: count, root: hash };
  };
  // Points of small order sign everything: a key or a signature with one of them proves nothing.
  const SMALL = [
    0n,
    1n,
    P - 1n,
    P,
    P + 1n,
    0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
    0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  ];
  const isSmall = (point) => {
    return SMALL.includes(yOf(point));
  };
  /** Whether 64 bytes are the signature of a message: by the browser, or by @noble/ed25519 where it cannot. */
  const signs = async (key, message, signature) => {
    if (signature.length !== 64 || isSmall(key) || isSmall(signature.slice(0, 32))) return false;
    const { subtle } = globalThis.crypto ?? {};
    if (!subtle) {
      refuse("insecure", "浏览器在不加密的网页上不提供签名核对；请用 https，或先保存文件再打开。", "The browser checks signatures only on secure pages: use https, or save the file and open it.");
    }
    try {
      const imported = await subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
      return await subtle.verify("Ed25519", imported, signature, message);
    } catch {
      return globalThis.nobleEd25519.verifyAsync(signature, message, key, { zip215: false }).catch(() => false);
    }
  };
  const linesOf = (note, key) => note.signatures.filter((line) => line.name === key.name && line.id === key.id);
  /** The checkpoint that a log has signed. */
  const openCheckpoint = async (whole, log) => {
    const note = parseNote(whole);
    const lines = linesOf(note, log);
    if (log.type !== 1 || lines.length === 0) {
      refuse("not_signed", `没有 ${log.name} 的签名。`, `It is not signed by ${log.name}.`);
    }
    for (const line of lines) {
      if (!(await signs(log.key, bytesOf(note.text), line.signature))) {
        refuse("signature", `${log.name} 的签名不符：内容或签名被改动过。`, `The signature by ${log.name} does not hold: text or signature was changed.`);
      }
    }
    const checkpoint = parseCheckpoint(note.text);
    if (checkpoint.origin !== log.name) {
      refuse("other_log", `这是另一个账本的检查点：${checkpoint.origin}。`, `The checkpoint is of another log: ${checkpoint.origin}.`);
    }
    return { ...checkpoint, note };
  };
  /** The same of a log with several keys, of which one must have signed. */
  const openAny = async (whole, logs) => {
    const note = parseNote(whole);
    return openCheckpoint(whole, logs.find((log) => linesOf(note, log).length > 0) ?? logs[0]);
  };
  /** When a witness cosigned a note, in seconds since 1970; `null` where it did not. */
  const cosigned = async (note, witness) => {
    let seen = null;
    for (const line of witness.type === 4 ? linesOf(note, witness) : []) {
      const time = line.signature.length === 72 ? new DataView(line.signature.buffer, line.signature.byteOffset).getBigUint64(0) : null;
      const message = bytesOf(`cosignature/v1\ntime ${time}\n${note.text}`);
      if (time === null || time > 253_402_300_799n || !(await signs(witness.key, message, line.signature.slice(8)))) {
        refuse("cosignature", `见证方 ${witness.name} 的签名不符。`, `The cosignature by ${witness.name} does not hold.`);
      }
      if (seen === null || time > seen) seen = time;
    }
    return seen;
  };

  // ── tlog-proof ─────────────────────────────────────────────────────────────────────────────────────────────
  const parseProof = (text) => {
    const bad = (zh, en) => refuse("proof_form", `证明的写法不对：${zh}。`, `This is not a proof of inclusion: ${en}.`);
    if (bytesOf(text).length > 1_100_000) bad("太大", "it is larger than any proof can be");
    const end = text.indexOf("\n\n");
    if (end < 0) bad("缺空行", "the empty line before the checkpoint is missing");
    const lines = text.slice(0, end).split("\n");
    if (lines.shift() !== "c2sp.org/tlog-proof@v1") bad("首行不对", "the first line must be c2sp.org/tlog-proof@v1");
    const attached = lines[0]?.startsWith("extra ") ? lines.shift().slice(6) : null;
    const extra = attached === null ? null : fromBase64(attached) ?? bad("附加数据不对", "extra is not base64");
    const index = decimal(/^index (.*)$/.exec(lines.shift() ?? "")?.[1] ?? "") ?? bad("缺序号", "the index is missing");
    if (lines.length > 64) bad("超过 64 行", "it has more than 64 hashes");
    const path = lines.map((line) => hashFromBase64(line) ?? bad("有一行不是哈希", "a line is not base64 of 32 bytes"));
    return { extra, index, path, checkpoint: text.slice(end + 2) };
  };

  // ── entries ────────────────────────────────────────────────────────────────────────────────────────────────
  const unitOf = (line) => line.slice(line.indexOf("/") + 1);
  const badEntry = (zh, en) => refuse("entry", `记录的写法不对：${zh}。`, `This is not an entry: ${en}.`);
  const MEMBERS = ["at", "body", "by", "cash", "kind", "ledger", "post", "prev", "seq", "v"];
  /** Reads an entry as far as a receipt needs it; that it stands in the log is for its proof to show. */
  const parseEntry = (text) => {
    if (bytesOf(text).length > 65_535) badEntry("太长", "it is too long");
    const entry = canonical(text);
    const has = (name) => Object.hasOwn(entry, name);
    if (typeof entry !== "object" || Array.isArray(entry)) badEntry("不是对象", "it is no object");
    if (!Object.keys(entry).every((name) => MEMBERS.includes(name))) badEntry("有未知的项", "a member is unknown");
    if (!MEMBERS.every((name) => has(name) || ["cash", "post"].includes(name))) badEntry("缺一项", "a member is missing");
    const isText = (name, form) => typeof entry[name] === "string" && form.test(entry[name]);
    if (entry.v !== 1 || !Number.isSafeInteger(entry.seq) || entry.seq < 0) badEntry("版本或序号不对", "its version or seq");
    if (!isText("kind", /^(?=.{1,40}$)[a-z_]+\.[a-z_]+$/)) badEntry("种类不对", "its kind");
    if (!isText("ledger", /^(?=.{1,100}$)[a-z0-9.-]+(\/[a-z0-9-]+)+$/)) badEntry("账本名不对", "its ledger");
    if (!isText("by", /^[a-z0-9_]{1,40}$/) || !isText("prev", /^[0-9a-f]{64}$/)) badEntry("登记人或前一条不对", "its by or prev");
    const isTime = isText("at", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) && !Number.isNaN(Date.parse(entry.at));
    if (!isTime || new Date(entry.at).toISOString() !== entry.at) badEntry("时间不对", "its at");
    if (typeof entry.body !== "object" || Array.isArray(entry.body)) badEntry("内容不对", "its body");
    const rows = (name) => {
      const list = has(name) ? entry[name] : [];
      if (!Array.isArray(list) || (has(name) && list.length === 0)) badEntry(`${name} 不对`, `its ${name}`);
      return list;
    };
    const isUnit = (unit) => typeof unit === "string" && /^([A-Z]{3}|[a-z]{1,16}:[A-Za-z0-9._-]{1,32})$/.test(unit);
    for (const row of rows("cash")) {
      const isRow = Object.keys(row).sort().join() === "account,amount,unit" && typeof row.account === "string" && /^[a-z0-9_/-]{1,40}$/.test(row.account);
      if (!isRow || !isUnit(row.unit) || !Number.isSafeInteger(row.amount) || row.amount === 0) badEntry("现金不对", "its cash");
    }
    const post = rows("post");
    if (post.length > 500) badEntry("入账太多", "more than 500 posts");
    for (const row of post) {
      const isSpan = Number.isSafeInteger(row.from) && Number.isSafeInteger(row.to) && row.from >= 0 && row.from < row.to;
      const names = Object.keys(row).sort().join();
      const plain = ["in", "hold", "out"].includes(row.op) && names === "from,line,op,to";
      const withOf = ["out", "free", "void"].includes(row.op) && names === "from,line,of,op,to" && Number.isSafeInteger(row.of) && row.of >= 0;
      const isLine = typeof row.line === "string" && /^[a-z0-9_.]{1,40}\//.test(row.line) && isUnit(unitOf(row.line));
      if (!isSpan || !isLine || !(plain || withOf)) badEntry("入账不对", "one of its posts");
    }
    return { ...entry, post };
  };

  // ── a gift followed through the entries that touch it; the same as src/ledger/follow.rs ───────────────────────
  const overlap = (one, two) => {
    const [from, to] = [Math.max(one.from, two.from), Math.min(one.to, two.to)];
    return one.line === two.line && from < to ? { line: one.line, from, to } : null;
  };
  /** The parts of a piece that lie on a side, each with its offset in the side laid end to end. */
  const offsets = (side, piece) => {
    const parts = [];
    let start = 0;
    for (const row of side) {
      const part = overlap(row, piece);
      if (part) parts.push([start + part.from - row.from, part.to - part.from]);
      start += row.to - row.from;
    }
    return parts;
  };
  const lengthOf = (side) => side.reduce((sum, row) => sum + row.to - row.from, 0);
  /** The map of a transfer: m units that left, laid end to end, onto n that arrived; [a, b) becomes [⌊a·n/m⌋, ⌊b·n/m⌋). */
  const image = ({ outs, ins }, piece) => {
    const [m, n] = [BigInt(lengthOf(outs)), BigInt(lengthOf(ins))];
    const scale = (a) => Number((BigInt(a) * n) / m);
    const arrived = [];
    for (const [offset, length] of offsets(outs, piece)) {
      const [from, to] = [scale(offset), scale(offset + length)];
      let start = 0;
      for (const row of ins) {
        const end = start + row.to - row.from;
        const [a, b] = [Math.max(from, start), Math.min(to, end)];
        if (a < b) arrived.push({ line: row.line, from: row.from + a - start, to: row.from + b - start });
        start = end;
      }
    }
    return arrived;
  };
  const fits = (row, piece) => {
    const isFree = piece.state === "free";
    const isOwn = (...states) => states.includes(piece.state) && piece.by === row.of;
    switch (row.op) {
      case "hold":
        return isFree;
      case "out":
        return row.of === undefined ? isFree : isOwn("held");
      case "free":
        return isOwn("held", "spent");
      default:
        return isFree;
    }
  };
  const sumOf = (rows) => rows.reduce((sum, row) => sum + BigInt(row.to - row.from), 0n);
  const PARTS_MAX = 100_000;
  const NEXT = { hold: "held", out: "spent", free: "free", void: "void" };
  /** What became of the positions that the first entry brings in. */
  const follow = (entries) => {
    const transfers = new Map();
    const [gift] = entries;
    let pieces = gift.post.filter((row) => row.op === "in").map((row) => ({ line: row.line, from: row.from, to: row.to, state: "free" }));
    if (pieces.length === 0) refuse("no_gift", `记录 ${gift.seq} 没有收到款项。`, `Entry ${gift.seq} brings no money in.`);
    let last = -1;
    const touching = new Set();
    for (const entry of entries) {
      if (entry.seq <= last) refuse("order", `记录 ${entry.seq} 的次序不对。`, `Entry ${entry.seq} does not come after entry ${last}.`);
      last = entry.seq;
      const ins = entry.post.filter((row) => row.op === "in");
      const outs = entry.post.filter((row) => row.op === "out" && ins.every((inflow) => inflow.line !== row.line));
      const isDoubled = ins.some((row, place) => ins.slice(0, place).some((other) => overlap(row, other)));
      if (isDoubled) refuse("post", `记录 ${entry.seq} 的入账不对。`, `Entry ${entry.seq} brings in the same positions twice.`);
      if (ins.length > 0 && outs.length > 0) {
        const units = [outs, ins].map((side) => new Set(side.map((row) => unitOf(row.line))));
        const isMixed = units.some((side) => side.size > 1);
        const isSame = [...units[0]][0] === [...units[1]][0];
        if (isMixed || (isSame && sumOf(outs) !== sumOf(ins))) {
          refuse("sums", `记录 ${entry.seq} 转入的金额与转出的不符。`, `Entry ${entry.seq} moves another amount between lines than it takes.`);
        }
        if (entry !== gift) transfers.set(entry.seq, { outs, ins });
      }
      const arrived = [];
      for (const row of entry.post.filter((post) => post.op !== "in")) {
        pieces = pieces.flatMap((piece) => {
          const common = overlap(piece, row);
          if (!common) return [piece];
          if (!fits(row, piece)) {
            refuse("follow", `记录 ${entry.seq} 用到这笔钱时，钱不在应有的状态：中间缺了记录，或记录被改动过。`, `Entry ${entry.seq} finds the gift's money in another state than it needs: an entry before it is missing or was changed.`);
          }
          touching.add(entry.seq);
          const taken = { ...common, state: NEXT[row.op], by: row.op === "free" ? undefined : entry.seq };
          const transfer = transfers.get(entry.seq);
          if (row.op === "out" && transfer) for (const part of image(transfer, common)) arrived.push({ ...part, state: "free" });
          const rest = [
            { ...piece, to: common.from },
            { ...piece, from: common.to },
          ];
          return [...rest.filter((part) => part.from < part.to), taken];
        });
      }
      if (pieces.length + arrived.length > PARTS_MAX) {
        refuse("parts", `记录 ${entry.seq} 会把这笔捐款分成太多份。`, `Entry ${entry.seq} would divide the gift into more than 100,000 parts.`);
      }
      for (const part of arrived) pieces.push(part);
    }
    const cameByTransfer = (piece) =>
      [...transfers].some(([seq, { ins }]) => seq < piece.by && ins.some((row) => row.line === piece.line && row.from <= piece.from && piece.to <= row.to));
    const fates = new Map();
    for (const piece of pieces) {
      if (piece.state === "spent" && transfers.has(piece.by)) continue;
      if (piece.state === "void" && cameByTransfer(piece)) continue;
      const key = [piece.state, piece.by ?? "", piece.line].join(" ");
      const known = fates.get(key) ?? { state: piece.state, by: piece.by, line: piece.line, amount: 0 };
      fates.set(key, { ...known, amount: known.amount + piece.to - piece.from });
    }
    return { fates: [...fates.values()], transfers, touching };
  };

  // ── the tree behind a published total ─────────────────────────────────────────────────────────────────────────
  const MAX = 2n ** 64n - 1n;
  const sumLeaf = (item, amount) => ({ hash: sha256(Uint8Array.of(0x10), u64(amount), item), sum: amount });
  const sumNode = (left, right) => {
    if (left.sum + right.sum > MAX) return null;
    return { hash: sha256(Uint8Array.of(0x11), left.hash, u64(left.sum), right.hash, u64(right.sum)), sum: left.sum + right.sum };
  };
  const split = (count) => 1n << BigInt((count - 1n).toString(2).length - 1);
  const sides = (index, count) => {
    const found = [];
    let [place, rest] = [index, count];
    while (rest > 1n) {
      const left = split(rest);
      found.unshift(place < left ? "right" : "left");
      [place, rest] = place < left ? [place, left] : [place - left, rest - left];
    }
    return found;
  };
  /** Whether an item with an amount is inside a published total. All numbers are BigInt. */
  const verifySum = (item, amount, index, count, path, total) => {
    if (index < 0n || index >= count || count !== total.count || amount < 0n || amount > MAX) return false;
    const wanted = sides(index, count);
    if (wanted.length !== path.length) return false;
    let current = sumLeaf(item, amount);
    for (const [place, { side, hash, sum }] of path.entries()) {
      if (side !== wanted[place] || sum < 0n || sum > MAX) return false;
      current = side === "left" ? sumNode({ hash, sum }, current) : sumNode(current, { hash, sum });
      if (!current) return false;
    }
    return equal(current.hash, total.root) && current.sum === total.sum;
  };

  /** Checks that a gift is an item of a total which an entry has published. */
  const insideOf = (claim, entries, leaf, gift) => {
    const bad = (why) => refuse("total", "这笔捐款不在公布的合计之内，或证明被改动过。", `The gift is not inside the published total: ${why}.`);
    const published = entries.find((entry) => entry.seq === claim.report);
    const term = published?.body.terms?.find?.((one) => one.name === claim.term);
    if (!term || term.sign !== 1 || claim.term !== "receipts" || Object.keys(claim).sort().join() !== "amount,count,index,item,path,report,term") bad("no such total was published there");
    const numbers = [claim.amount, claim.count, claim.index, term.count, term.sum, ...claim.path.map((row) => row.sum)];
    if (!numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) bad("a number is none");
    if (claim.item !== toHex(leaf) || claim.amount !== gift.body.amount) bad("it is about another gift");
    const path = claim.path.map(({ side, hash, sum }) => ({ side, hash: fromHex(hash) ?? bad("a hash is none"), sum: BigInt(sum) }));
    const total = { count: BigInt(term.count), sum: BigInt(term.sum), root: fromHex(term.root) ?? bad("a hash is none") };
    if (!verifySum(leaf, BigInt(claim.amount), BigInt(claim.index), BigInt(claim.count), path, total)) bad("the path does not lead to it");
    return { report: published, term };
  };

  /** The key that signs after `key`, as the proof of a change says; `key` itself where the change is another's. The same as src/ledger/rotation.rs. */
  const keyAfter = async (text, key) => {
    const bad = () => refuse("rotation", "更换签名密钥的证明不成立。", "The proof of a change of keys does not hold.");
    const { extra, index, path, checkpoint } = parseProof(text);
    if (linesOf(parseNote(checkpoint), key).length === 0) return key;
    const signed = await openCheckpoint(checkpoint, key);
    if (!extra || !verifyInclusion(leafHash(extra), index, signed.size, path, signed.root)) bad();
    const entry = parseEntry(textOf(extra));
    if (entry.kind !== "key.rotated" || BigInt(entry.seq) !== index || entry.ledger !== key.name || typeof entry.body.new_vkey !== "string") bad();
    const next = verifierKey(entry.body.new_vkey);
    if (next.name !== key.name) bad();
    await openCheckpoint(checkpoint, next);
    return next;
  };

  // ── receipts ──────────────────────────────────────────────────────────────────────────────────────────────────
  const commitment = (salt, record) => sha256(bytesOf("mingzhang/person/v1\0"), salt, bytesOf(record));
  const badReceipt = (zh, en) => refuse("receipt", `这不是自证凭证：${zh}。`, `This is not a receipt: ${en}.`);
  const parseReceipt = (text) => {
    if (bytesOf(text).length > 64_000_000) badReceipt("太大", "it is larger than any receipt can be");
    const receipt = canonical(text);
    if (Object.keys(receipt).join() !== "entries,format,record,rotations,salt,totals,vkey,witnesses") badReceipt("缺一项或多一项", "a member is missing or unknown");
    if (receipt.format !== "mingzhang-receipt/v1") badReceipt("格式不认识", "its format is not known");
    if (!Array.isArray(receipt.rotations) || receipt.rotations.length > 1_000) badReceipt("更换密钥的证明太多", "it has more than 1,000 changes of keys");
    const texts = [receipt.record, ...receipt.rotations, receipt.salt, receipt.vkey, ...receipt.witnesses, ...receipt.entries.flatMap((row) => [row.entry, row.proof])];
    if (!texts.every((value) => typeof value === "string")) badReceipt("有一项不是文本", "a member is no text");
    if (receipt.entries.length === 0 || receipt.entries.length > 2_000) badReceipt("没有记录或太多", "it has no entry, or more than 2,000");
    if (!receipt.entries.every((row) => Object.keys(row).join() === "entry,proof")) badReceipt("记录不对", "an entry has not exactly entry and proof");
    return receipt;
  };
  /** Checks everything in a receipt; `vkeys` are the log's keys where the reader has them from elsewhere. */
  const verifyReceipt = async (text, vkeys) => {
    const receipt = parseReceipt(text);
    if (vkeys && !vkeys.includes(receipt.vkey)) {
      refuse("other_log", "这张凭证不是这个账本签发的。", "This receipt is not of this ledger.");
    }
    const log = verifierKey(receipt.vkey);
    let key = log;
    for (const rotation of receipt.rotations) key = await keyAfter(rotation, key);
    if (key.text !== log.text) refuse("rotation", "更换签名密钥的证明与公钥不符。", "The changes of keys do not lead to the key of the receipt.");
    const salt = fromHex(receipt.salt);
    if (!salt || salt.length !== 32) badReceipt("盐不对", "the salt has not 64 hex digits");
    let signed = null;
    const entries = [];
    for (const { entry: bytes, proof: proofText } of receipt.entries) {
      const entry = parseEntry(bytes);
      const proof = parseProof(proofText);
      if (proof.index !== BigInt(entry.seq) || entry.ledger !== log.name) {
        refuse("misplaced", `记录 ${entry.seq} 与它的证明不符。`, `Entry ${entry.seq} is not the one that its proof is of.`);
      }
      signed ??= { text: proof.checkpoint, ...(await openCheckpoint(proof.checkpoint, log)) };
      if (proof.checkpoint !== signed.text) refuse("checkpoints", "各条证明的检查点不同。", "The proofs are of different checkpoints.");
      if (!verifyInclusion(leafHash(bytesOf(bytes)), proof.index, signed.size, proof.path, signed.root)) {
        refuse("not_included", `记录 ${entry.seq} 不在签名的账本里：它或它的证明被改动过。`, `Entry ${entry.seq} is not in the signed tree: it or its proof was changed.`);
      }
      entries.push(entry);
    }
    const [gift] = entries;
    if (gift.body.donor !== toHex(commitment(salt, receipt.record))) {
      refuse("commitment", "这笔捐款不是用这份登记信息登记的：它是别人的，或被改动过。", "The gift does not commit to this record: it is another donor's, or the record was changed.");
    }
    const record = canonical(receipt.record);
    if (record.ledger !== gift.ledger) refuse("record", "登记信息是另一个账本的。", "The record is of another ledger.");
    for (const name of ["amount", "unit", "on"]) {
      if (record[name] !== gift.body[name]) refuse("record", "登记信息与记录不一致。", `The record says another ${name} than the entry.`);
    }
    const brought = gift.post.filter((row) => row.op === "in");
    const isOfUnit = brought.every((row) => unitOf(row.line) === gift.body.unit);
    if (!isOfUnit || !Number.isSafeInteger(gift.body.amount) || sumOf(brought) !== BigInt(gift.body.amount)) {
      refuse("amount", "捐款写的金额与它带来的钱不符。", "The gift says another amount than it brings in.");
    }
    const { fates, transfers, touching } = follow(entries);
    for (const entry of entries.slice(1)) {
      const isClaimed = receipt.totals.some((claim) => claim.report === entry.seq);
      if (!touching.has(entry.seq) && !isClaimed && entry.body.donation !== gift.seq) {
        refuse("unrelated", `记录 ${entry.seq} 与这笔捐款无关。`, `Entry ${entry.seq} has nothing to do with this gift.`);
      }
    }
    const totals = receipt.totals.map((claim) => insideOf(claim, entries, leafHash(bytesOf(receipt.entries[0].entry)), gift));
    const seen = [];
    for (const witness of receipt.witnesses.map(verifierKey)) {
      const time = await cosigned(signed.note, witness);
      if (time !== null) seen.push({ name: witness.name, time });
    }
    return { receipt, log, checkpoint: signed, entries, gift, record, fates, transfers, totals, seen };
  };

  // ── the log as it is now, from its tiles ────────────────────────────────────────────────────────────────────────
  const tilePath = (level, index, width) => {
    const digits = String(index).padStart(3, "0");
    const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
    const parts = padded.match(/.{3}/g);
    const path = parts.map((part, place) => (place < parts.length - 1 ? `x${part}` : part)).join("/");
    return `tile/${level}/${path}${width < 256n ? `.p/${width}` : ""}`;
  };
  /** Reads nodes of the tree of a size from its tiles, each fetched once. */
  const nodesOf = (base, size) => {
    const tiles = new Map();
    const tile = (level, index) => {
      const key = `${level}/${index}`;
      if (!tiles.has(key)) {
        const count = (size >> BigInt(8 * level)) - index * 256n;
        const width = count < 256n ? count : 256n;
        const fetched = fetch(base + tilePath(level, index, width)).then(async (answer) => {
          if (!answer.ok) throw new Error(`${answer.status}`);
          const bytes = new Uint8Array(await answer.arrayBuffer());
          if (bytes.length !== Number(width) * 32) {
            refuse("tile", "账本给出的哈希块长度不对。", "A tile of the log has another length than it must.");
          }
          return bytes;
        });
        tiles.set(key, fetched);
      }
      return tiles.get(key);
    };
    /** Hash of the complete subtree of a height that begins at leaf index << height. */
    const node = async (height, index) => {
      const level = Math.floor(height / 8);
      const below = BigInt(height - level * 8);
      const first = index << below;
      const bytes = await tile(level, first >> 8n);
      let hashes = [];
      for (let place = first & 255n; place < (first & 255n) + (1n << below); place += 1n) {
        hashes.push(bytes.slice(Number(place) * 32, Number(place) * 32 + 32));
      }
      while (hashes.length > 1) hashes = hashes.flatMap((hash, place) => (place % 2 ? [] : [nodeHash(hash, hashes[place + 1])]));
      return hashes[0];
    };
    const subtree = async (from, to) => {
      const count = to - from;
      if ((count & (count - 1n)) === 0n) {
        const height = count.toString(2).length - 1;
        return node(height, from >> BigInt(height));
      }
      const middle = from + split(count);
      return nodeHash(await subtree(from, middle), await subtree(middle, to));
    };
    return subtree;
  };
  /** What proves that the tree of an old size is the beginning of that of a new one. RFC 6962 §2.1.2. */
  const consistencyProof = async (subtree, oldSize, newSize) => {
    const path = [];
    let [from, to, whole] = [0n, newSize, true];
    while (oldSize !== to) {
      const middle = from + split(to - from);
      if (oldSize <= middle) {
        path.push(await subtree(middle, to));
        to = middle;
      } else {
        path.push(await subtree(from, middle));
        from = middle;
        whole = false;
      }
    }
    if (!whole) path.push(await subtree(from, to));
    return path.reverse();
  };
  /** A checkpoint by the key that signs now: the log's, or one that has taken its place. */
  const openNow = async (text, base, log) => {
    const note = parseNote(text);
    let key = log;
    for (let place = 0; linesOf(note, key).length === 0 && place < 1_000; place += 1) {
      const answer = await fetch(`${base}rotations/${place}`, { cache: "no-store" });
      if (answer.status === 404) break;
      if (!answer.ok) throw new Error(`${answer.status}`);
      key = await keyAfter(await answer.text(), key);
    }
    return { ...(await openCheckpoint(text, key)), key };
  };
  /** The newest checkpoint of a log, with the key that signs now, proved to hold all of an older one; both signed notes are kept where it does not. */
  const consistentWith = async (base, log, old) => {
    const answer = await fetch(`${base}checkpoint`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const text = await answer.text();
    const newest = await openNow(text, base, log);
    const fork = () => {
      const refused = new Refused(
        "fork",
        "账本现在的签名与这张凭证的签名对不上：同一本账有两个版本。请保存证据并交给监管部门。",
        "What the log signs now does not hold what it signed for this receipt: there are two books. Keep the evidence and give it to a regulator.",
      );
      refused.evidence = `${old.text}\n${text}`;
      throw refused;
    };
    if (newest.size < old.size) {
      refuse("behind", "账本给出的检查点比这张凭证还旧，请稍后再查。", "The log shows an older checkpoint than this receipt has; ask again later.");
    }
    const path = old.size < newest.size ? await consistencyProof(nodesOf(base, newest.size), old.size, newest.size) : [];
    if (!verifyConsistency(old.size, newest.size, old.root, newest.root, path)) fork();
    return newest;
  };

  /** A link that saves two signed notes. */
  const evidenceLink = (evidence, words) => {
    const href = URL.createObjectURL(new Blob([evidence], { type: "text/plain" }));
    return Object.assign(document.createElement("a"), { href, download: "evidence.txt", textContent: words });
  };

  // ── words for a page ───────────────────────────────────────────────────────────────────────────────────────
  /** An amount of a line in its unit: `digits` after the point and the word of each unit, as the page has them. */
  const money = (minor, line, { digits: digitsOf, units }) => {
    const unit = unitOf(line);
    const digits = digitsOf[unit] ?? 0;
    const text = String(minor).padStart(digits + 1, "0");
    const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
    return `${digits ? `${whole}.${text.slice(-digits)}` : whole} ${units[unit] ?? unit}`;
  };
  /** What became of a part, in both languages; `uses` has the words of the page's own. */
  const fateWords = (fate, entry, uses) => {
    if (fate.state === "free") return ["还没有用", "not used yet"];
    const use = uses[entry.body.use];
    if (fate.state === "held") return use ? [`${use}（已批准，待支付）`, `${use} (approved, not paid yet)`] : ["已批准，待支付", "approved, not paid yet"];
    if (fate.state === "void") {
      return entry.kind === "donation.refunded" ? ["退还给捐赠人", "given back to the donor"] : ["记录冲销", "record taken back"];
    }
    if (entry.kind === "donation.received") return ["支付渠道手续费", "fee of the payment channel"];
    if (entry.kind === "donation.refunded") return ["另一笔捐款退还时渠道没有退的手续费", "fee kept when another gift was given back"];
    return use ? [use, use] : ["支出", "spent"];
  };

  return {
    Refused,
    bytesOf,
    textOf,
    toHex,
    fromHex,
    fromBase64,
    equal,
    sha256,
    canonical,
    leafHash,
    verifyInclusion,
    verifyConsistency,
    verifierKey,
    openCheckpoint,
    openAny,
    cosigned,
    parseProof,
    parseEntry,
    follow,
    unitOf,
    verifySum,
    commitment,
    verifyReceipt,
    keyAfter,
    consistentWith,
    evidenceLink,
    money,
    fateWords,
  };
})();
globalThis.mingzhang = mingzhang;
