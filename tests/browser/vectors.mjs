// Runs the given vectors against the code that browsers check with, in a real browser, from file://, with the network off.
//
//   node vectors.mjs BROWSER
//
// Prints one JSON object {checked, wrong: [what]}.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

const here = import.meta.dirname;
const assets = join(here, '../../src/web/assets');
const noble = readFileSync(join(assets, 'vendor/noble-ed25519-3.2.0.js'), 'utf8').replace(/^export \{.*\};$/m, 'globalThis.nobleEd25519 = { verifyAsync };');
const proof = readFileSync(join(assets, 'proof.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'mingzhang-vectors-'));
const page = join(folder, 'page.html');
writeFileSync(page, `<!doctype html><meta charset="utf-8"><script type="module">${noble}</script><script type="module">${proof}</script>`);
const vectors = Object.fromEntries(
  ['canonical', 'ledger', 'merkle_sum', 'commitment', 'transfer'].map((name) => [
    name,
    JSON.parse(readFileSync(join(here, `../vectors/${name}.json`), 'utf8')),
  ]),
);
const browser = await puppeteer.launch({ executablePath: process.argv[2], args: ['--no-sandbox', '--disable-gpu'] });
const tab = await browser.newPage();
await tab.setOfflineMode(true);
await tab.goto(`file://${page}`);
const told = await tab.evaluate(async (given) => {
  const m = globalThis.mingzhang;
  const wrong = [];
  let checked = 0;
  const holds = (what, is) => {
    checked += 1;
    if (!is) wrong.push(what);
  };
  const refused = async (what, work) => {
    checked += 1;
    try {
      await work();
      wrong.push(`taken: ${what}`);
    } catch (error) {
      if (!(error instanceof m.Refused)) wrong.push(`${what}: ${error}`);
    }
  };
  const hex = m.fromHex;

  const { canonical, ledger, merkle_sum: sums, commitment, transfer } = given;
  for (const { text, sha256 } of canonical.canonical) {
    m.canonical(text);
    holds(`sha256 of ${text}`, m.toHex(m.sha256(m.bytesOf(text))) === sha256);
  }
  for (const { why, text } of canonical.rejected) await refused(`canonical: ${why}`, () => m.canonical(text));
  for (const { why, hex: bytes } of canonical.rejected_hex) await refused(`canonical: ${why}`, () => m.canonical(m.textOf(hex(bytes))));

  const leaves = ledger.entries.map((entry) => m.leafHash(m.bytesOf(entry)));
  leaves.forEach((leaf, seq) => holds(`leaf ${seq}`, m.toHex(leaf) === ledger.leaf_hashes[seq]));
  ledger.entries.forEach((entry) => m.parseEntry(entry));
  ledger.accepted_entries.forEach(({ text }) => m.parseEntry(text));
  for (const { why, text } of ledger.rejected_entries) await refused(`entry: ${why}`, () => m.parseEntry(text));
  const root = (size) => hex(ledger.roots[size]);
  for (const { index, size, proof: path } of ledger.inclusion) {
    const is = (leaf = leaves[0].toReversed()) => m.verifyInclusion(leaf, BigInt(index), BigInt(size), path.map(hex), root(size));
    holds(`inclusion of ${index} in ${size}`, is(leaves[index]) && !is(leaves[index + 1]));
  }
  for (const { from, to, proof: path } of ledger.consistency) {
    holds(`consistency ${from} to ${to}`, m.verifyConsistency(BigInt(from), BigInt(to), root(from), root(to), path.map(hex)));
    holds(`no consistency ${from} to ${to}`, !m.verifyConsistency(BigInt(from), BigInt(to), root(to), root(from), path.map(hex)) || from === to);
  }
  for (const { why, index, size, proof: path } of ledger.bad_proofs.inclusion) {
    leaves.slice(0, 9).forEach((leaf) => {
      holds(`bad inclusion: ${why}`, !m.verifyInclusion(leaf, BigInt(index), BigInt(size), path.map(hex), root(9)));
    });
  }
  for (const { why, from, to, old_root: old, proof: path } of ledger.bad_proofs.consistency) {
    holds(`bad consistency: ${why}`, !m.verifyConsistency(BigInt(from), BigInt(to), hex(old), root(to), path.map(hex)));
  }
  const log = m.verifierKey(ledger.log_vkey);
  const witness = m.verifierKey(ledger.witness_vkey);
  for (const text of ledger.bad_vkeys) await refused(`vkey ${text}`, () => m.verifierKey(text));
  const opened = await m.openCheckpoint(ledger.checkpoint, log);
  holds('checkpoint', opened.size === BigInt(ledger.entries.length) && m.equal(opened.root, root(33)));
  for (const { note } of ledger.good_notes) await m.openCheckpoint(note, log);
  for (const { why, note } of ledger.bad_notes) await refused(`note: ${why}`, () => m.openCheckpoint(note, log));
  const cosigned = await m.openCheckpoint(ledger.cosigned_checkpoint, log);
  holds('cosignature', (await m.cosigned(cosigned.note, witness)) === BigInt(ledger.cosignature_time));
  holds('no cosignature', (await m.cosigned(opened.note, witness)) === null);
  const proof = m.parseProof(ledger.proof_of_entry_5);
  const tree = await m.openCheckpoint(proof.checkpoint, log);
  holds('tlog-proof', proof.index === 5n && m.verifyInclusion(leaves[5], proof.index, tree.size, proof.path, tree.root));
  // The same signature by the other way, for browsers without Ed25519 of their own.
  const line = opened.note.signatures.find(({ id }) => id === log.id);
  const noble = (bytes) => globalThis.nobleEd25519.verifyAsync(bytes, m.bytesOf(opened.note.text), log.key, { zip215: false });
  holds('noble', await noble(line.signature));
  holds('noble refuses', !(await noble(Uint8Array.from(line.signature, (byte, place) => byte ^ (place === 3 ? 1 : 0)))));

  const path = (rows) => rows.map(({ side, hash, sum }) => ({ side, hash: hex(hash), sum: BigInt(sum) }));
  for (const { items, root: hash, sum, proofs } of sums.cases) {
    const total = { count: BigInt(items.length), root: hex(hash), sum: BigInt(sum) };
    proofs.forEach((proof, index) => {
      const { item, amount } = items[index];
      const is = m.verifySum(hex(item), BigInt(amount), BigInt(index), total.count, path(proof), total);
      holds(`sum of ${items.length}, item ${index}`, is);
    });
  }
  const eight = sums.cases.find(({ items }) => items.length === 8);
  for (const bad of sums.bad_proofs_of_8) {
    const total = { count: 8n, root: hex(eight.root), sum: BigInt(eight.sum) };
    const is = m.verifySum(hex(bad.item), BigInt(bad.amount), BigInt(bad.index), BigInt(bad.count), path(bad.proof), total);
    holds(`bad sum: ${bad.why}`, !is);
  }
  const sorted = (value) => (value && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]])) : value);
  for (const { salt, record, commitment: wanted } of commitment.cases) {
    holds('commitment', m.toHex(m.commitment(hex(salt), JSON.stringify(sorted(record)))) === wanted);
  }

  const ordered = (fates) => fates.map(({ state, by, line, amount }) => [state, by ?? '', line, amount].join(' ')).sort().join('; ');
  for (const { name, steps, traces } of transfer.cases) {
    for (const { line, from, to, uses } of traces) {
      // The positions asked for as those of a gift: the entry that brought them in first, the others as they came.
      const entries = steps.map((post, seq) => ({ seq, post }));
      const gift = entries.findIndex(({ post }) => post.some((row) => row.op === 'in' && row.line === line && row.from <= from && to <= row.to));
      if (gift < 0) continue;
      const own = { seq: gift, post: [{ op: 'in', line, from, to }] };
      const found = m.follow([own, ...entries.slice(gift + 1)]).fates;
      holds(`${name}: ${line} ${from}..${to}: ${ordered(found)}`, ordered(found) === ordered(uses));
    }
  }
  return { checked, wrong };
}, vectors);
await browser.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(told));
