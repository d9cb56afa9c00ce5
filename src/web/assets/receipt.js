// A receipt that checks itself: reads what is embedded in the page, proves it with proof.js, and shows only what was proved.
"use strict";
(async () => {
  const m = globalThis.mingzhang;
  const zh = document.documentElement.lang.startsWith("zh");
  const say = (chinese, english) => (zh ? chinese : english);
  const given = JSON.parse(document.getElementById("given").textContent);
  const at = (id) => document.getElementById(id);
  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const money = (minor, line) => m.money(minor, line, given);
  const words = (fate, entry) => say(...m.fateWords(fate, entry, given.uses));
  const day = (seconds) => new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
  const show = (verdict, lines) => {
    const place = at("verdict");
    place.className = verdict;
    place.replaceChildren(...lines.map((text, row) => element(row ? "p" : "h2", text)));
  };
  const started = performance.now();
  let proven;
  try {
    const text = m.textOf(m.fromBase64(at("receipt").textContent.trim()));
    proven = await m.verifyReceipt(text);
  } catch (error) {
    const reason = error instanceof m.Refused ? say(error.zh, error.en) : String(error);
    show("wrong", [say("✕ 核对不通过", "✕ It does not hold"), reason, say("请不要采信这个文件，并向开具它的组织或监管部门询问。", "Do not rely on this file; ask the charity that issued it, or its regulator.")]);
    // What was not proved is not shown.
    for (const part of document.querySelectorAll("main > :not(#verdict)")) part.hidden = true;
    document.documentElement.dataset.verdict = "wrong";
    return;
  }
  const { gift, record, fates, entries, checkpoint, seen, log } = proven;
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  const certificate = entries.find((entry) => entry.kind === "receipt.issued" && entry.body.donation === gift.seq);
  const line = gift.post[0].line;
  at("amount").textContent = money(gift.body.amount, line);
  at("when").textContent = gift.body.on;
  const facts = [
    [say("捐赠人", "Donor"), record.name ?? say("未留姓名", "no name given")],
    [say("订单号或收条号", "Order number or number of the slip"), record.order_no ?? ""],
    [say("凭证编号", "Number"), certificate?.body.receipt ?? "–"],
    [say("账本", "Ledger"), gift.ledger],
    [say("账本公钥", "Public key of the ledger"), log.text],
  ];
  at("facts").replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const row = document.createElement("div");
      row.append(element("dt", name), element("dd", value));
      return [row];
    }),
  );
  const rows = [...fates].sort((one, two) => (one.by ?? Infinity) - (two.by ?? Infinity));
  at("uses").replaceChildren(
    ...rows.map((fate) => {
      const entry = bySeq.get(fate.by);
      const row = document.createElement("tr");
      row.append(
        element("th", words(fate, entry), { scope: "row" }),
        element("td", entry?.body.on ?? "–", { "data-label": say("日期", "Day") }),
        element("td", entry?.body.case ?? "–", { "data-label": say("个案", "Case") }),
        element("td", String(fate.by ?? "–"), { class: "n", "data-label": say("记录", "Entry") }),
        element("td", money(fate.amount, fate.line), { class: "n", "data-label": say("金额", "Amount") }),
      );
      return row;
    }),
  );
  at("inside").replaceChildren(
    ...proven.totals.map(({ report, term }) =>
      element(
        "p",
        say(
          `您的 ${money(gift.body.amount, line)} 在报告 ${report.body.report}（第 ${report.body.version} 版，记录 ${report.seq}）公布的捐赠收入 ${money(term.sum, line)}（${term.count} 笔）之内。`,
          `Your ${money(gift.body.amount, line)} is inside the ${money(term.sum, line)} received (${term.count} gifts) of report ${report.body.report}, version ${report.body.version} (entry ${report.seq}).`,
        ),
      ),
    ),
  );
  const units = new Set(fates.map((fate) => m.unitOf(fate.line)));
  const total = fates.reduce((sum, fate) => sum + fate.amount, 0);
  at("total").textContent = units.size === 1 ? money(total, rows[0].line) : "";
  at("entries").replaceChildren(
    ...proven.receipt.entries.map(({ entry: text, proof }, place) => {
      const { seq, kind } = entries[place];
      const item = document.createElement("details");
      item.append(element("summary", `${seq} · ${given.kinds[kind] ?? kind}`));
      item.append(element("p", `${say("哈希", "Hash")} ${m.toHex(m.leafHash(m.bytesOf(text)))}`, { class: "hash" }));
      item.append(element("pre", text));
      const file = URL.createObjectURL(new Blob([proof], { type: "text/plain" }));
      item.append(element("a", say("下载它的证明（.tlog-proof）", "Its proof (.tlog-proof)"), { href: file, download: `${seq}.tlog-proof` }));
      return item;
    }),
  );
  const took = performance.now() - started;
  const witnessed = seen.map(({ name, time }) => say(`见证方 ${name} 于 ${day(time)} 共签。`, `Cosigned by the witness ${name} on ${day(time)}.`));
  show("right", [
    say("✓ 核对通过，没有联网", "✓ It holds, checked without a network"),
    say(
      `${entries.length} 条记录都在账本签名的 ${checkpoint.size} 条之中；登记信息正是这笔捐款承诺的那一份；附带的记录一步接一步，写明钱到了哪里。`,
      `All ${entries.length} entries are among the ${checkpoint.size} that the ledger has signed; the record is the one that the gift commits to; step by step they show where the money went.`,
    ),
    ...(witnessed.length ? witnessed : [say("还没有见证方共签这个检查点。", "No witness has cosigned this checkpoint.")]),
    say(
      "公钥是文件自带的：请与组织公布的公钥比一比。有没有漏掉最后的一步，要核对整个账本才知道（mingzhang verify）。",
      "The public key comes with the file: compare it with the one that the charity publishes. Whether the last step of some part is left out is known only from the whole log (mingzhang verify).",
    ),
  ]);
  document.documentElement.dataset.verdict = "right";
  document.documentElement.dataset.took = took.toFixed(1);

  // Whether the log still holds what was signed then: asked for by its reader, as it needs the network.
  const base = `https://${given.host}/log/${given.slug}/`;
  const button = at("online");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const told = at("now");
    told.textContent = say("正在查询…", "Asking…");
    try {
      const newest = await m.consistentWith(base, log, checkpoint);
      const grown = newest.size - checkpoint.size;
      told.className = "right";
      told.textContent = say(
        `✓ 账本现有 ${newest.size} 条记录，原来的 ${checkpoint.size} 条一条未改。`,
        `✓ The ledger has ${newest.size} entries now; the first ${checkpoint.size} are what they were.`,
      );
      if (newest.key.text !== log.text) {
        told.append(say(` 账本此后更换过签名密钥，新旧两把都签了名；现在是 ${newest.key.text}`, ` Its signing key has been changed since, and both keys have signed that; it is now ${newest.key.text}`));
      }
      if (grown > 0n) {
        const later = say(`上面写的是到第 ${checkpoint.size} 条为止；后来的 ${grown} 条里有没有这笔捐款的新去向，请在 `, `What is above is as of ${checkpoint.size} entries. Whether the ${grown} that came later say more of this gift, see `);
        const page = element("a", given.host, { href: `https://${given.host}/` });
        const paragraph = element("p", later);
        paragraph.append(page, say(" 用订单号查看。", " with your order number."));
        told.append(paragraph);
      }
    } catch (error) {
      const isRefused = error instanceof m.Refused;
      told.className = isRefused ? "wrong" : "";
      told.textContent = isRefused ? say(error.zh, error.en) : say("现在连不上账本，离线核对的结果不受影响。", "The ledger cannot be reached now; what was checked offline stands.");
      if (error.evidence) {
        told.append(" ", m.evidenceLink(error.evidence, say("保存两份签名作为证据", "Keep both signed notes as evidence")));
        show("wrong", [say("✕ 同一本账有两个版本", "✕ There are two books"), say(error.zh, error.en)]);
      }
    }
  });
})();
