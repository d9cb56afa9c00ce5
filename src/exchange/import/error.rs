//! Why a file as a whole could not be read.

use super::FormatName;
use super::mapping::MappingError;

/// A file was refused, or reading it stopped. Nothing after the place it names was read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No known heading.
    #[error(
        "The file was not recognised: no heading of a known format in its first lines. Known formats: {}. \
         Name one with --format, or describe the columns with --mapping.",
        FormatName::list()
    )]
    NotRecognised,
    /// The two Vietnamese banks share one heading and the first row fits neither.
    #[error(
        "Line {line}: the heading is that of agribank and of vietinbank, and the first row fits neither. \
         Say --format agribank or --format vietinbank."
    )]
    Ambiguous {
        /// Line of the heading.
        line: u64,
    },
    /// A list of goods, not of money.
    #[error("Line {line}: this is a list of goods (column “{column}”), not of money. Record goods as gifts in kind.")]
    GoodsTable {
        /// Line of the heading.
        line: u64,
        /// The heading that gave it away.
        column: String,
    },
    /// The file is of a kind that is not read.
    #[error("This is {}. {}", .0.texts().en, .0.texts().advice_en)]
    KindNotRead(FileKind),
    /// Empty, or blank rows only.
    #[error("The file holds no rows. Check that the download is complete.")]
    Empty,
    /// A column that the format needs is not in the heading.
    #[error(
        "Line {line}: the heading has no column “{column}”, which {format} needs. Check --format, or use --mapping."
    )]
    HeadingMissing {
        /// Line of the heading.
        line: u64,
        /// The column.
        column: String,
        /// The format that needs it.
        format: FormatName,
    },
    /// A column that the format needs stands twice in the heading.
    #[error("Line {line}: the heading has the column “{column}” more than once. Rename one of them in the file.")]
    HeadingTwice {
        /// Line of the heading.
        line: u64,
        /// The column.
        column: String,
    },
    /// The format was named, but its heading is not there.
    #[error(
        "No heading of {format} in the first {lines} lines. Check that it is the right file, or leave --format away to have it recognised."
    )]
    FormatDiffers {
        /// The format that was named.
        format: FormatName,
        /// How far was looked.
        lines: u64,
    },
    /// The mapping does not fit the file.
    #[error("The mapping does not fit this file: {0}")]
    Mapping(#[from] MappingError),
    /// A list of gifts without a day.
    #[error(
        "The list states no day, neither in its title nor in the file name “{file_name}”. Say it with --on 2026-03-05."
    )]
    DayNotStated {
        /// The name of the file, as given.
        file_name: String,
    },
    /// Bytes that the encoding does not have.
    #[error(
        "Line {line}: bytes that are not {encoding}. Save the file as UTF-8 or GB18030, or name its encoding in a mapping."
    )]
    Encoding {
        /// The line.
        line: u64,
        /// The encoding that was tried.
        encoding: String,
    },
    /// Neither UTF-8 nor GB18030.
    #[error(
        "Line {line}: the text is neither UTF-8 nor GB18030. Save the file as UTF-8, or name its encoding in a mapping."
    )]
    EncodingUnknown {
        /// The line with the first bad byte, read as UTF-8.
        line: u64,
    },
    /// A quote that never ends.
    #[error("Line {line}: a quotation mark opens here and is never closed. Close it, or export the file again.")]
    QuoteNotClosed {
        /// The line on which it opens.
        line: u64,
    },
    /// A record without an end in sight.
    #[error(
        "Line {line}: the row is longer than {max_bytes} bytes. This is not a statement, or a line break is missing."
    )]
    RowTooLong {
        /// The line on which it begins.
        line: u64,
        /// The most that is read.
        max_bytes: usize,
    },
    /// More than may be unpacked.
    #[error("The file unpacks to more than {max_bytes} bytes; it is refused as a possible zip bomb. Split it.")]
    UnpacksTooLarge {
        /// The most that is unpacked.
        max_bytes: u64,
    },
    /// More rows than a sheet may have here.
    #[error("The sheet “{sheet}” has more than {max_rows} rows. Save it as CSV, which has no such limit.")]
    TooManyRows {
        /// Name of the sheet.
        sheet: String,
        /// The most that are read.
        max_rows: usize,
    },
    /// More columns than a sheet may have here.
    #[error(
        "Row {line} of the sheet “{sheet}” has something in column {column}; only {max_columns} columns are read. Delete it."
    )]
    TooManyColumns {
        /// Name of the sheet.
        sheet: String,
        /// Row of the sheet, from 1.
        line: u64,
        /// Column, from 1.
        column: u32,
        /// The most that are read.
        max_columns: u32,
    },
    /// Rows of a sheet that do not follow each other.
    #[error("Row {line} of the sheet “{sheet}” stands after a later one. Open the file and save it again.")]
    RowsOutOfOrder {
        /// Name of the sheet.
        sheet: String,
        /// Row of the sheet, from 1.
        line: u64,
    },
    /// The workbook is damaged or protected.
    #[error(
        "The workbook could not be opened: {message}. Open it in a spreadsheet program and save it again, without a password."
    )]
    Workbook {
        /// What the reader says.
        message: String,
    },
    /// The bytes could not be fetched.
    #[error("Line {line}: the file could not be read further. Check that it is complete.")]
    Read {
        /// The line that was being read.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Kinds of files that people try and that are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// BIFF, the Excel format before 2007.
    OldExcel,
    /// A workbook inside gzip.
    PackedWorkbook,
    /// PDF.
    Pdf,
    /// XML, camt.053 too.
    Xml,
    /// HTML.
    WebPage,
    /// SWIFT MT940.
    Mt940,
    /// RAR or 7z.
    Archive,
    /// NUL bytes all over: binary, or UTF-16 without a byte order mark.
    Binary,
}

/// What a kind is and what to do, in both languages.
struct KindTexts {
    en: &'static str,
    advice_en: &'static str,
    zh: &'static str,
    advice_zh: &'static str,
}

impl FileKind {
    const fn texts(self) -> KindTexts {
        let (en, advice_en, zh, advice_zh) = match self {
            Self::OldExcel => (
                "an old Excel file (.xls)",
                "Open it and save it as .xlsx or as CSV.",
                "旧版 Excel 文件（.xls）",
                "请打开后另存为 .xlsx 或 CSV。",
            ),
            Self::PackedWorkbook => ("a workbook inside gzip", "Unpack it first.", "gzip 里的工作簿", "请先解压。"),
            Self::Pdf => (
                "a PDF",
                "Ask the bank or the channel for the statement as CSV or Excel.",
                "PDF 文件",
                "请向银行或平台索取 CSV 或 Excel 账单。",
            ),
            Self::Xml => (
                "an XML file",
                "XML statements (camt.053) are not read yet; download the statement as CSV or Excel.",
                "XML 文件",
                "XML 账单（camt.053）目前还不能导入；请下载 CSV 或 Excel 账单。",
            ),
            Self::WebPage => (
                "a web page",
                "Download the statement itself; a page saved from the browser is not one.",
                "网页",
                "请下载账单本身；从浏览器存下的网页不是账单。",
            ),
            Self::Mt940 => (
                "an MT940 message",
                "MT940 is not read yet; download the statement as CSV or Excel.",
                "MT940 报文",
                "MT940 目前还不能导入；请下载 CSV 或 Excel 账单。",
            ),
            Self::Archive => ("a packed archive", "Unpack it first.", "压缩包", "请先解压。"),
            Self::Binary => (
                "a binary file, or UTF-16 without a byte order mark",
                "Save the table as CSV in UTF-8.",
                "二进制文件，或没有标记的 UTF-16 文本",
                "请把表格另存为 UTF-8 的 CSV。",
            ),
        };
        KindTexts { en, advice_en, zh, advice_zh }
    }
}

impl ImportError {
    /// The same in Chinese: what happened, where, what to do.
    pub fn zh(&self) -> String {
        match self {
            Self::NotRecognised => format!(
                "认不出这份文件：开头没有已知格式的表头。已知格式：{}。请用 --format 指明，或用 --mapping 说明各列。",
                FormatName::list()
            ),
            Self::Ambiguous { line } => format!(
                "第 {line} 行的表头是 agribank 与 vietinbank 共有的，第一行数据两边都不像。请用 --format agribank 或 --format vietinbank 指明。"
            ),
            Self::GoodsTable { line, column } => {
                format!("第 {line} 行的表头有「{column}」：这是物资清单，不是捐款。请按实物捐赠登记。")
            }
            Self::KindNotRead(kind) => format!("这是{}。{}", kind.texts().zh, kind.texts().advice_zh),
            Self::Empty => "文件里没有内容。请确认下载完整。".into(),
            Self::HeadingMissing { line, column, format } => {
                format!("第 {line} 行的表头没有「{column}」，{}需要它。请检查 --format，或用 --mapping。", format.zh())
            }
            Self::HeadingTwice { line, column } => {
                format!("第 {line} 行的表头有不止一个「{column}」。请在文件里改名其中一个。")
            }
            Self::FormatDiffers { format, lines } => {
                format!("前 {lines} 行里没有{}的表头。请确认是这份文件，或不写 --format 让程序辨认。", format.zh())
            }
            Self::Mapping(error) => format!("对照文件与这份文件不合：{}。", error.zh()),
            Self::DayNotStated { file_name } => {
                format!("清单没有日期，标题和文件名「{file_name}」里也没有。请用 --on 2026-03-05 这样的写法指明。")
            }
            Self::Encoding { line, encoding } => format!(
                "第 {line} 行有不属于 {encoding} 的字节。请把文件另存为 UTF-8 或 GB18030，或在对照文件里写明编码。"
            ),
            Self::EncodingUnknown { line } => {
                format!("第 {line} 行的文字既不是 UTF-8 也不是 GB18030。请把文件另存为 UTF-8，或在对照文件里写明编码。")
            }
            Self::QuoteNotClosed { line } => format!("第 {line} 行的引号没有闭合。请补上引号，或重新导出。"),
            Self::RowTooLong { line, max_bytes } => {
                format!("第 {line} 行超过 {max_bytes} 字节。这不像账单，或缺了换行。请重新导出。")
            }
            Self::UnpacksTooLarge { max_bytes } => {
                format!("文件解开后超过 {max_bytes} 字节，可能是压缩炸弹，已拒绝。确是账单请拆成几份。")
            }
            Self::TooManyRows { sheet, max_rows } => {
                format!("工作表「{sheet}」超过 {max_rows} 行。请另存为 CSV，CSV 没有这个限制。")
            }
            Self::TooManyColumns { sheet, line, column, max_columns } => {
                format!("工作表「{sheet}」第 {line} 行第 {column} 列有内容；最多读 {max_columns} 列。请删去。")
            }
            Self::RowsOutOfOrder { sheet, line } => {
                format!("工作表「{sheet}」的第 {line} 行排在更后的行之后。请打开文件重新保存。")
            }
            Self::Workbook { message } => {
                format!("工作簿打不开：{message}。请用表格软件打开，去掉密码后重新保存。")
            }
            Self::Read { line, .. } => format!("读到第 {line} 行时读不下去了。请确认文件完整。"),
        }
    }
}
