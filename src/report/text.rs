//! A document as plain text: for golden tests, where a difference can be read.

use super::document::{Align, Block, Cell, ChartShape, Document, Table, amount_text};

/// The document as text, one fact a line.
pub fn render(document: &Document) -> String {
    let mut out =
        format!("{}\n{}\n{}\n{}\n", document.organisation, document.title, document.subtitle, document.number);
    for block in &document.blocks {
        match block {
            Block::Heading { level, text } => out += &format!("\n{} {text}\n", "#".repeat(usize::from(*level))),
            Block::Paragraph(text) => out += &format!("{text}\n"),
            Block::Note(text) => out += &format!("※ {text}\n"),
            Block::Facts(facts) => {
                for fact in facts {
                    out += &format!("{}: {}\n", fact.name, fact.value);
                }
            }
            Block::KeyFigures(figures) => {
                for figure in figures {
                    out += &format!(
                        "{}  {}  ({})\n",
                        figure.name,
                        amount_text(figure.amount, document.unit),
                        figure.detail
                    );
                }
            }
            Block::Table(table) => out += &table_text(document, table),
            Block::Chart(chart) => {
                let shape = match chart.shape {
                    ChartShape::StepLine(_) => "step line",
                    ChartShape::Bars(_) => "bars",
                };
                out += &format!("[{shape}: {}] {}\n", chart.caption, chart.alternative);
            }
            Block::Verification(verification) => {
                out += &format!("{}\n", verification.how);
                for line in &verification.lines {
                    out += &format!("{}: {}\n", line.name, line.value);
                }
                out += &format!("[QR] {}\n", verification.address);
            }
        }
    }
    out
}

fn table_text(document: &Document, table: &Table) -> String {
    let heads: Vec<String> = table.columns.iter().map(|column| column.title.clone()).collect();
    let cells = |row: &Vec<Cell>| row.iter().map(|cell| document.cell_text(cell)).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> =
        std::iter::once(heads).chain(table.rows.iter().map(cells)).chain(table.total.iter().map(cells)).collect();
    let width = |text: &str| text.chars().map(|c| if u32::from(c) >= 0x2e80 { 2 } else { 1 }).sum::<usize>();
    let mut widths = vec![0; table.columns.len()];
    for line in &lines {
        for (widest, text) in widths.iter_mut().zip(line) {
            *widest = width(text).max(*widest);
        }
    }
    let mut out = format!("{}\n", table.caption);
    for line in &lines {
        let mut row = String::from(" ");
        for ((column, text), widest) in table.columns.iter().zip(line).zip(&widths) {
            let padding = " ".repeat(widest - width(text));
            match column.align {
                Align::Start => row += &format!(" {text}{padding} "),
                Align::End => row += &format!(" {padding}{text} "),
            }
        }
        out += row.trim_end();
        out.push('\n');
    }
    out
}
