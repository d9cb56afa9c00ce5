// Checks a file that its reader chooses or drops. It is read here and goes nowhere; only the log of this server is asked, where it can be.
"use strict";
(() => {
  const m = globalThis.mingzhang;
  const zh = document.documentElement.lang.startsWith("zh");
  const say = (chinese, english) => (zh ? chinese : english);
  const at = (id) => document.getElementById(id);
  const known = JSON.parse(at("known").textContent);
  const base = `/log/${known.slug}/`;
  const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const show = (verdict, title, ...parts) => {
    const place = at("verdict");
    place.className = verdict;
    place.dataset.verdict = verdict;
    place.replaceChildren(element("h2", title), ...parts.map((part) => (typeof part === "string" ? element("p", part) : part)));
  };
  const BYTES_MAX = 64_000_000;
  const changed = (rows) => {
    const table = document.createElement("table");
    table.className = "figures";
    const [where, before, after] = [say("哪里", "Where"), say("原来", "Before"), say("现在", "Now")];
    const head = document.createElement("thead");
    head.append(document.createElement("tr"));
    head.firstChild.append(...[where, before, after].map((text) => Object.assign(element("th", text), { scope: "col" })));
    const body = document.createElement("tbody");
    body.append(
      ...rows.map(([path, old, fresh]) => {
        const row = document.createElement("tr");
        const cell = (text, label) => {
          const made = element("td", text ?? "–");
          made.dataset.label = label;
          return made;
        };
        row.append(Object.assign(element("th", path), { scope: "row" }), cell(old, before), cell(fresh, after));
        return row;
      }),
    );
    table.append(head, body);
    return table;
  };
  const told = (report, genuine) => {
    const name = `${report.number}-v${report.version}`;
    if (report.current) {
      show("right", say(`✓ ${genuine}，是现行的一版`, `✓ ${genuine}, and current`), `${name}${say(`，记录 ${report.seq}。`, `, entry ${report.seq}.`)}`);
      return;
    }
    const parts = [say(`${name} 已被第 ${report.newest} 版取代。`, `${name} has been superseded by version ${report.newest}.`)];
    if (report.note) parts.push(`${say("更正说明：", "What was wrong: ")}${report.note}`);
    if (report.changes.length) parts.push(element("h3", say("改了什么", "What changed")), changed(report.changes));
    show("waiting", say(`◐ ${genuine}，但不是现行的一版`, `◐ ${genuine}, but superseded`), ...parts);
  };
  const now = async (checkpoint, log) => {
    try {
      const newest = await m.consistentWith(base, log, checkpoint);
      return say(`账本现有 ${newest.size} 条记录，签名时的 ${checkpoint.size} 条一条未改。`, `The ledger has ${newest.size} entries now; the ${checkpoint.size} signed then are what they were.`);
    } catch (error) {
      if (error instanceof m.Refused) throw error;
      return say("现在没有联网，没有与最新的账本比对。", "The ledger was not asked: there is no network.");
    }
  };
  const receiptIn = (text) => {
    if (text.startsWith("{") && text.includes("mingzhang-receipt/")) return text;
    const found = /<script type="application\/octet-stream" id="receipt">([^<]*)<\/script>/.exec(text);
    return found && m.textOf(m.fromBase64(found[1].trim()) ?? new Uint8Array());
  };
  const money = (minor, line) => m.money(minor, line, known);
  const fateWords = (fate, entry) => say(...m.fateWords(fate, entry, known.uses));
  /** The key that signs a tree of a size, as this page knows it. */
  const keyOf = (size) => known.keys.find(({ from }) => BigInt(from) <= size).vkey;
  const checkReceipt = async (text) => {
    const { receipt, gift, record, entries, checkpoint, log, totals, fates } = await m.verifyReceipt(text, known.keys.map(({ vkey }) => vkey));
    if (receipt.vkey !== keyOf(checkpoint.size)) {
      throw new m.Refused("old_key", "签名的密钥在这之前已经更换。", "It is signed with a key that another had taken the place of.");
    }
    const issued = entries.find((entry) => entry.kind === "receipt.issued" && entry.body.donation === gift.seq);
    const [{ line }] = gift.post;
    const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
    const uses = document.createElement("ul");
    uses.append(...fates.map((fate) => element("li", `${money(fate.amount, fate.line)} · ${fateWords(fate, bySeq.get(fate.by))}${fate.by === undefined ? "" : say(` · 记录 ${fate.by}`, ` · entry ${fate.by}`)}`)));
    const parts = [
      say(`凭证 ${issued?.body.receipt ?? "–"}：${gift.body.on} 捐赠 ${money(gift.body.amount, line)}，捐赠人 ${record.name ?? "未留姓名"}，订单号 ${record.order_no ?? "–"}，记录 ${gift.seq}。`, `Certificate ${issued?.body.receipt ?? "–"}: a gift of ${money(gift.body.amount, line)} on ${gift.body.on}, by ${record.name ?? "somebody who gave no name"}, order number ${record.order_no ?? "–"}, entry ${gift.seq}.`),
      say(`按附带的 ${entries.length} 条记录，钱到了这里：`, `By the ${entries.length} entries that it holds, the money is here:`),
      uses,
      ...totals.map(({ report, term }) => say(`它在报告 ${report.body.report} 第 ${report.body.version} 版公布的捐赠收入合计（${term.count} 笔）之内。`, `It is inside the gifts received (${term.count}) of report ${report.body.report}, version ${report.body.version}.`)),
      await now(checkpoint, log),
      say("请以这里写的为准，不要以文件自己显示的为准。后来的去向不在文件里，只有整个账本才全。", "Believe what stands here, and not what the file itself shows. What came later is not in it: only the whole ledger has everything."),
    ];
    show("right", say("✓ 是本组织开具的凭证", "✓ A genuine receipt"), ...parts);
  };
  const checkProof = async (text) => {
    const proof = m.parseProof(text);
    const logs = known.keys.map(({ vkey }) => m.verifierKey(vkey));
    const said = await m.openAny(proof.checkpoint, logs);
    const checkpoint = { text: proof.checkpoint, ...(await m.openCheckpoint(proof.checkpoint, m.verifierKey(keyOf(said.size)))) };
    const answer = await fetch(`/api/v1/entries/${proof.index}`).catch(() => null);
    if (!answer?.ok) {
      show("waiting", say("◐ 签名是真的，但取不到记录", "◐ The signature holds, but the entry cannot be had"), say("证明只说明记录的位置；联网后再核对一次。", "A proof names a place only; check again with a network."));
      return;
    }
    const entry = new Uint8Array(await answer.arrayBuffer());
    if (!m.verifyInclusion(m.leafHash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)) {
      throw new m.Refused("not_included", `记录 ${proof.index} 不在这份证明所签的账本里。`, `Entry ${proof.index} is not in the tree of this proof.`);
    }
    show("right", say(`✓ 记录 ${proof.index} 在账本里`, `✓ Entry ${proof.index} is in the ledger`), await now(checkpoint, logs[0]));
  };
  const certificate = (number) =>
    show("waiting", say(`◐ 捐赠凭证 ${number} 的打印件`, `◐ The print of certificate ${number}`), say("打印件本身证明不了什么，谁都能照样做一张。请选择同时生成的自证凭证（HTML 文件）来核对；纸上的数字以它为准。", "A print proves nothing by itself: anybody can make one. Choose the receipt that came with it (the HTML file): it proves what the paper says."));
  const check = async (file) => {
    show("waiting", say("正在核对…", "Checking…"));
    delete at("verdict").dataset.verdict;
    const foreign = [say("✕ 不是本组织公布的文件", "✕ Not ours"), say("它的摘要不在公布过的报告之中，也不是凭证或证明；它可能被改动过。", "Its hash is that of no published report, and it is no receipt and no proof; it may have been changed.")];
    try {
      if (file.size > BYTES_MAX) {
        show("wrong", say("✕ 文件太大", "✕ The file is too large"), say("报告、凭证和证明都小于 64 MB。", "Reports, receipts and proofs are smaller than 64 MB."));
        return;
      }
      const bytes = new Uint8Array(await file.arrayBuffer());
      const hash = m.toHex(m.sha256(bytes));
      const report = known.reports.find((one) => one.hashes.includes(hash));
      if (report) {
        told(report, say("是本组织公布的报告", "Genuine"));
        return;
      }
      if (bytes[0] === 0x25 && bytes[1] === 0x50) {
        // The QR code of a printed certificate leads here: a sheet of paper proves nothing, the file that came with it does.
        const number = /% mingzhang certificate ([0-9]{4}-[0-9]{6})\n$/.exec(new TextDecoder("latin1").decode(bytes.slice(-64)))?.[1];
        if (number) certificate(number);
        else show("wrong", ...foreign);
        return;
      }
      const text = m.textOf(bytes);
      const receipt = receiptIn(text);
      if (receipt) await checkReceipt(receipt);
      else if (text.startsWith("c2sp.org/tlog-proof")) await checkProof(text);
      else show("wrong", ...foreign);
    } catch (error) {
      const reason = error instanceof m.Refused ? say(error.zh, error.en) : String(error);
      const evidence = error.evidence ? [m.evidenceLink(error.evidence, say("保存两份签名作为证据", "Keep both signed notes as evidence"))] : [];
      show("wrong", say("✕ 核对不通过", "✕ It does not hold"), reason, ...evidence);
    }
  };
  at("file").addEventListener("change", (event) => event.target.files[0] && check(event.target.files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) check(event.dataTransfer.files[0]);
  });
  // What a QR code asks for: a report by number and version, or a certificate by its entry.
  const asked = new URLSearchParams(location.search);
  if (asked.has("report")) {
    const report = known.reports.find((one) => one.number === asked.get("report") && String(one.version) === asked.get("v"));
    const isSame = report && (!asked.has("data") || report.hashes.includes(asked.get("data")));
    if (isSame) told(report, say("公布过这份报告", "This report was published"));
    else show("wrong", say("✕ 没有公布过这份报告", "✕ No such report was published"), say("请核对报告编号；有文件的话，请选择文件核对。", "Check its number; if you have the file, choose it above."));
  } else if (asked.has("receipt")) {
    certificate(asked.get("receipt"));
  }
})();
