// Opens pages in a real browser and says what is wrong with them: what axe-core finds at WCAG 2.2 AA, sideways scrolling at the width of a
// phone and at 200 % zoom, words of a picture and sums that are cut off or run into each other, anything asked of another host, and whatever the page logs.
//
//   node pages.mjs BROWSER BASE [--shots FOLDER] PATH…
//
// Prints one JSON object {pages, wrong: [{path, width, what}]}.
import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const [browserPath, base, ...rest] = process.argv.slice(2);
const shots = rest[0] === '--shots' ? rest.splice(0, 2)[1] : undefined;
if (shots) mkdirSync(shots, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await puppeteer.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
const wrong = [];
const widths = [
  { name: '390', width: 390, height: 844, isMobile: true, deviceScaleFactor: 2 },
  { name: '1280', width: 1280, height: 900, deviceScaleFactor: 1 },
  // 1280 px at 200 % zoom is laid out as 640 px.
  { name: '640', width: 640, height: 450, deviceScaleFactor: 2 },
];
for (const path of rest) {
  for (const { name, ...viewport } of widths) {
    const page = await browser.newPage();
    const say = (what) => wrong.push({ path, width: name, what });
    await page.setBypassCSP(true);
    // Pages must work without scripts; axe itself needs them, in a world of its own.
    await page.setViewport(viewport);
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(base) && !url.startsWith('data:')) say(`asks ${url}`);
    });
    page.on('console', (message) => {
      // A page that says that nothing is there is logged as such.
      if (message.type() === 'error' && !message.text().includes('status of 404')) say(`logs ${message.text()}`);
    });
    const answer = await page.goto(base + path, { waitUntil: 'load' });
    if (answer.status() >= 500) say(`answers ${answer.status()}`);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (sideways > 0) say(`scrolls sideways by ${sideways} px`);
    const cut = await page.evaluate(() => {
      const beyond = (part, whole) => part.getBoundingClientRect().right > whole.getBoundingClientRect().right + 0.5;
      const words = [...document.querySelectorAll('svg.flow text')].filter((text) => beyond(text, text.closest('svg')));
      const range = document.createRange();
      const figures = [...document.querySelectorAll('dl.heads dd')].filter((figure) => {
        range.selectNodeContents(figure);
        return beyond(range, figure);
      });
      return [...words, ...figures].map((part) => part.textContent);
    });
    for (const text of cut) say(`cuts off ${text}`);
    await page.evaluate(axe);
    const found = await page.evaluate(() =>
      axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    );
    for (const violation of found.violations) {
      for (const node of violation.nodes) say(`${violation.id}: ${node.target.join(' ')}: ${node.failureSummary.replaceAll('\n', ' ')}`);
    }
    if (shots) {
      const file = `${path.replaceAll(/[^a-z0-9]+/gi, '_')}_${name}.png`;
      await page.screenshot({ path: `${shots}/${file}`, fullPage: true });
    }
    await page.close();
  }
}
await browser.close();
console.log(JSON.stringify({ pages: rest.length, wrong }));
process.exit(wrong.length ? 1 : 0);
