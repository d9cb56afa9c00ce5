//! A document → marks on pages. Distances are points, from the top left corner of an A4 page.

#![expect(clippy::float_arithmetic, reason = "geometry of a page, never money")]

use super::ReportError;
use super::chart;
use super::document::{
    Align, Block, Carry, Cell, Chart, Column, Document, Fact, KeyFigure, Table, Verification, amount_text,
};
use super::font::Face;
use super::labels::Language;
use super::wrap::{TextLine, wrap};

pub(super) const PAGE_WIDTH: f32 = 595.28;
pub(super) const PAGE_HEIGHT: f32 = 841.89;
const LEFT: f32 = 56.7;
const RIGHT: f32 = PAGE_WIDTH - LEFT;
const WIDTH: f32 = RIGHT - LEFT;
const TOP: f32 = 64.0;
const BOTTOM: f32 = PAGE_HEIGHT - 66.0;
/// Tables above this are tagged a row at a time: a tag for every cell would make the file many times larger.
const ROWS_TAGGED_BY_CELL: usize = 200;
/// Tables above this get a tint on every other row.
const ROWS_PLAIN: usize = 20;

/// A laid out document.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) pages: Vec<Vec<Mark>>,
    pub(super) elements: Vec<Element>,
    pub(super) outline: Vec<OutlineItem>,
}

/// Something drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// Text on a baseline.
    Text { x: f32, y: f32, face: Face, size: f32, ink: Ink, text: String },
    /// A line through points.
    Line { points: Vec<(f32, f32)>, width: f32, ink: Ink },
    /// A filled rectangle.
    Fill { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    /// A place that opens an address.
    Link { x: f32, y: f32, width: f32, height: f32, address: String },
    /// What follows belongs to an element.
    Begin(usize),
    /// What follows carries no meaning: rules, repeated heads, page numbers.
    Artifact,
    /// Ends the last `Begin` or `Artifact`.
    End,
}

/// The inks. They differ in lightness too, so that they print in grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Quiet,
    Accent,
    Hairline,
    Tint,
    Pale,
    Paper,
}

/// A node of the structure that screen readers follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) role: Role,
    pub(super) parent: Option<usize>,
    pub(super) alternative: Option<String>,
}

/// Standard structure types, ISO 32000-1 §14.8.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Heading,
    Subheading,
    Paragraph,
    Table,
    Row,
    Head,
    Data,
    Caption,
    Figure,
}

/// A bookmark.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OutlineItem {
    pub(super) title: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// Face, size, height of a line and ink.
#[derive(Clone, Copy)]
struct Style {
    face: Face,
    size: f32,
    leading: f32,
    ink: Ink,
}

const TITLE: Style = Style { face: Face::Bold, size: 20.0, leading: 29.0, ink: Ink::Text };
const SUBTITLE: Style = Style { face: Face::Regular, size: 10.0, leading: 16.0, ink: Ink::Quiet };
const ORGANISATION: Style = Style { face: Face::Bold, size: 10.0, leading: 16.0, ink: Ink::Accent };
const HEADING: Style = Style { face: Face::Bold, size: 12.5, leading: 18.0, ink: Ink::Accent };
const SUBHEADING: Style = Style { face: Face::Bold, size: 10.5, leading: 16.0, ink: Ink::Text };
const BODY: Style = Style { face: Face::Regular, size: 9.5, leading: 15.5, ink: Ink::Text };
const NOTE: Style = Style { face: Face::Regular, size: 8.0, leading: 12.6, ink: Ink::Quiet };
const FACT_NAME: Style = Style { face: Face::Regular, size: 9.0, leading: 14.4, ink: Ink::Quiet };
const FACT_VALUE: Style = Style { face: Face::Regular, size: 9.0, leading: 14.4, ink: Ink::Text };
const FIGURE_NAME: Style = Style { face: Face::Bold, size: 10.0, leading: 14.0, ink: Ink::Text };
const FIGURE_DETAIL: Style = Style { face: Face::Regular, size: 8.0, leading: 11.5, ink: Ink::Quiet };
const FIGURE: Style = Style { face: Face::Bold, size: 13.0, leading: 16.0, ink: Ink::Text };
const CAPTION: Style = Style { face: Face::Bold, size: 9.0, leading: 14.0, ink: Ink::Text };
const PAGE_EDGE: Style = Style { face: Face::Regular, size: 7.5, leading: 10.0, ink: Ink::Quiet };

/// Lays a document out.
pub(super) fn lay_out(document: &Document) -> Result<Layout, ReportError> {
    let mut composer = Composer { document, layout: Layout::default(), y: TOP };
    composer.new_page();
    composer.title()?;
    for (place, block) in document.blocks.iter().enumerate() {
        let rest = document.blocks.get(place..).unwrap_or_default();
        composer.block(block, rest)?;
    }
    composer.page_edges()?;
    Ok(composer.layout)
}

struct Composer<'a> {
    document: &'a Document,
    layout: Layout,
    y: f32,
}

impl Composer<'_> {
    fn title(&mut self) -> Result<(), ReportError> {
        let document = self.document;
        self.y = 56.0;
        self.lines(Role::Paragraph, &document.organisation, ORGANISATION)?;
        self.y += 3.0;
        self.lines(Role::Title, &document.title, TITLE)?;
        self.lines(Role::Paragraph, &document.subtitle, SUBTITLE)?;
        self.y += 7.0;
        self.rule(self.y, 1.4, Ink::Accent);
        self.y += 2.0;
        Ok(())
    }

    fn block(&mut self, block: &Block, rest: &[Block]) -> Result<(), ReportError> {
        match block {
            Block::Heading { level, text } => {
                let (style, role, before) = match level {
                    1 => (HEADING, Role::Heading, 15.0),
                    _ => (SUBHEADING, Role::Subheading, 9.0),
                };
                let needed = before + self.lead(rest)?;
                self.ensure(needed);
                if self.y > TOP {
                    self.y += before;
                }
                if *level == 1 {
                    let page = self.layout.pages.len() - 1;
                    self.layout.outline.push(OutlineItem { title: text.clone(), page, y: self.y });
                }
                self.lines(role, text, style)?;
                self.y += 4.0;
            }
            Block::Paragraph(text) => {
                self.lines(Role::Paragraph, text, self.leaded(BODY))?;
                self.y += 5.0;
            }
            Block::Note(text) => {
                self.y += 2.0;
                self.lines(Role::Paragraph, text, self.leaded(NOTE))?;
                self.y += 5.0;
            }
            Block::Facts(facts) => self.facts(facts)?,
            Block::KeyFigures(figures) => self.key_figures(figures)?,
            Block::Table(table) => self.table(table)?,
            Block::Chart(chart) => self.chart(chart)?,
            Block::Verification(verification) => self.verification(verification)?,
        }
        Ok(())
    }

    /// What must stay on one page with the first of these blocks: a heading with the beginning of what it heads.
    fn lead(&self, blocks: &[Block]) -> Result<f32, ReportError> {
        let Some((block, rest)) = blocks.split_first() else { return Ok(0.0) };
        Ok(match block {
            Block::Heading { text, .. } => {
                let lines = wrap(text, HEADING.face, HEADING.size, WIDTH)?.len();
                height_of(lines, HEADING) + 4.0 + self.lead(rest)?
            }
            Block::Paragraph(text) | Block::Note(text) => {
                let style = self.leaded(if matches!(block, Block::Note(_)) { NOTE } else { BODY });
                let lines = wrap(text, style.face, style.size, WIDTH)?.len();
                match rest.first() {
                    Some(Block::Table(_)) if lines <= 4 => height_of(lines, style) + 7.0 + self.lead(rest)?,
                    _ => height_of(lines.min(3), style) + 7.0,
                }
            }
            Block::Facts(_) => FACT_NAME.leading * 3.0,
            Block::KeyFigures(figures) => 14.0 + 30.0 * points(figures.len()),
            Block::Table(table) => {
                let rows = if table.rows.len() <= 4 { table.rows.len() + 1 } else { 4 };
                CAPTION.leading + 4.0 + 20.0 + 20.0 * points(rows)
            }
            Block::Chart(chart) => chart::height(&chart.shape) + CAPTION.leading + 16.0,
            Block::Verification(verification) => self.verification_height(verification)?,
        })
    }

    fn facts(&mut self, facts: &[Fact]) -> Result<(), ReportError> {
        let mut names = 0.0_f32;
        for fact in facts {
            names = names.max(FACT_NAME.face.width(&fact.name, FACT_NAME.size)?);
        }
        let indent = names.min(150.0) + 16.0;
        let style = self.leaded(FACT_VALUE);
        for (place, fact) in facts.iter().enumerate() {
            if place + 2 == facts.len() {
                // The last line never stands alone on a page.
                let heights =
                    facts.iter().skip(place).map(|fact| wrap(&fact.value, style.face, style.size, WIDTH - indent));
                let lines = heights.map(|lines| lines.map(|lines| lines.len())).sum::<Result<usize, _>>()?;
                self.ensure(height_of(lines, style) + 2.8);
            }
            self.fact(fact, indent, WIDTH - indent, style)?;
        }
        self.y += 4.0;
        Ok(())
    }

    fn fact(&mut self, fact: &Fact, indent: f32, width: f32, style: Style) -> Result<(), ReportError> {
        let value = wrap(&fact.value, style.face, style.size, width)?;
        let name = wrap(&fact.name, FACT_NAME.face, FACT_NAME.size, indent - 10.0)?;
        let height = height_of(value.len().max(name.len()), style);
        self.ensure(height);
        let element = self.element(Role::Paragraph, None, None);
        self.push(Mark::Begin(element));
        self.set(LEFT, &name, Style { leading: style.leading, ..FACT_NAME });
        self.set(LEFT + indent, &value, style);
        self.push(Mark::End);
        self.y += height + 1.4;
        Ok(())
    }

    fn key_figures(&mut self, figures: &[KeyFigure]) -> Result<(), ReportError> {
        let labels = self.document.labels();
        let (mut names, mut amounts) = (0.0_f32, 0.0_f32);
        for figure in figures {
            names = names.max(FIGURE_NAME.face.width(&figure.name, FIGURE_NAME.size)?);
            amounts = amounts.max(FIGURE.face.width(&amount_text(figure.amount, self.document.unit), FIGURE.size)?);
        }
        let (names, amounts) = (names.min(150.0) + 18.0, amounts + 18.0);
        self.ensure(14.0 + 30.0 * points(figures.len()));
        let unit = labels.fill("report.currency_note", &[("currency", &labels.unit(self.document.unit))]);
        let unit_width = NOTE.face.width(&unit, NOTE.size)?;
        let element = self.element(Role::Paragraph, None, None);
        self.push(Mark::Begin(element));
        self.set(RIGHT - unit_width, &[TextLine { text: unit, width: unit_width }], NOTE);
        self.push(Mark::End);
        self.y += NOTE.leading + 2.0;
        self.rule(self.y, 0.8, Ink::Accent);
        for figure in figures {
            let name = wrap(&figure.name, FIGURE_NAME.face, FIGURE_NAME.size, names - 10.0)?;
            let detail = wrap(&figure.detail, FIGURE_DETAIL.face, FIGURE_DETAIL.size, WIDTH - names - amounts)?;
            let amount = amount_text(figure.amount, self.document.unit);
            let width = FIGURE.face.width(&amount, FIGURE.size)?;
            let inner =
                height_of(name.len(), FIGURE_NAME).max(height_of(detail.len(), FIGURE_DETAIL)).max(FIGURE.leading);
            let height = inner + 9.0;
            self.ensure(height);
            let top = self.y;
            let element = self.element(Role::Paragraph, None, None);
            self.push(Mark::Begin(element));
            self.y = top + (height - height_of(name.len(), FIGURE_NAME)) / 2.0;
            self.set(LEFT, &name, FIGURE_NAME);
            self.y = top + (height - height_of(detail.len(), FIGURE_DETAIL)) / 2.0;
            self.set(LEFT + names, &detail, FIGURE_DETAIL);
            self.y = top + (height - FIGURE.leading) / 2.0;
            self.set(RIGHT - width, &[TextLine { text: amount, width }], FIGURE);
            self.push(Mark::End);
            self.y = top + height;
            self.rule(self.y, 0.4, Ink::Hairline);
        }
        self.y += 8.0;
        Ok(())
    }

    fn chart(&mut self, chart: &Chart) -> Result<(), ReportError> {
        let height = chart::height(&chart.shape);
        self.ensure(CAPTION.leading + height + 8.0);
        self.y += 4.0;
        self.lines(Role::Caption, &chart.caption, CAPTION)?;
        self.y += 4.0;
        let element = self.element(Role::Figure, None, Some(chart.alternative.clone()));
        self.push(Mark::Begin(element));
        let area = chart::Area { x: LEFT, y: self.y, width: WIDTH, height };
        let marks = chart::draw(&chart.shape, area, self.document)?;
        self.page().extend(marks);
        self.push(Mark::End);
        self.y += height + 8.0;
        Ok(())
    }

    fn verification(&mut self, verification: &Verification) -> Result<(), ReportError> {
        self.ensure(self.verification_height(verification)?);
        self.lines(Role::Paragraph, &verification.how, self.leaded(BODY))?;
        self.y += 8.0;
        let code = qrcode::QrCode::with_error_correction_level(&verification.address, qrcode::EcLevel::M)
            .map_err(|_| ReportError::QrTooLong)?;
        let top = self.y;
        let element =
            self.element(Role::Figure, None, Some(format!("{}: {}", verification.caption, verification.address)));
        self.push(Mark::Begin(element));
        self.qr(&code, RIGHT - QR_SIZE, top);
        self.push(Mark::End);
        let caption = wrap(&verification.caption, NOTE.face, NOTE.size, QR_SIZE)?;
        let element = self.element(Role::Caption, None, None);
        self.push(Mark::Begin(element));
        self.y = top + QR_SIZE + 3.0;
        for line in &caption {
            self.set(RIGHT - (QR_SIZE + line.width) / 2.0, std::slice::from_ref(line), NOTE);
            self.y += NOTE.leading;
        }
        self.push(Mark::End);
        let address = verification.address.clone();
        self.push(Mark::Link { x: RIGHT - QR_SIZE, y: top, width: QR_SIZE, height: QR_SIZE, address });
        let bottom = self.y;
        self.y = top;
        let (indent, style) = self.verification_columns(verification)?;
        for line in &verification.lines {
            self.fact(line, indent, WIDTH - indent - QR_SIZE - 18.0, style)?;
            self.y += 1.6;
        }
        self.y = self.y.max(bottom) + 4.0;
        Ok(())
    }

    fn verification_columns(&self, verification: &Verification) -> Result<(f32, Style), ReportError> {
        let mut names = 0.0_f32;
        for line in &verification.lines {
            names = names.max(FACT_NAME.face.width(&line.name, FACT_NAME.size)?);
        }
        // A hash of 64 digits stays on one line; English names are longer and leave less room for it.
        let (size, leading) = match self.document.language {
            Language::Zh => (8.4, 12.4),
            Language::En => (7.3, 11.6),
        };
        Ok((names.min(120.0) + 12.0, Style { size, leading, ..FACT_VALUE }))
    }

    fn verification_height(&self, verification: &Verification) -> Result<f32, ReportError> {
        let body = self.leaded(BODY);
        let (indent, style) = self.verification_columns(verification)?;
        let mut height = height_of(wrap(&verification.how, body.face, body.size, WIDTH)?.len(), body) + 8.0;
        for line in &verification.lines {
            let lines = wrap(&line.value, style.face, style.size, WIDTH - indent - QR_SIZE - 18.0)?.len();
            height += height_of(lines, style) + 3.0;
        }
        Ok(height)
    }

    /// Dark modules as rectangles, joined along each row.
    fn qr(&mut self, code: &qrcode::QrCode, x: f32, y: f32) {
        let modules = code.width();
        let side = QR_SIZE / points(modules);
        let colors = code.to_colors();
        for (row, cells) in colors.chunks(modules).enumerate() {
            let mut start = None;
            for (column, dark) in cells.iter().map(|color| *color == qrcode::Color::Dark).chain([false]).enumerate() {
                match (start, dark) {
                    (None, true) => start = Some(column),
                    (Some(first), false) => {
                        let (x, y) = (x + points(first) * side, y + points(row) * side);
                        self.push(Mark::Fill {
                            x,
                            y,
                            width: points(column - first) * side,
                            height: side,
                            ink: Ink::Text,
                        });
                        start = None;
                    }
                    (None, false) | (Some(_), true) => {}
                }
            }
        }
    }

    /// Header and footer of every page: what it belongs to, where it stands, and the short form of the verification block.
    fn page_edges(&mut self) -> Result<(), ReportError> {
        let document = self.document;
        let labels = document.labels();
        let pages = self.layout.pages.len().to_string();
        let short = labels.fill("report.footer", &[("number", &document.number), ("code", &document.short_code)]);
        for place in 0..self.layout.pages.len() {
            let number = labels.fill("report.page", &[("page", &(place + 1).to_string()), ("pages", &pages)]);
            let mut edges = vec![Mark::Artifact];
            let foot = PAGE_HEIGHT - 44.0;
            edges.push(Mark::Line { points: vec![(LEFT, foot), (RIGHT, foot)], width: 0.4, ink: Ink::Hairline });
            edges.push(edge(LEFT, foot + 13.0, short.clone()));
            edges.push(edge(RIGHT - PAGE_EDGE.face.width(&number, PAGE_EDGE.size)?, foot + 13.0, number));
            if place > 0 {
                edges.push(edge(LEFT, 40.0, document.organisation.clone()));
                let width = PAGE_EDGE.face.width(&document.title, PAGE_EDGE.size)?;
                edges.push(edge(RIGHT - width, 40.0, document.title.clone()));
                edges.push(Mark::Line { points: vec![(LEFT, 47.0), (RIGHT, 47.0)], width: 0.4, ink: Ink::Hairline });
            }
            edges.push(Mark::End);
            if let Some(page) = self.layout.pages.get_mut(place) {
                page.extend(edges);
            }
        }
        Ok(())
    }

    /// Text over the whole width, broken over pages without leaving a single line behind.
    fn lines(&mut self, role: Role, text: &str, style: Style) -> Result<(), ReportError> {
        let lines = wrap(text, style.face, style.size, WIDTH)?;
        let element = self.element(role, None, None);
        let mut left = lines.as_slice();
        while !left.is_empty() {
            let mut fitting =
                left.iter().enumerate().take_while(|(n, _)| self.y + height_of(n + 1, style) <= BOTTOM).count();
            if fitting < left.len() && left.len() - fitting == 1 && left.len() > 2 {
                fitting = fitting.saturating_sub(1);
            }
            if fitting == 0 || (fitting == 1 && left.len() > 1 && self.y > TOP) {
                if self.y > TOP {
                    self.new_page();
                    continue;
                }
                fitting = 1;
            }
            let (now, later) = left.split_at(fitting);
            self.push(Mark::Begin(element));
            self.set(LEFT, now, style);
            self.push(Mark::End);
            self.y += height_of(now.len(), style);
            left = later;
            if !left.is_empty() {
                self.new_page();
            }
        }
        Ok(())
    }

    /// Latin text needs less room between its lines than Chinese.
    fn leaded(&self, style: Style) -> Style {
        match self.document.language {
            Language::Zh => style,
            Language::En => Style { leading: style.leading * 0.92, ..style },
        }
    }

    fn set(&mut self, x: f32, lines: &[TextLine], style: Style) {
        let mut y = self.y + baseline(style);
        for line in lines {
            let Style { face, size, ink, .. } = style;
            self.push(Mark::Text { x, y, face, size, ink, text: line.text.clone() });
            y += style.leading;
        }
    }

    fn rule(&mut self, y: f32, width: f32, ink: Ink) {
        self.push(Mark::Artifact);
        self.push(Mark::Line { points: vec![(LEFT, y), (RIGHT, y)], width, ink });
        self.push(Mark::End);
    }

    fn element(&mut self, role: Role, parent: Option<usize>, alternative: Option<String>) -> usize {
        self.layout.elements.push(Element { role, parent, alternative });
        self.layout.elements.len() - 1
    }

    fn ensure(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.new_page();
        }
    }

    fn new_page(&mut self) {
        self.layout.pages.push(Vec::new());
        self.y = TOP;
    }

    fn page(&mut self) -> &mut Vec<Mark> {
        self.layout.pages.last_mut().expect("a page is begun before anything is drawn")
    }

    fn push(&mut self, mark: Mark) {
        self.page().push(mark);
    }
}

const QR_SIZE: f32 = 92.0;

// ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const CELL_PADDING: f32 = 4.5;
const ROW_PADDING: f32 = 3.0;
/// Sizes of table text, tried in order until the columns fit.
const TABLE_SIZES: [f32; 5] = [8.5, 8.0, 7.5, 7.0, 6.2];

/// A table measured: widths of its columns, size of its text.
struct Grid {
    size: f32,
    widths: Vec<f32>,
    /// Room kept free at the end of each column.
    insets: Vec<f32>,
}

/// A row with its text broken into lines.
struct Row {
    cells: Vec<Vec<TextLine>>,
    height: f32,
}

/// How a row of a table looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowKind {
    Head,
    Plain,
    /// Between tinted rows: no line below.
    Clear,
    Tinted,
    Carried,
    Total,
}

impl RowKind {
    const fn face(self) -> Face {
        match self {
            Self::Head | Self::Total => Face::Bold,
            Self::Plain | Self::Clear | Self::Tinted | Self::Carried => Face::Regular,
        }
    }
}

impl Grid {
    const fn style(&self, kind: RowKind) -> Style {
        let ink = match kind {
            RowKind::Head | RowKind::Plain | RowKind::Clear | RowKind::Tinted | RowKind::Total => Ink::Text,
            RowKind::Carried => Ink::Quiet,
        };
        Style { face: kind.face(), size: self.size, leading: self.size * 1.4, ink }
    }

    fn row(&self, texts: Vec<String>, kind: RowKind) -> Result<Row, ReportError> {
        let style = self.style(kind);
        let mut cells = Vec::with_capacity(texts.len());
        let mut lines = 1;
        for ((text, width), inset) in texts.into_iter().zip(&self.widths).zip(&self.insets) {
            let inner = width - CELL_PADDING - inset;
            let whole = style.face.width(&text, style.size)?;
            let cell = if whole <= inner + 0.05 {
                vec![TextLine { text, width: whole }]
            } else {
                wrap(&text, style.face, style.size, inner)?
            };
            lines = lines.max(cell.len());
            cells.push(cell);
        }
        Ok(Row { cells, height: height_of(lines, style) + 2.0 * ROW_PADDING })
    }
}

impl Composer<'_> {
    fn table(&mut self, table: &Table) -> Result<(), ReportError> {
        let document = self.document;
        let labels = document.labels();
        let texts = |row: &[Cell]| row.iter().map(|cell| document.cell_text(cell)).collect::<Vec<_>>();
        let carried = table.carried();
        let grid = measure(document, table, carried.as_deref())?;
        let heads: Vec<String> = table.columns.iter().map(|column| column.title.clone()).collect();
        let head = grid.row(heads, RowKind::Head)?;
        let label_at = label_column(&table.columns);
        let carried_row = |after: usize, label: &str| -> Result<Option<Row>, ReportError> {
            let Some(cells) = carried.as_ref().and_then(|carried| carried.get(after)) else { return Ok(None) };
            let mut cells = texts(cells);
            if let Some(cell) = cells.get_mut(label_at) {
                *cell = label.into();
            }
            grid.row(cells, RowKind::Carried).map(Some)
        };
        let total = table.total.as_ref().map(|total| grid.row(texts(total), RowKind::Total)).transpose()?;
        // Carried figures grow no wider than the last ones, which the columns were measured for.
        let mut carried_height = 0.0_f32;
        for key in ["report.carried_forward", "report.brought_forward"] {
            let row = carried_row(table.rows.len().saturating_sub(1), labels.text(key))?;
            carried_height = carried_height.max(row.map_or(0.0, |row| row.height));
        }
        let total_height = total.as_ref().map_or(0.0, |row| row.height);
        let by_cell = table.rows.len() <= ROWS_TAGGED_BY_CELL;

        let caption_height = CAPTION.leading + 3.0;
        let first = table.rows.iter().take(2).map(|row| grid.row(texts(row), RowKind::Plain).map(|row| row.height));
        let first: f32 = first.sum::<Result<f32, _>>()?;
        let ending = if table.rows.len() <= 2 { total_height } else { carried_height };
        self.ensure(caption_height + head.height + first + ending);
        self.y += 3.0;
        self.lines(Role::Caption, &table.caption, CAPTION)?;
        self.y += 1.0;
        let element = self.element(Role::Table, None, None);
        self.head_row(&grid, table, &head, Some(element));
        for (place, cells) in table.rows.iter().enumerate() {
            let kind = match (table.rows.len() > ROWS_PLAIN, place % 2) {
                (false, _) => RowKind::Plain,
                (true, 0) => RowKind::Clear,
                (true, _) => RowKind::Tinted,
            };
            let row = grid.row(texts(cells), kind)?;
            let is_last = place + 1 == table.rows.len();
            let after = if is_last { total_height } else { carried_height };
            if self.y + row.height + after > BOTTOM && place > 0 {
                if let Some(row) = carried_row(place - 1, labels.text("report.carried_forward"))? {
                    self.table_row(&grid, &table.columns, &row, RowKind::Carried, None);
                }
                self.rule(self.y, 0.8, Ink::Accent);
                self.new_page();
                self.head_row(&grid, table, &head, None);
                if let Some(row) = carried_row(place - 1, labels.text("report.brought_forward"))? {
                    self.table_row(&grid, &table.columns, &row, RowKind::Carried, None);
                }
            }
            self.table_row(&grid, &table.columns, &row, kind, Some((element, by_cell)));
        }
        if let Some(row) = total {
            self.rule(self.y, 0.6, Ink::Text);
            self.table_row(&grid, &table.columns, &row, RowKind::Total, Some((element, by_cell)));
        }
        self.rule(self.y, 0.8, Ink::Accent);
        self.y += 6.0;
        Ok(())
    }

    fn head_row(&mut self, grid: &Grid, table: &Table, head: &Row, element: Option<usize>) {
        self.rule(self.y, 0.8, Ink::Accent);
        self.table_row(grid, &table.columns, head, RowKind::Head, element.map(|element| (element, true)));
        self.rule(self.y, 0.6, Ink::Text);
    }

    /// Draws a row. `tag` is the element of the table and whether each cell gets its own; repeated and carried rows have none.
    fn table_row(&mut self, grid: &Grid, columns: &[Column], row: &Row, kind: RowKind, tag: Option<(usize, bool)>) {
        let top = self.y;
        let background = match kind {
            RowKind::Tinted => Some(Ink::Tint),
            RowKind::Carried => Some(Ink::Pale),
            RowKind::Head | RowKind::Plain | RowKind::Clear | RowKind::Total => None,
        };
        if let Some(ink) = background {
            self.push(Mark::Artifact);
            self.push(Mark::Fill { x: LEFT, y: top, width: WIDTH, height: row.height, ink });
            self.push(Mark::End);
        }
        let cell_role = if kind == RowKind::Head { Role::Head } else { Role::Data };
        let row_element = tag.map(|(table, by_cell)| (self.element(Role::Row, Some(table), None), by_cell));
        match row_element {
            None => self.push(Mark::Artifact),
            Some((parent, false)) => {
                let element = self.element(cell_role, Some(parent), None);
                self.push(Mark::Begin(element));
            }
            Some((_, true)) => {}
        }
        let style = grid.style(kind);
        let mut x = LEFT;
        self.y = top + ROW_PADDING;
        for (((cell, column), width), inset) in row.cells.iter().zip(columns).zip(&grid.widths).zip(&grid.insets) {
            if let Some((parent, true)) = row_element {
                let element = self.element(cell_role, Some(parent), None);
                self.push(Mark::Begin(element));
            }
            let mut y = self.y + baseline(style);
            for line in cell {
                let start = match column.align {
                    Align::Start => x + CELL_PADDING,
                    Align::End => x + width - inset - line.width,
                };
                if !line.text.is_empty() {
                    let Style { face, size, ink, .. } = style;
                    self.push(Mark::Text { x: start, y, face, size, ink, text: line.text.clone() });
                }
                y += style.leading;
            }
            if let Some((_, true)) = row_element {
                self.push(Mark::End);
            }
            x += width;
        }
        if !matches!(row_element, Some((_, true))) {
            self.push(Mark::End);
        }
        self.y = top + row.height;
        if kind == RowKind::Plain {
            self.rule(self.y, 0.3, Ink::Hairline);
        }
    }
}

/// Where “carried forward” stands: the column with the most room.
fn label_column(columns: &[Column]) -> usize {
    let widest = columns.iter().map(|column| column.weight).max().unwrap_or(0);
    columns.iter().position(|column| column.weight == widest && column.carry == Carry::Nothing).unwrap_or(0)
}

/// Widths of the columns: what does not break gets what it needs, words get the rest. Text shrinks before anything is cut.
fn measure(document: &Document, table: &Table, carried: Option<&[Vec<Cell>]>) -> Result<Grid, ReportError> {
    let mut per_em: Vec<f32> = vec![0.0; table.columns.len()];
    for (widest, column) in per_em.iter_mut().zip(&table.columns) {
        *widest = Face::Bold.width(&column.title, 1.0)?;
    }
    let last_carried = carried.and_then(|carried| carried.last());
    let plain = table.rows.iter().chain(last_carried).map(|row| (Face::Regular, row));
    for (face, row) in plain.chain(table.total.iter().map(|row| (Face::Bold, row))) {
        for (widest, cell) in per_em.iter_mut().zip(row) {
            let width = match cell {
                Cell::Text(text) => face.width(text, 1.0)?,
                Cell::Empty | Cell::Amount(_) | Cell::Count(_) | Cell::Share(_) => {
                    face.width(&document.cell_text(cell), 1.0)?
                }
            };
            *widest = widest.max(width);
        }
    }
    let insets = insets(&table.columns);
    for size in TABLE_SIZES {
        let needed = |(width, inset): (&f32, &f32)| width * size + CELL_PADDING + inset;
        let natural: Vec<f32> = per_em.iter().zip(&insets).map(needed).collect();
        if let Some(widths) = share_out(&table.columns, &natural, size) {
            return Ok(Grid { size, widths, insets });
        }
    }
    let size = TABLE_SIZES.last().copied().unwrap_or(6.0);
    let total: f32 = per_em.iter().sum();
    Ok(Grid { size, widths: per_em.iter().map(|width| width / total * WIDTH).collect(), insets })
}

/// Figures that stand at the end of their column would touch words that begin the next one: they get more room.
fn insets(columns: &[Column]) -> Vec<f32> {
    let next = columns.iter().skip(1).map(Some).chain([None]);
    let meets_words = |(column, next): (&Column, Option<&Column>)| {
        column.align == Align::End && next.is_some_and(|next| next.align == Align::Start)
    };
    let inset = |meets| if meets { CELL_PADDING + 7.0 } else { CELL_PADDING };
    columns.iter().zip(next).map(meets_words).map(inset).collect()
}

/// Shares the width of the page out; `None` where the columns that do not break leave too little for the words.
fn share_out(columns: &[Column], natural: &[f32], size: f32) -> Option<Vec<f32>> {
    let total: f32 = natural.iter().sum();
    if total <= WIDTH {
        let weights: f32 = columns.iter().map(|column| f32::from(column.weight)).sum();
        let (left, even) = (WIDTH - total, points(columns.len()));
        let grow = |(column, natural): (&Column, &f32)| {
            let by_weight = if weights > 0.0 { f32::from(column.weight) / weights } else { 1.0 / even };
            natural + left * (0.5 * by_weight + 0.5 / even)
        };
        return Some(columns.iter().zip(natural).map(grow).collect());
    }
    let fixed: f32 = columns.iter().zip(natural).filter(|(column, _)| column.weight == 0).map(|(_, width)| width).sum();
    let words = || columns.iter().zip(natural).filter(|(column, _)| column.weight > 0);
    let least = words().map(|(_, width)| width.min(size * 7.0)).sum::<f32>();
    if words().next().is_none() || WIDTH - fixed < least {
        return None;
    }
    // Columns that need less than their part give the rest to the others, until nothing changes.
    let mut widths: Vec<f32> = natural.to_vec();
    let mut open: Vec<usize> =
        (0..columns.len()).filter(|place| columns.get(*place).is_some_and(|c| c.weight > 0)).collect();
    let mut room = WIDTH - fixed;
    loop {
        let weights: f32 = open.iter().filter_map(|place| columns.get(*place)).map(|c| f32::from(c.weight)).sum();
        let part = |place: usize| columns.get(place).map_or(0.0, |column| room * f32::from(column.weight) / weights);
        let needs = |place: usize| natural.get(place).copied().unwrap_or_default();
        let (content, hungry): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|place| needs(**place) <= part(**place));
        if content.is_empty() || hungry.is_empty() {
            let parts: Vec<(usize, f32)> = open.iter().map(|place| (*place, part(*place))).collect();
            for (place, width) in parts {
                if let Some(entry) = widths.get_mut(place) {
                    *entry = width;
                }
            }
            return Some(widths);
        }
        room -= content.iter().map(|place| needs(*place)).sum::<f32>();
        open = hungry;
    }
}

fn edge(x: f32, y: f32, text: String) -> Mark {
    Mark::Text { x, y, face: PAGE_EDGE.face, size: PAGE_EDGE.size, ink: PAGE_EDGE.ink, text }
}

/// From the top of a line to its baseline: figures and Chinese stand in the middle of it.
fn baseline(style: Style) -> f32 {
    style.leading / 2.0 + style.size * 0.37
}

fn height_of(lines: usize, style: Style) -> f32 {
    points(lines) * style.leading
}

/// A small count as a number to multiply distances with.
#[expect(clippy::as_conversions, reason = "geometry of a page: counts of lines, columns and modules")]
pub(super) const fn points(count: usize) -> f32 {
    count as f32
}
