// Drops files on the page that checks them, in a real browser, with the network off once the page is there, and says what it says.
//
//   node verify.mjs BROWSER URL [--online] [--shots FOLDER] FILE…
//
// Prints one JSON array of {file, verdict, text, asked, wrong}; without files, what the page says at once.
import { basename } from 'node:path';
import puppeteer from 'puppeteer-core';

const [browserPath, url, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest.splice(rest.indexOf(name), 2)[1] : undefined);
const shots = option('--shots');
const online = rest.includes('--online') && rest.splice(rest.indexOf('--online'), 1);
const browser = await puppeteer.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
const told = [];
for (const file of rest.length ? rest : [undefined]) {
  const page = await browser.newPage();
  const wrong = [];
  const asked = [];
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('ERR_INTERNET_DISCONNECTED') && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2 });
  await page.goto(url, { waitUntil: 'networkidle0' });
  if (!online) await page.setOfflineMode(true);
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname} ${request.postData()?.length ?? 0}`));
  if (file) {
    const input = await page.$('#file');
    await input.uploadFile(file);
  }
  await page.waitForFunction(() => document.getElementById('verdict').dataset.verdict && !/…$/.test(document.getElementById('verdict').innerText), { timeout: 20_000 });
  const seen = await page.evaluate(() => ({
    verdict: document.getElementById('verdict').dataset.verdict,
    text: document.getElementById('verdict').innerText,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  if (seen.sideways > 0) wrong.push(`scrolls sideways by ${seen.sideways} px`);
  if (shots) await page.screenshot({ path: `${shots}/verify-${file ? basename(file) : 'asked'}.png`, fullPage: true });
  told.push({ file: file && basename(file), verdict: seen.verdict, text: seen.text, asked, wrong });
  await page.close();
}
await browser.close();
console.log(JSON.stringify(told));
