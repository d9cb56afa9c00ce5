// Opens receipts in a real browser from file:// with the network off, and says what each page says; with `--log BASE` the page is then
// asked to look at the log, whose addresses are answered from BASE.
//
//   node receipt.mjs BROWSER [--log BASE] [--shots FOLDER] FILE…
//
// Prints one JSON array of {file, verdict, text, took, rows, now, wrong}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import puppeteer from 'puppeteer-core';

const [browserPath, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest.splice(rest.indexOf(name), 2)[1] : undefined);
const log = option('--log');
const shots = option('--shots');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await puppeteer.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
const told = [];
for (const file of rest) {
  const page = await browser.newPage();
  const wrong = [];
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2 });
  await page.setOfflineMode(true);
  await page.goto(`file://${resolve(file)}`);
  await page.waitForFunction(() => document.documentElement.dataset.verdict, { timeout: 20_000 });
  const seen = await page.evaluate(() => ({
    verdict: document.documentElement.dataset.verdict,
    took: Number(document.documentElement.dataset.took ?? 0),
    text: document.getElementById('verdict').innerText,
    rows: [...document.querySelectorAll('#uses tr')].map((row) => row.innerText.replaceAll('\t', ' | ')),
    total: document.getElementById('total').innerText,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  if (seen.sideways > 0) wrong.push(`scrolls sideways by ${seen.sideways} px`);
  if (shots) await page.screenshot({ path: `${shots}/${basename(file)}.png`, fullPage: true });
  let now;
  if (log && seen.verdict === 'right') {
    await page.setOfflineMode(false);
    await page.setRequestInterception(true);
    page.on('request', async (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'https:') return request.continue();
      const answer = await fetch(log + url.pathname);
      const body = Buffer.from(await answer.arrayBuffer());
      return request.respond({ status: answer.status, headers: { 'access-control-allow-origin': '*' }, body });
    });
    await page.click('#online');
    await page.waitForFunction(() => /^[✓✕]|。$|\.$/.test(document.getElementById('now').innerText) && !/…/.test(document.getElementById('now').innerText));
    now = await page.evaluate(() => document.getElementById('now').innerText);
    await page.setRequestInterception(false);
  }
  // The scanner needs to be let in.
  const scanned = await browser.newPage();
  await scanned.setBypassCSP(true);
  await scanned.goto(`file://${resolve(file)}`);
  await scanned.waitForFunction(() => document.documentElement.dataset.verdict);
  await scanned.evaluate(axe);
  const found = await scanned.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  for (const violation of found.violations) wrong.push(`${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`);
  told.push({ file: basename(file), ...seen, now, wrong });
  await page.close();
  await scanned.close();
}
await browser.close();
console.log(JSON.stringify(told));
