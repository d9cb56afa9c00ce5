//! Why something does not hold, in Chinese: the reasons that `verify`, receipts and monitors give. They are written in English where they
//! are found; here each has its Chinese. What is not here stays as it is, in brackets.

/// A reason with its variable parts as `{}`, and the same in Chinese; `{}` there are the parts in the same order.
const REASONS: &[(&str, &str)] = &[
    ("it is missing: {} entries were signed, the log ends here", "缺少它：已签署 {} 条，账本到这里就断了"),
    ("it is missing: {} entries were signed", "缺少它：已签署 {} 条"),
    ("it is missing: a checkpoint over {} entries was signed", "缺少它：签署过 {} 条的检查点"),
    ("it is missing: the ledger's row counts {} entries", "缺少它：账本的总行记着 {} 条"),
    ("it is missing: the next stored entry is {}", "缺少它：库里的下一条是 {}"),
    ("it is missing", "缺少它"),
    ("it lies behind the end: the ledger's row counts {} entries", "它在末尾之后：账本的总行只记着 {} 条"),
    ("it lies behind the end: {} entries were signed", "它在末尾之后：只签署了 {} 条"),
    (
        "the first {} entries are not those that were signed: the history was replaced",
        "前 {} 条不是已签署的那些：历史被换过",
    ),
    (
        "the checkpoint that was signed here has another root: the history was replaced",
        "这里签署过的检查点根不同：历史被换过",
    ),
    ("the stored checkpoint that ends here is bad: {}", "库里到这一条的检查点不对：{}"),
    ("what a code ({}) opens was changed in the table of codes", "查询码表里的一行（{}）被改过：它打开的内容不对"),
    ("nothing has been signed yet", "还没有签过检查点"),
    (
        "the kept cosignature by {} over the {} entries that end here was changed",
        "库里存的见证方 {} 对到这里为止的 {} 条的共签被改过",
    ),
    (
        "a cosignature by {} over {} entries is kept without the checkpoint that it is of",
        "库里有见证方 {} 对 {} 条的共签，却没有那个检查点",
    ),
    ("its stored leaf hash is not that of its bytes", "库里存的哈希不是它内容的哈希"),
    (
        "its prev is not the leaf hash of the entry before: one of the two was changed",
        "它扣着的哈希不是前一条的：两条之一被改过",
    ),
    ("its time lies before that of the entry before", "它的时间早于前一条"),
    ("its seq is {}; {} comes next", "它的序号是 {}，应为 {}"),
    ("it belongs to the ledger {}, not to {}", "它是账本 {} 的，不是 {} 的"),
    ("it breaks a rule of posting at {}", "它违反入账规则（{}）"),
    ("its sealed record is missing from the vault", "保险库里缺少它的登记信息"),
    ("the record in the vault is not the one it commits to", "保险库里的登记信息不是它承诺的那一份"),
    (
        "its tile in the table of tiles holds other hashes than the log; `mingzhang rebuild` makes it again",
        "它的哈希块与账本不符；可用 mingzhang rebuild 重建",
    ),
    ("{} is missing, or holds other hashes than the entries have", "{} 缺失，或里面的哈希与记录不符"),
    ("{} is missing, or does not hold {} entries", "缺少 {}，或里面不是 {} 条记录"),
    ("its posts stand otherwise in the table of spans: that table was changed", "入账明细表里的内容不同：那张表被改过"),
    (
        "the runs of line {} are not what the entries say: that table was changed",
        "线 {} 的状态与记录不符：那张表被改过",
    ),
    (
        "the stored state of a {} is not what the entries say: that table was changed",
        "存着的状态（{}）与记录不符：那张表被改过",
    ),
    ("the table of lines is not what the entries say", "线的表与记录不符"),
    ("the table of states holds rows that no entry has written", "状态表里有不是由记录写下的行"),
    ("the database holds rows that no entry has written", "库里有不是由记录写下的行"),
    ("a row stands before it in the table of entries", "记录表里它之前还有一行"),
    ("the ledger's row does not say where the log ends", "账本的总行没有说对账本到哪里为止"),
    ("a row of {} is damaged: {}", "表 {} 里有一行损坏：{}"),
    ("a column does not have its type, or a number is out of range", "有一列的类型不对，或数字超出范围"),
    ("the ledger's own row is damaged or missing: {}", "账本的总行缺失或损坏：{}"),
    ("the ledger's row calls it {}, its origin {}", "账本的总行叫它 {}，它的来源是 {}"),
    ("the totals that it publishes are not what the entries add up to", "它公布的合计与记录加起来的不符"),
    ("the checkpoint does not hold: {}", "检查点不对：{}"),
    ("the earlier checkpoint does not hold: {}", "您保存的检查点不对：{}"),
    ("an earlier checkpoint does not hold: {}", "较早的一个检查点不对：{}"),
    (
        "its checkpoint was cosigned by {} witnesses, fewer than the policy asks for",
        "检查点只有 {} 个见证方共签，少于策略的要求",
    ),
    (
        "the published totals of {} are not what its entries add up to: {} is {} there, {} by the entries",
        "公布的 {} 的合计与记录加起来的不符：{} 公布为 {}，记录加起来是 {}",
    ),
    ("the published totals are of other lines than the entries have", "公布的合计与记录的线不符"),
    ("this is not a verifier key: {}", "这不是公钥（{}）"),
    ("this is not a signed note: {}", "签名文件的写法不对（{}）"),
    ("the note is not signed by {} with the key {}", "没有 {} 用密钥 {} 的签名"),
    ("the signature by {} does not hold: the text or the signature was changed", "{} 的签名不符：内容或签名被改过"),
    ("this is not a checkpoint: {}", "这不是检查点（{}）"),
    ("the checkpoint is of the log {}, not of the one asked for", "这是账本 {} 的检查点，不是要核对的那个"),
    ("this is not a proof of inclusion: {}", "这不是包含证明（{}）"),
    ("the entry is not in the signed tree at this place", "记录不在签名的账本里的这个位置"),
    ("this is not a receipt: {}", "这不是自证凭证（{}）"),
    (
        "the receipt is signed with {}, and nothing in it leads there from {}: it may be from before a change of the key, or somebody else's",
        "凭证是用 {} 签名的，里面没有从 {} 更换过来的证明：可能是更换密钥以前的，也可能是别人的",
    ),
    ("a change of its key does not hold: {}", "更换签名密钥的证明不成立：{}"),
    ("the proof does not hold the entry itself", "证明里没有附上那条记录"),
    ("its entry was changed: {}", "附上的记录被改过：{}"),
    ("its entry names no key of this log", "附上的记录没有写这个账本的新公钥"),
    ("the new key has not signed: {}", "新密钥没有签名：{}"),
    ("its checkpoint is signed with another key than the entries name: {}", "检查点不是用记录里写明的公钥签名的：{}"),
    ("the key in the folder of keys is not the one that the entries name", "密钥文件夹里的密钥不是记录里写明的那一把"),
    ("the receipt is of {}, not of {}", "凭证是 {} 的，不是 {} 的"),
    ("the entry in place {} was changed: {}", "第 {} 条附带的记录被改过：{}"),
    ("entry {} is not proved: {}", "记录 {} 没有得到证明：{}"),
    ("entry {} is not the one that its proof is of", "记录 {} 与它的证明不符"),
    ("entry {} has nothing to do with this gift", "记录 {} 与这笔捐款无关"),
    ("the gift says another amount than it brings in", "捐款写的金额与它带来的钱不符"),
    ("entry {} moves another amount between lines than it takes", "记录 {} 转入的金额与转出的不符"),
    ("entry {} would divide the gift into more than 100,000 parts", "记录 {} 会把这笔捐款分成超过 100,000 份"),
    ("the proofs are of different checkpoints", "各条证明的检查点不同"),
    (
        "the gift does not commit to this record: it is another donor's gift, or the record was changed",
        "这笔捐款不是用这份登记信息登记的：它是别人的，或被改过",
    ),
    ("the record says another {} than the entry of the gift", "登记信息的 {} 与捐款的记录不同"),
    ("the gift is not inside the total of entry {}: {}", "这笔捐款不在记录 {} 公布的合计之内：{}"),
    ("entry {} brings no money in", "记录 {} 没有收到款项"),
    ("entry {} does not come after entry {}", "记录 {} 不在记录 {} 之后"),
    (
        "entry {}, /post/{}: the gift's money is not {} here; an entry before it is missing or was changed",
        "记录 {} 的第 {} 项：钱不在应有的状态（{}）；前面缺了记录，或记录被改过",
    ),
    ("no such total was published there", "那里没有公布过这个合计"),
    ("the amount is not inside the published total", "金额不在公布的合计之内"),
    ("not canonical JSON at byte {}: {}", "第 {} 个字节起不是规定的写法（{}）"),
    ("the bytes are not UTF-8", "不是 UTF-8 文本"),
    ("a value is missing or has an unknown form", "缺少值，或值的写法不认识"),
    ("a number must be an integer within ±(2^53−1) in its shortest form", "数不是规定的整数写法"),
    ("a string is not escaped in the canonical way", "文本的转义不是规定的写法"),
    ("keys must ascend and not repeat", "键没有按序排列，或有重复"),
    ("a comma, colon or bracket is missing", "缺少逗号、冒号或括号"),
    ("nested more than 16 deep", "嵌套超过 16 层"),
    ("something follows the value", "后面还有多余的内容"),
    ("a change of keys is no text", "更换密钥的证明不是文本"),
    ("a line is not base64 of 32 bytes", "有一行不是 32 字节的哈希"),
    ("a member is missing or unknown", "缺少一项，或有不认识的项"),
    ("a member is no list", "有一项不是列表"),
    ("a member is no text", "有一项不是文本"),
    ("a signature is not base64", "签名不是 base64"),
    ("a signature is too short", "签名太短"),
    ("a signature line must be an em dash, a name and base64", "签名行的写法不对"),
    ("a signature's name is empty or has a space or a plus sign", "签名的名称不对"),
    ("a witness is no text", "见证方的公钥不是文本"),
    ("an entry has not exactly entry and proof", "记录没有写成 entry 和 proof 两项"),
    ("an extension line is empty", "有空行"),
    ("extra is not base64", "附加数据不是 base64"),
    ("it does not end in a newline after its signatures", "结尾没有换行"),
    ("it has more than 1,000 changes of keys", "更换密钥超过 1,000 次"),
    ("it has more than 100 signatures", "签名超过 100 行"),
    ("it has more than 64 hashes", "超过 64 行哈希"),
    ("it has no entry", "里面没有记录"),
    ("it has no entry, or more than 2,000", "没有记录，或超过 2,000 条"),
    ("it holds a control character", "有控制字符"),
    ("it is larger than any proof can be", "大得不可能是证明"),
    ("it is larger than any receipt can be", "大得不可能是凭证"),
    ("it is longer than a million bytes", "超过一百万字节"),
    ("it is no object", "不是对象"),
    ("it is no text", "不是文本"),
    ("it is not UTF-8", "不是 UTF-8 文本"),
    ("its format is not known", "格式不认识"),
    ("the empty line before the checkpoint is missing", "检查点前面缺少空行"),
    ("the empty line before the signatures is missing", "签名前面缺少空行"),
    ("the first line must be c2sp.org/tlog-proof@v1", "首行不对"),
    ("the index is missing or not a plain number", "缺少序号，或序号不对"),
    ("the last line has no newline", "末行没有换行"),
    ("the origin is missing", "缺少账本名"),
    ("the page holds none", "网页里没有凭证"),
    ("the root is not base64 of 32 bytes", "根不是 32 字节"),
    ("the salt has not 64 hex digits", "盐不是 64 位十六进制"),
    ("the size is missing", "缺少大小"),
    ("the size is not a plain number", "大小不是数"),
    ("what the page holds is not base64", "网页里的数据不是 base64"),
    ("it must be name+keyid+key", "应写成 名称+编号+公钥"),
    ("its name is empty or has a space or a plus sign", "名称为空，或有空格、加号"),
    ("its key is not base64", "公钥不是 base64"),
    ("its type is not known", "类型不认识"),
    ("its key has not 32 bytes", "公钥不是 32 字节"),
    ("its id does not belong to this name and key", "编号与名称和公钥不符"),
    ("its key is not a point of the curve", "公钥不在曲线上"),
    ("the entry has {} bytes; at most 65,535 are allowed", "记录有 {} 字节，最多 65,535"),
];

/// The Chinese of a reason.
pub fn reason(english: &str) -> String {
    for (pattern, chinese) in REASONS {
        if let Some(parts) = parts_of(pattern, english) {
            let mut parts = parts.into_iter();
            // A part may be a reason itself.
            let fill = |piece: (usize, &str)| match piece {
                (0, text) => text.to_owned(),
                (_, text) => format!("{}{text}", parts.next().map(inner).unwrap_or_default()),
            };
            return chinese.split("{}").enumerate().map(fill).collect();
        }
    }
    format!("（{english}）")
}

/// A part of a reason: a reason of its own, or what it is.
fn inner(part: &str) -> String {
    let known = REASONS.iter().any(|(pattern, _)| *pattern != "{}" && parts_of(pattern, part).is_some());
    if known { reason(part) } else { part.to_owned() }
}

/// What stands in a text where the pattern has `{}`; `None` where they do not match.
fn parts_of<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    let pieces: Vec<&str> = pieces.collect();
    for (place, piece) in pieces.iter().enumerate() {
        let is_last = place + 1 == pieces.len();
        let (part, behind) = match (is_last, *piece) {
            (true, "") => (rest, ""),
            (true, piece) => (rest.strip_suffix(piece)?, ""),
            (false, piece) => rest.split_once(piece)?,
        };
        parts.push(part);
        rest = behind;
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::follow::FollowError;
    use crate::ledger::note::NoteError;
    use crate::ledger::proof::ProofError;
    use crate::ledger::receipt::ReceiptError;

    #[test]
    fn reasons_are_told_in_chinese_with_their_parts() {
        let check = |english: &str, chinese: &str| assert_eq!(reason(english), chinese, "{english}");
        check("it is missing: 4361 entries were signed, the log ends here", "缺少它：已签署 4361 条，账本到这里就断了");
        check("its seq is 512; 256 comes next", "它的序号是 512，应为 256");
        check(
            "the checkpoint does not hold: the note is not signed by a.example/b with the key 0a1b2c3d",
            "检查点不对：没有 a.example/b 用密钥 0a1b2c3d 的签名",
        );
        check(
            "this is not a receipt: not canonical JSON at byte 5: a comma, colon or bracket is missing",
            "这不是自证凭证（第 5 个字节起不是规定的写法（缺少逗号、冒号或括号））",
        );
        check("something else", "（something else）");
    }

    #[test]
    fn what_receipts_are_refused_for_has_its_chinese() {
        let proof = ReceiptError::Proof { seq: 7, error: ProofError::NotIncluded };
        let state = FollowError::State { seq: 7, place: 0, wanted: "free" };
        for error in [
            ReceiptError::Form("it is no text"),
            ReceiptError::Key(NoteError::NotSigned { name: "a".into(), key: "1".into() }),
            ReceiptError::OtherLog { found: "a".into(), wanted: "b".into() },
            proof,
            ReceiptError::Misplaced(7),
            ReceiptError::Checkpoints,
            ReceiptError::Commitment,
            ReceiptError::Record("unit"),
            ReceiptError::Follow(FollowError::NoGift(7)),
            ReceiptError::Follow(FollowError::Order { seq: 7, last: 8 }),
            ReceiptError::Follow(state),
        ] {
            let chinese = reason(&error.to_string());
            assert!(!chinese.starts_with('（'), "{error}");
        }
    }
}
