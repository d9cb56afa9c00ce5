//! Help and mistakes of the command line, in Chinese. The English is written where the arguments are.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// The words of the command line, English and Chinese.
const WORDS: &[(&str, &str)] = &[
    (
        "Follow logs from outside: keep their checkpoints, check history, posts and totals, and keep the evidence where one does not hold",
        "从外部跟踪账本：保存检查点，核对历史、入账和合计；有不符就留下证据",
    ),
    ("Addresses of logs, as https://…/log/NAME/", "账本的网址，如 https://…/log/名称/"),
    ("Folder for what is kept: checkpoints, tiles, evidence", "保存检查点、数据和证据的文件夹"),
    (
        "Keys and witnesses that you trust (C2SP tlog-policy); else the key that a log had when it was first seen",
        "您信任的公钥和见证方（C2SP tlog-policy）；不写则用第一次看到的公钥",
    ),
    ("Look every so many seconds; once where not given", "每隔多少秒看一次；不写则只看一次"),
    (
        "The entry of a published report that was wrong: the new one takes its place as its next version",
        "有错的那份报告的记录号：新报告作为它的下一版取代它",
    ),
    ("What was wrong, for everybody to read", "哪里错了，写给所有人看"),
    (
        "Show checkpoints to the witnesses of this file (C2SP tlog-policy), and keep what they sign",
        "把检查点交给这个文件（C2SP tlog-policy）里的见证方，并保存他们的签名",
    ),
    (
        "Be a witness of other logs: cosign their checkpoints as long as each is the beginning of the next (C2SP tlog-witness)",
        "做其他账本的见证方：只要每个检查点都接着上一个，就为它共签（C2SP tlog-witness）",
    ),
    (
        "Folder of the witness: its key, the keys of the logs it follows, the last checkpoint of each",
        "见证方的文件夹：它的密钥、所见证账本的公钥、每个账本最后的检查点",
    ),
    (
        "Name of the witness, a URL without its scheme, as witness.example/w1; it cannot be changed later",
        "见证方的名称，写成不带协议的网址，如 witness.example/w1；以后不能改",
    ),
    (
        "Follow this log too, by its public key as in log.vkey; may be given several times and is remembered",
        "也见证这个账本，写它的公钥（log.vkey）；可写多次，会记住",
    ),
    (
        "Check every entry, and everything derived from them: of the data folder, or of what anybody can have",
        "核对每条记录和由它们得出的一切：数据文件夹里的，或任何人都能拿到的",
    ),
    (
        "Instead of the data folder: a folder of `export`, the address of a log (https://…/log/NAME/), or the file of a receipt",
        "不核对数据文件夹，而核对：导出的文件夹、账本的网址（https://…/log/名称/）或一张凭证的文件",
    ),
    (
        "The log's public key, where you have it from elsewhere; else its own log.vkey is taken, and said to be",
        "账本的公钥，如果您另有来源；不写则用账本自己的 log.vkey，并会说明",
    ),
    (
        "Keys and witnesses that you trust, in the form of C2SP tlog-policy",
        "您信任的公钥和见证方，写法为 C2SP tlog-policy",
    ),
    (
        "An earlier checkpoint that you kept: the log must still begin with what it signed",
        "您保存过的检查点：账本必须仍以它签名的内容开头",
    ),
    (
        "Keep what is fetched from an address in this folder: run again, it goes on where it stopped",
        "把从网址取来的内容留在这个文件夹，再运行会从中断处继续",
    ),
    (
        "A hash-chained, append-only ledger for charities in which every fen has an address",
        "慈善组织的哈希链账本，只增不改；每一分钱都有地址",
    ),
    (
        "A worked example from nothing: gifts, a case under four eyes, reports, a trace",
        "从零开始的完整示例：捐赠、双人复核的个案、报告、追溯",
    ),
    (
        "Act as this user (id or name) instead of the first one",
        "以这个用户（编号或姓名）的身份办理；不写则为第一个用户",
    ),
    ("Admit a user", "添加用户"),
    ("All accounts and what is there by the books", "所有账户和账面余额"),
    ("All appeals", "所有募捐活动"),
    ("All cases", "所有个案"),
    ("All funds, with what is free, held, spent and void", "所有基金：可用、待付、已支出、已转出、已退还"),
    ("All payments", "所有拨付"),
    ("All users", "所有用户"),
    ("Answer with one JSON object", "用一个 JSON 对象回答"),
    (
        "Approve a request (a checker who did not make it); the money is held",
        "复核一笔申请（复核人不能是经办人），款项随即预留",
    ),
    ("Approve aid (a checker who neither opened nor assessed the case)", "批准救助（复核人不能是立案人或评估人）"),
    ("As of this tree size instead of now", "按账本只有这么多条记录时的情况追溯，而不是现在"),
    ("Ask for a payment", "提交拨付申请"),
    ("At most this much", "最多这么多"),
    ("Bank accounts, wallets, cash boxes", "银行账户、钱包、现金箱"),
    ("Cases of aid", "救助个案"),
    ("Categories of cases it is for, as minor,health", "用于哪些类别的个案，例如 minor,health"),
    ("Close a case of which nothing waits and nothing is left", "结案：没有待办的拨付，也没有剩余的款项"),
    ("Contact, kept in the vault only", "联系方式，只存入保密库"),
    ("Count of vouchers", "单据张数"),
    ("Currency", "币种"),
    ("Currency or goods", "币种或物资"),
    ("Data folder", "数据文件夹"),
    ("Day of filing", "备案日期"),
    ("Day of the fact", "事情发生的日期；不写则为今天"),
    ("Day of the gifts in a list that states none", "名单里没有日期时，捐赠的日期"),
    ("Decline aid (a checker who neither opened nor assessed the case)", "不予救助（复核人不能是立案人或评估人）"),
    ("Do not serve the pages afterwards", "结束后不启动网站"),
    (
        "Exit codes: 0 done, 1 verify found a bad entry, 2 wrong command line, 3 refused by a rule (nothing was posted), 4 database or file trouble, 5 unusable input.",
        "退出码：0 完成，1 核验发现有问题的记录，2 命令写错了，3 按规则不予办理（没有入账），4 数据库或文件故障，5 所给的内容无法使用。",
    ),
    ("File the plan", "备案募捐方案"),
    (
        "Folder for the demo's ledger and files; `mingzhang-demo` where not given",
        "存放示例账本和文件的文件夹；不写则为 `mingzhang-demo`",
    ),
    (
        "Folder for the files; `reports` in the data folder where not given",
        "存放文件的文件夹；不写则为数据文件夹里的 reports",
    ),
    ("For this case", "用于这个个案"),
    ("From here", "转出账户"),
    ("From this account; the only one of the fund where not given", "从这个账户付出；基金只有一个账户时可以不写"),
    ("From this fund", "转出基金"),
    ("Funds, and money moved between them", "基金，以及基金之间的划转"),
    ("Gifts", "捐赠"),
    (
        "Give a gift back to its donor, or part of what is unspent of it",
        "把一笔捐赠退还捐赠人，或退还其中没有用掉的一部分",
    ),
    ("Give a role, or take it", "授予或收回角色"),
    ("Givers behind it, for a cash box", "现金箱背后的捐赠人数"),
    (
        "Ground of a surplus: plan, agreement or similar_purpose",
        "剩余财产转出的依据：plan（方案）、agreement（协议）或 similar_purpose（相近目的）",
    ),
    ("How many", "条数"),
    ("How much", "金额"),
    ("How much; all of it where not given", "金额；不写则为全部"),
    ("How much; all that is free where not given", "金额；不写则为全部可用余额"),
    ("How to read a file of no known format (see docs/import.md)", "格式不认识的文件怎样读（见 docs/import.md）"),
    ("Id that stands in entries; random where not given", "写进记录的编号；不写则随机生成"),
    (
        "Have the command carried out by this server instead of on a data folder",
        "由这台服务器办理，而不是在数据文件夹上",
    ),
    ("All published reports", "所有公布过的报告"),
    ("The keys that sign the log, and how one takes the place of another", "为账本签名的密钥，以及怎样更换"),
    ("The public keys there have been, and the one that is prepared", "用过的公钥，和准备好的下一把"),
    (
        "Make the key that is to sign next; publish its public half, and give it to witnesses, before it signs",
        "准备下一把签名密钥；启用以前，先公布它的公钥并交给见证方",
    ),
    (
        "Have the prepared key sign from now on: an entry says so, both keys sign the next checkpoint, then the old one is deleted",
        "启用准备好的密钥：记一条记录，下一个检查点由两把密钥共同签名，旧密钥随后删除",
    ),
    ("Payment channels that post gifts by signed messages", "用签名消息推送捐赠的支付渠道"),
    ("Programs that are told of new entries by signed messages", "用签名消息接收新记录的程序"),
    ("Admit a channel; its secret is shown once", "登记一个渠道；密钥只显示一次"),
    ("Its name, as wechat; it stands in the channel's address", "名称，如 wechat；写在渠道的推送地址里"),
    ("The fund of gifts that name none", "没有写明基金的捐赠记入这个基金"),
    ("The account that its gifts come to", "捐赠进入的账户"),
    (
        "The gift was taken back and is recorded anew under its order number",
        "这笔捐赠已被冲销，现在用原来的单号重新入账",
    ),
    (
        "Clerk who answers for its gifts; the one who admits it where not given",
        "对它的捐赠负责的经办人；不写则为登记它的人",
    ),
    (
        "Read for pages from this replica of the database; each answer says which size of the ledger it is of",
        "网页从数据库的这个只读副本读取；每个回答都说明是账本到第几条的",
    ),
    (
        "Copy the ledger to another data folder or database, entry by entry, each verified; run again, it goes on where it stopped",
        "把账本逐条核对后复制到另一个数据文件夹或数据库；中断后再运行会接着复制",
    ),
    (
        "From this data folder or postgres://… URL; from that of --data and --database where not given",
        "从这个数据文件夹或 postgres://… 复制；不写则从 --data 和 --database 所指的",
    ),
    ("To this data folder or postgres://… URL", "复制到这个数据文件夹或 postgres://…"),
    (
        "Back the ledger up while it is in use: one file without the keys of persons, and those in a file of their own",
        "使用中备份账本：一个文件不含捐赠人的密钥，密钥另存一个文件",
    ),
    (
        "Folder for the backup; one that holds an earlier backup is brought up to date",
        "备份文件夹；里面有较早的备份时，接着补齐",
    ),
    (
        "File for the keys of persons, to be kept apart and not as long: whoever is erased is erased there too",
        "存放捐赠人密钥的文件，应与备份分开、保存得较短：删除一个人时，也在那里删除",
    ),
    (
        "Restore a backup into an empty data folder that holds the ledger's keys, and hold it against the last known checkpoint",
        "把备份恢复到一个放好账本密钥的空数据文件夹，并与最近一次已知的检查点核对",
    ),
    ("Folder of the backup", "备份所在的文件夹"),
    (
        "File with the keys of persons; without it their records stay shut",
        "捐赠人密钥的文件；没有它，捐赠人的记录打不开",
    ),
    (
        "The last known checkpoint; keys/SLUG.signed of the data folder where not given",
        "最近一次已知的检查点；不写则用数据文件夹的 keys/SLUG.signed",
    ),
    ("Only the first so many entries", "只恢复前这么多条记录"),
    ("File of settings; mingzhang.toml here where not given", "设置文件；不写则用当前文件夹里的 mingzhang.toml"),
    ("Settings: flags before the environment before the file", "设置：先看命令行，再看环境变量，再看设置文件"),
    ("Which settings hold, and where each comes from", "现在用的是哪些设置，各来自哪里"),
    (
        "Where to tell figures of operation, for Prometheus; only to those who may see them",
        "运行指标（Prometheus 格式）的监听地址；只给该看的人",
    ),
    (
        "PostgreSQL database, for several nodes; keys and files stay in the data folder",
        "PostgreSQL 数据库，供多个节点使用；密钥和文件仍在数据文件夹里",
    ),
    ("Remove a channel; what it sends from now on is not taken", "移除一个渠道；此后它推送的一概不收"),
    ("Its name", "名称"),
    ("All channels", "所有渠道"),
    ("Tell a program; the secret of its messages is shown once", "设立订阅；消息的密钥只显示一次"),
    ("Where to, as https://example.org/hook", "推送到哪里，如 https://example.org/hook"),
    (
        "Kinds of entries, as donation.received,disbursement.paid; all where not given",
        "记录的种类，如 donation.received,disbursement.paid；不写则全部",
    ),
    ("Begin with this entry; with the next one where not given", "从这条记录开始；不写则从下一条开始"),
    ("Tell it no more", "结束订阅"),
    ("Its id", "编号"),
    ("All subscriptions, and how far each has been told", "所有订阅，以及各推送到哪一条"),
    (
        "Take clients' addresses from X-Forwarded-For: only behind a proxy of your own",
        "从 X-Forwarded-For 取访问者的地址：只在自己的代理后面使用",
    ),
    ("Token for the server", "服务器的令牌"),
    ("Idempotency key: the same command with the same key is posted once", "幂等键：同一个键的同一条命令只入账一次"),
    ("Import a statement of gifts (CSV, CSV in gzip, XLSX)", "导入捐赠流水（CSV、gzip 压缩的 CSV、XLSX）"),
    ("Into this fund", "记入这个基金"),
    ("Into this one", "转入基金"),
    ("Its currency", "币种"),
    ("Its id, which is all the public sees of it; random where not given", "编号，公众只看得到编号；不写则随机生成"),
    ("Its id; random where not given", "编号；不写则随机生成"),
    ("Its name, as bank/icbc-1", "账户名，例如 bank/icbc-1"),
    (
        "Its own earmarked or agency fund; one is opened where not given",
        "个案自己的专款（earmarked）或代管（agency）基金；不写则新设一个",
    ),
    ("Language of sentences; by default that of the environment", "语句的语言；不写则按环境"),
    ("List the newest gifts", "最近的捐赠"),
    ("Make the donor's receipt code of a gift; shown once", "为一笔捐赠生成捐赠人查询码，只显示一次"),
    (
        "Issue the certificate of a gift, once, and write its files: a page that proves itself, a PDF, the data",
        "开具一笔捐赠的凭证（只开一次），并写出文件：能自己核对的网页、PDF 和数据",
    ),
    (
        "Folder for the files; receipts in the data folder, or here where a server is asked",
        "文件写到这个文件夹；不写则为数据文件夹里的 receipts，向服务器要时为当前文件夹里的 receipts",
    ),
    (
        "Make a token for a program that acts as this user over HTTP; shown once",
        "为以这个用户的身份通过 HTTP 办事的程序生成令牌，只显示一次",
    ),
    ("End all tokens of a user at once", "让一个用户的所有令牌立即失效"),
    ("all, or donations for recording gifts only", "all（全部），或 donations（只能登记捐赠）"),
    ("Days until it ends", "多少天后失效"),
    ("Measure this program against ceilings of this machine", "以本机的上限为准测量这个程序"),
    (
        "Move free money to another fund: an allocation for a case, a surplus, or what came into the wrong fund",
        "把可用款项转到另一个基金：为个案划拨、剩余财产，或记错了基金",
    ),
    ("Name in Chinese", "中文名称"),
    ("Name in English", "英文名称"),
    ("Name of the first user, who becomes admin and clerk", "第一个用户的姓名，兼任管理员和经办"),
    ("Name of the organisation in Chinese", "组织的中文名称"),
    ("Name of the organisation in English", "组织的英文名称"),
    ("Name of the payee; only a salted hash of it stands in the ledger", "收款方名称；账本里只留加盐的哈希"),
    ("Name, kept here only, never in the ledger", "姓名，只存在本机，不进账本"),
    ("Name, kept in the vault only", "姓名，只存入保密库"),
    ("Number given by the registering department", "备案编号"),
    ("Only of this day", "只看这一天"),
    ("Only of this fund", "只看这个基金"),
    ("Only this figure, by its name", "只测这一项，写它的名字"),
    ("Open a case; prints the family's code, once", "立案；家属确认码只显示一次"),
    ("Open a fund", "设立基金"),
    ("Open a new ledger with its keys and its first user", "开立账本，生成密钥和第一个用户"),
    ("Open an account for one or more funds", "开立账户，供一个或几个基金使用"),
    (
        "Origin of the log, as charity.example/love; its last part names the ledger",
        "账本的来源名，例如 charity.example/love，最后一段是账本名",
    ),
    ("Out of this fund; the case's own where not given", "从这个基金支出；不写则为个案自己的基金"),
    (
        "Pay what was approved (its maker or a payer, never the one who approved)",
        "支付已复核的申请（经办人或出纳办理，复核人不能支付）",
    ),
    ("Payments for a case", "个案的拨付"),
    ("Place, down to the city, in Chinese", "地区，只写到市，中文"),
    ("Planned first day", "计划开始日期"),
    ("Planned last day", "计划结束日期"),
    ("Post although the clock looks wrong", "时钟看起来不对，仍然入账"),
    ("Public appeals", "公开募捐活动"),
    ("Record a gift", "登记一笔捐赠"),
    (
        "Record that cash went from one account to another, as from a payment channel to the bank",
        "登记账户之间的转账，例如从支付渠道提现到银行",
    ),
    ("Record the need that was found", "登记评估出的需要"),
    ("Refuse or withdraw a request that has not been paid", "驳回或撤回还没有支付的申请"),
    ("Replay all entries and write everything derived from them anew", "重放所有记录，把推出的内容重新写一遍"),
    (
        "Roles, as clerk,checker",
        "角色，例如 clerk,checker（admin 管理员、clerk 经办、checker 复核、payer 出纳、auditor 审计、regulator 监管）",
    ),
    (
        "Serve the ledger over HTTP: pages for donors, an interface for programs",
        "启动网站：给捐赠人看的网页，给程序用的接口",
    ),
    ("Where to listen", "监听地址"),
    ("Show the control totals and post nothing", "只试算，显示核对数，不入账"),
    ("Take back a whole entry by a new one", "用一条新记录冲销一整条记录"),
    ("Take it instead", "收回，而不是授予"),
    ("The appeal ends", "募捐结束"),
    ("The appeal starts", "募捐开始"),
    ("The day", "日期"),
    ("The donor's order number, with the exact amount", "捐赠人的订单号，要同时写准确金额"),
    ("The donor's receipt code", "捐赠人查询码"),
    ("The entry", "记录的编号"),
    (
        "The entry of a gift, or of a payment (its request or the payment itself)",
        "捐赠的记录编号，或拨付的编号（申请或支付的记录）",
    ),
    ("The entry of the gift", "捐赠的记录编号"),
    ("The entry of the request", "拨付申请的记录编号"),
    ("The exact amount of the gift", "捐赠的准确金额"),
    ("The family confirms that the help arrived", "家属确认收到救助"),
    ("The family's code", "家属确认码"),
    ("The folder to write into", "写到这个文件夹"),
    ("The fund that it raises for", "为这个基金募捐"),
    ("The funds that it may feed, as a,b", "账户供哪些基金使用，例如 a,b"),
    ("The need", "需要的金额"),
    ("The payee sent money back", "收款方退回款项"),
    ("The report of a case, in Chinese and in English; publishes it", "个案的中英文报告，并登记发布"),
    ("The role", "角色"),
    ("The same in English", "同上，英文"),
    ("The statement", "流水文件"),
    ("The user, by id or name", "用户的编号或姓名"),
    ("Time zone that days are counted in", "按哪个时区计算日期"),
    ("To there", "转入账户"),
    ("To this account; the one it was paid from where not given", "退到这个账户；不写则为付出时的账户"),
    ("To this account; the one named after the format where not given", "记入这个账户；不写则按格式命名的账户"),
    ("To this account; the only one of the fund where not given", "记入这个账户；基金只有一个账户时可以不写"),
    ("Transparency reports as PDF, in Chinese and in English", "中英文 PDF 透明报告"),
    (
        "The last checkpoint of a ledger that cannot be had back, as keys/SLUG.signed: this one goes on from it",
        "无法恢复的旧账本最后签名的检查点（如 keys/SLUG.signed）：新账本从那里接续",
    ),
    (
        "Public key of that ledger, as in log.vkey; that of its keys in the data folder where not given",
        "那个账本的公钥，即 log.vkey 里的一行；不给时用数据目录里它的密钥",
    ),
    (
        "As tiles, for any web server: the log as it was last signed; run again, it writes only what is new",
        "导出为 tlog 瓦片，任何网页服务器都可提供：截至最近一次签名的账本；再次运行只写新增部分",
    ),
    ("Unified social credit code, 18 characters", "统一社会信用代码，18 位"),
    ("Users and their roles", "用户和角色"),
    ("Uses it is for, as hospital,drugs", "限定用途，例如 hospital,drugs"),
    ("What becomes of the channel's fee: returned or kept", "渠道手续费：returned（退回）或 kept（渠道不退）"),
    (
        "What happens to a surplus: plan, agreement or similar_purpose",
        "剩余财产的处理依据：plan（方案）、agreement（协议）或 similar_purpose（相近目的）",
    ),
    ("What it aims to raise", "募捐目标"),
    (
        "What kind of need, as minor,health",
        "困难类别，例如 minor,health（minor 未成年人、health 重大疾病、disability 残疾、violence 受侵害、death 身故、disaster 灾害、poverty 生活困难、public_work 公益建设）",
    ),
    (
        "What only this donor has: the channel's order number, or the number of the paper slip",
        "只有捐赠人手里有的：渠道订单号，或纸质收据的编号",
    ),
    ("What the channel kept of it", "渠道扣下的手续费"),
    ("What the donor gave, before any fee", "捐赠人付的金额，未扣手续费"),
    ("Where a gift went, or whose gifts a payment used", "一笔捐赠去了哪里，或一笔支付用了谁的捐赠"),
    ("Which", "编号"),
    ("Which ledger, where the folder holds several", "文件夹里有几个账本时，指明哪一个"),
    ("Why", "原因"),
    (
        "Why: duplicate, wrong_amount, wrong_fund, other …",
        "原因：duplicate（重复）、wrong_amount（金额错）、wrong_fund（基金错）、other（其他）等",
    ),
    (
        "Why: not_eligible, papers_missing, other …",
        "原因：not_eligible（不符合条件）、papers_missing（材料不全）、other（其他）等",
    ),
    ("Write the log as plain files that anybody can verify", "把账本导出为任何人都能核验的文件"),
    ("allocation, surplus or wrong_fund", "allocation（划拨）、surplus（剩余财产）或 wrong_fund（基金记错）"),
    (
        "hospital, guardian, pharmacy, shop, school, person, organisation or other",
        "hospital（医院）、guardian（监护人）、pharmacy（药店）、shop（商店）、school（学校）、person（个人）、organisation（单位）或 other（其他）",
    ),
    (
        "hospital, nutrition, drugs, lodging_travel, rehabilitation, funeral, education, living, housing or other",
        "hospital（住院费）、nutrition（营养）、drugs（院外药品）、lodging_travel（陪护住宿与交通）、rehabilitation（康复）、funeral（丧葬）、education（教育）、living（生活）、housing（住房）或 other（其他）",
    ),
    (
        "platform, enterprise, village_cash, members, wechat, alipay, bank, individual or other",
        "platform（平台）、enterprise（企业）、village_cash（村居现金）、members（会员）、wechat（微信）、alipay（支付宝）、bank（银行）、individual（个人）或 other（其他）",
    ),
    (
        "unrestricted, restricted, earmarked, endowment or agency",
        "unrestricted（非限定）、restricted（限定）、earmarked（专款）、endowment（留本）或 agency（代管）",
    ),
    (
        "wechat, wechat-merchant, alipay, alipay-merchant, vietcombank, agribank, vietinbank, hubei-redcross, wuhan-qrpos or wuhan-list; recognised where not given",
        "wechat、wechat-merchant、alipay、alipay-merchant、vietcombank、agribank、vietinbank、hubei-redcross、wuhan-qrpos 或 wuhan-list；不写则自动辨认",
    ),
];

/// Parts of the text that clap makes itself.
const FRAME: &[(&str, &str)] = &[
    ("\nUsage: ", "\n用法："),
    ("\nArguments:\n", "\n参数：\n"),
    ("\nOptions:\n", "\n选项：\n"),
    ("\nCommands:\n", "\n命令：\n"),
    ("\nEverywhere:\n", "\n各命令通用：\n"),
    ("[OPTIONS]", "[选项]"),
    ("<COMMAND>", "<命令>"),
    ("[default: ", "[不写则为："),
    ("[possible values: ", "[可写："),
    ("Possible values:", "可写："),
    ("Print help (see a summary with '-h')", "显示用法（-h 更简短）"),
    ("Print help (see more with '--help')", "显示用法（--help 更详细）"),
    ("Print this message or the help of the given subcommand(s)", "显示用法，或某个命令的用法"),
    ("Print help", "显示用法"),
    ("Print version", "显示版本"),
];

fn word(en: &str) -> String {
    WORDS.iter().find(|(known, _)| *known == en).map_or_else(|| en.to_owned(), |(_, zh)| (*zh).to_owned())
}

/// The same commands, speaking Chinese.
pub(super) fn translate(mut command: Command) -> Command {
    if let Some(about) = command.get_about().map(ToString::to_string) {
        command = command.about(word(&about));
    }
    if let Some(after) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(word(&after));
    }
    let argument = |arg: Arg| match arg.get_help().map(ToString::to_string) {
        Some(help) => arg.help(word(&help)),
        None => arg,
    };
    command.mut_args(argument).mut_subcommands(translate)
}

/// Help as clap renders it for translated commands, with its frame in Chinese.
pub(super) fn help(rendered: &str) -> String {
    FRAME.iter().fold(rendered.to_owned(), |text, (en, zh)| text.replace(en, zh))
}

/// What is wrong with a command line, and what to do.
pub(super) fn mistake(error: &clap::Error) -> String {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join("、")),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        Some(_) | None => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    let hint = |kind: ContextKind| text(kind).map(|name| format!("，是不是 {name}？")).unwrap_or_else(|| "。".into());
    let what = match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 后面要写一个值。"),
        ErrorKind::InvalidValue => match text(ContextKind::ValidValue) {
            Some(valid) => format!("“{value}”不能用于 {argument}，可以写：{valid}。"),
            None => format!("“{value}”不能用于 {argument}。"),
        },
        ErrorKind::ValueValidation => format!("“{value}”不能用于 {argument}：{}。", form(&argument)),
        ErrorKind::UnknownArgument => format!("没有 {argument} 这个参数{}", hint(ContextKind::SuggestedArg)),
        ErrorKind::InvalidSubcommand => {
            let command = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("没有 {command} 这个命令{}", hint(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(ContextKind::PriorArg).unwrap_or_default();
            if other.is_empty() || other == argument {
                format!("{argument} 只能写一次。")
            } else {
                format!("{argument} 不能和 {other} 同时使用。")
            }
        }
        ErrorKind::MissingRequiredArgument => format!("还要写上：{argument}。"),
        ErrorKind::MissingSubcommand => "还要写一个命令。".into(),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} 的值太多或太少。")
        }
        ErrorKind::InvalidUtf8 => "命令行里有不是 UTF-8 的字节。".into(),
        ErrorKind::NoEquals
        | ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion
        | ErrorKind::Io
        | ErrorKind::Format
        | _ => format!("命令写错了：{error}"),
    };
    format!("{what}用法请看 --help。")
}

/// How the value of an argument is written.
fn form(argument: &str) -> &'static str {
    let name = argument.split_whitespace().next().unwrap_or_default();
    match name {
        "--on" | "--starts-on" | "--ends-on" => "日期写成 2026-03-05 这样，而且要真有这一天",
        "--unit" => "币种写成 CNY 这样的三个大写字母，物资写成 x_ 开头的编号",
        "--id" | "--fund" | "--case" | "<CASE>" | "<FUND>" | "<FROM>" | "<TO>" | "<CAMPAIGN>" | "--campaign" => {
            "编号只用小写字母、数字和下划线，以小写字母开头"
        }
        "--account" | "<ACCOUNT>" => "账户名只用小写字母、数字、- 和 /，例如 bank/icbc-1",
        "<SEQ>" | "--last" | "--at" | "--vouchers" | "--gift-count" => "应为整数",
        "--database" | "--replica" => "数据库写成 postgres://用户:密码@主机:端口/库名",
        _ => "没有这个值",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Args;
    use clap::CommandFactory as _;

    fn texts(command: &Command, into: &mut Vec<String>) {
        into.extend([command.get_about(), command.get_after_help()].into_iter().flatten().map(ToString::to_string));
        for arg in command.get_arguments() {
            into.extend(arg.get_help().map(ToString::to_string));
        }
        command.get_subcommands().for_each(|command| texts(command, into));
    }

    #[test]
    fn every_text_of_the_help_is_translated_and_no_word_is_left_over() {
        let mut used = Vec::new();
        texts(&Args::command(), &mut used);
        for text in &used {
            assert!(WORDS.iter().any(|(en, _)| en == text), "“{text}” has no Chinese");
        }
        for (en, _) in WORDS {
            assert!(used.iter().any(|text| text == en), "“{en}” is not used any more");
        }
    }

    #[test]
    fn help_has_no_english_frame() {
        let rendered =
            translate(Args::command()).try_get_matches_from(["mingzhang", "trace", "--help"]).expect_err("help");
        let text = help(&rendered.render().to_string());
        for en in ["Usage", "Options", "Arguments", "Print", "default:", "Everywhere"] {
            assert!(!text.contains(en), "{en} in {text}");
        }
        assert!(text.contains("用法：mingzhang trace"), "{text}");
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        let told = |line: &str| {
            let error = translate(Args::command()).try_get_matches_from(line.split(' ')).expect_err("a mistake");
            mistake(&error)
        };
        assert_eq!(told("mingzhang fund lst"), "没有 lst 这个命令，是不是 list？用法请看 --help。");
        assert_eq!(told("mingzhang trace 1 --cod x"), "没有 --cod 这个参数，是不是 --code？用法请看 --help。");
        assert_eq!(
            told("mingzhang case close c_1 --on 2026-02-30"),
            "“2026-02-30”不能用于 --on <ON>：日期写成 2026-03-05 这样，而且要真有这一天。用法请看 --help。"
        );
        assert_eq!(told("mingzhang case assess c_1"), "还要写上：--need <NEED>。用法请看 --help。");
    }
}
