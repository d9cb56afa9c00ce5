//! Marks on pages → PDF. The same document gives the same bytes, also twice in one process: printpdf draws the pages, then every id, date and
//! name that would come from chance or from a clock is replaced by one made of the content.

#![expect(clippy::float_arithmetic, reason = "geometry of a page, never money")]

use super::ReportError;
use super::document::Document;
use super::font::Face;
use super::layout::{Ink, Layout, Mark, PAGE_HEIGHT, PAGE_WIDTH, Role, lay_out};
use crate::values::Hash;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use lopdf::{Dictionary, Object, ObjectId, StringFormat, dictionary};
use printpdf::{
    Actions, BorderArray, Color, DictItem, FontId, FontMetrics, Line, LinePoint, LinkAnnotation, Op, PaintMode,
    ParsedFont, PdfDocument, PdfFont, PdfFontHandle, PdfFontMetricsStub, PdfPage, PdfSaveOptions, Point, Pt, Rect, Rgb,
    TextItem, TextMatrix,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// The document as a PDF file.
pub fn render(document: &Document) -> Result<Vec<u8>, ReportError> {
    let layout = lay_out(document)?;
    let mut pdf = PdfDocument::new(&document.title);
    for face in Face::ALL {
        if let Some(font) = subset(face, &layout)? {
            pdf.resources.fonts.map.insert(font_id(face), font);
        }
    }
    pdf.pages = layout.pages.iter().map(|marks| page(marks)).collect();
    let options = PdfSaveOptions { optimize: false, subset_fonts: false, secure: true, image_optimization: None };
    let mut warnings = Vec::new();
    let file = printpdf::serialize::to_lopdf_doc(&pdf, &options, &mut warnings);
    finish(file, document, &layout)
}

fn font_id(face: Face) -> FontId {
    match face {
        Face::Regular => FontId("R".into()),
        Face::Bold => FontId("B".into()),
    }
}

/// The part of a face that the pages use; `None` where they do not use it.
fn subset(face: Face, layout: &Layout) -> Result<Option<PdfFont>, ReportError> {
    let font = face.font();
    let mut used = BTreeSet::new();
    for mark in layout.pages.iter().flatten() {
        if let Mark::Text { face: of_mark, text, .. } = mark
            && *of_mark == face
        {
            used.extend(text.chars());
        }
    }
    if used.is_empty() {
        return Ok(None);
    }
    let mut remapper = subsetter::GlyphRemapper::new();
    let (mut glyphs, mut widths) = (BTreeMap::new(), BTreeMap::new());
    for character in used {
        let glyph = font.glyph(character)?;
        let id = remapper.remap(glyph.id);
        glyphs.insert(u32::from(character), id);
        widths.insert(id, glyph.advance);
    }
    let bytes = subsetter::subset(font.bytes, 0, &remapper).map_err(|error| ReportError::Pdf(error.to_string()))?;
    let name = format!("{}+{}", subset_tag(&bytes), font.name);
    let metrics = font.metrics;
    let vertical = FontMetrics { ascent: metrics.ascent, descent: metrics.descent };
    let mut parsed = ParsedFont::with_glyph_data(bytes, 0, Some(name), glyphs, widths, metrics.units_per_em, vertical);
    let [x_min, y_min, x_max, y_max] = metrics.bounds;
    parsed.pdf_font_metrics = PdfFontMetricsStub {
        units_per_em: metrics.units_per_em,
        x_min,
        y_min,
        x_max,
        y_max,
        us_weight_class: metrics.weight,
        ..PdfFontMetricsStub::default()
    };
    Ok(Some(PdfFont::new(parsed)))
}

/// Six letters from the content of a subset: ISO 32000-1 §9.6.4 wants them different for different subsets.
fn subset_tag(bytes: &[u8]) -> String {
    Hash::of(&[bytes]).0.iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}

/// Draws one page.
fn page(marks: &[Mark]) -> PdfPage {
    let mut pen = Pen { ops: Vec::with_capacity(marks.len() * 2), ..Pen::default() };
    for mark in marks {
        pen.draw(mark);
    }
    pen.leave_text();
    let whole = || Rect::from_wh(Pt(PAGE_WIDTH), Pt(PAGE_HEIGHT));
    PdfPage { media_box: whole(), trim_box: whole(), crop_box: whole(), ops: pen.ops }
}

/// Operations of a page and the state that they have left behind.
#[derive(Default)]
struct Pen {
    ops: Vec<Op>,
    in_text: bool,
    font: Option<(Face, f32)>,
    fill: Option<Ink>,
    outline: Option<Ink>,
    thickness: Option<f32>,
    marked: i64,
}

impl Pen {
    fn draw(&mut self, mark: &Mark) {
        match mark {
            Mark::Text { x, y, face, size, ink, text } => {
                if !self.in_text {
                    self.ops.push(Op::StartTextSection);
                    self.in_text = true;
                }
                self.fill(*ink);
                if self.font != Some((*face, *size)) {
                    self.font = Some((*face, *size));
                    self.ops.push(Op::SetFont { font: PdfFontHandle::External(font_id(*face)), size: Pt(*size) });
                }
                self.ops.push(Op::SetTextMatrix { matrix: TextMatrix::Translate(across(*x), up(*y)) });
                self.ops.push(Op::ShowText { items: vec![TextItem::Text(text.clone())] });
            }
            Mark::Line { points, width, ink } => {
                self.leave_text();
                if self.outline != Some(*ink) {
                    self.outline = Some(*ink);
                    self.ops.push(Op::SetOutlineColor { col: color(*ink) });
                }
                if self.thickness != Some(*width) {
                    self.thickness = Some(*width);
                    self.ops.push(Op::SetOutlineThickness { pt: Pt(*width) });
                }
                let point = |(x, y): &(f32, f32)| LinePoint { p: Point { x: across(*x), y: up(*y) }, bezier: false };
                let line = Line { points: points.iter().map(point).collect(), is_closed: false };
                self.ops.push(Op::DrawLine { line });
            }
            Mark::Fill { x, y, width, height, ink } => {
                self.leave_text();
                self.fill(*ink);
                let mut rectangle = rectangle(*x, *y, *width, *height);
                rectangle.mode = Some(PaintMode::Fill);
                self.ops.push(Op::DrawRectangle { rectangle });
            }
            Mark::Link { x, y, width, height, address } => {
                let border = Some(BorderArray::Solid([0.0, 0.0, 0.0]));
                let action = Actions::uri(address.clone());
                let link = LinkAnnotation::new(rectangle(*x, *y, *width, *height), action, border, None, None);
                self.ops.push(Op::LinkAnnotation { link });
            }
            Mark::Begin(_) => {
                self.leave_text();
                let map = BTreeMap::from([("MCID".to_owned(), DictItem::Int(self.marked))]);
                self.marked += 1;
                let properties = DictItem::Dict { map };
                self.ops.push(Op::BeginMarkedContentWithProperties { tag: "Span".into(), properties });
            }
            Mark::Artifact => {
                self.leave_text();
                self.ops.push(Op::BeginMarkedContent { tag: "Artifact".into() });
            }
            Mark::End => {
                self.leave_text();
                self.ops.push(Op::EndMarkedContent);
            }
        }
    }

    fn fill(&mut self, ink: Ink) {
        if self.fill != Some(ink) {
            self.fill = Some(ink);
            self.ops.push(Op::SetFillColor { col: color(ink) });
        }
    }

    fn leave_text(&mut self) {
        if self.in_text {
            self.in_text = false;
            self.ops.push(Op::EndTextSection);
        }
    }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Rect {
    let mut rectangle = Rect::from_wh(across(width), across(height));
    rectangle.x = across(x);
    rectangle.y = up(y + height);
    rectangle
}

/// Hundredths of a point are enough, and short to write.
fn across(x: f32) -> Pt {
    Pt((x * 100.0).round() / 100.0)
}

/// From the top of the page to its foot, as PDF counts.
fn up(y: f32) -> Pt {
    across(PAGE_HEIGHT - y)
}

fn color(ink: Ink) -> Color {
    let (r, g, b) = match ink {
        Ink::Text => (0.10, 0.11, 0.11),
        Ink::Quiet => (0.36, 0.39, 0.38),
        Ink::Accent => (0.07, 0.34, 0.24),
        Ink::Hairline => (0.80, 0.83, 0.81),
        Ink::Tint => (0.965, 0.975, 0.97),
        Ink::Pale => (0.90, 0.94, 0.92),
        Ink::Paper => (1.0, 1.0, 1.0),
    };
    Color::Rgb(Rgb { r, g, b, icc_profile: None })
}

/// What printpdf does not write, or writes by chance: ids, dates, language, structure, bookmarks, compression.
fn finish(mut file: lopdf::Document, document: &Document, layout: &Layout) -> Result<Vec<u8>, ReportError> {
    let broken = |error: lopdf::Error| ReportError::Pdf(error.to_string());
    file.version = "1.7".into();
    let id = Hash::of(&[document.number.as_bytes(), document.language.tag().as_bytes(), &document.data_hash.0]);
    let id = Object::String(id.0.get(..16).unwrap_or_default().to_vec(), StringFormat::Hexadecimal);
    file.trailer.set("ID", vec![id.clone(), id]);

    let info = file.trailer.get(b"Info").and_then(Object::as_reference).map_err(broken)?;
    file.set_object(info, info_of(document));

    let pages: Vec<ObjectId> = file.get_pages().into_values().collect();
    let outlines = outlines(&mut file, layout, &pages);
    let structure = structure(&mut file, layout, &pages);
    let catalog = file.catalog_mut().map_err(broken)?;
    catalog.set("Lang", text(document.language.tag()));
    catalog.set("ViewerPreferences", dictionary! { "DisplayDocTitle" => true });
    catalog.set("MarkInfo", dictionary! { "Marked" => true });
    catalog.set("StructTreeRoot", structure);
    if let Some(outlines) = outlines {
        catalog.set("Outlines", outlines);
        catalog.set("PageMode", Object::Name(b"UseOutlines".to_vec()));
    }
    for (place, page) in pages.iter().enumerate() {
        let page = file.get_dictionary_mut(*page).map_err(broken)?;
        page.set("StructParents", i64::try_from(place).unwrap_or(0));
        page.set("Tabs", Object::Name(b"S".to_vec()));
    }
    for object in file.objects.values_mut() {
        if let Object::Stream(stream) = object
            && stream.dict.get(b"Filter").is_err()
        {
            let mut encoder = ZlibEncoder::new(Vec::with_capacity(stream.content.len() / 2), Compression::new(6));
            encoder.write_all(&stream.content).map_err(|error| ReportError::Pdf(error.to_string()))?;
            let compressed = encoder.finish().map_err(|error| ReportError::Pdf(error.to_string()))?;
            stream.dict.set("Filter", Object::Name(b"FlateDecode".to_vec()));
            stream.set_content(compressed);
        }
    }
    let mut bytes = Vec::new();
    file.save_modern(&mut bytes).map_err(|error| ReportError::Pdf(error.to_string()))?;
    Ok(bytes)
}

fn info_of(document: &Document) -> Dictionary {
    let at: String = document.at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
    let date = Object::string_literal(format!("D:{at}Z"));
    dictionary! {
        "Title" => text(&document.title),
        "Subject" => text(&format!("{} · {}", document.number, document.subtitle)),
        "Author" => text(&document.organisation),
        "Creator" => text("Mingzhang 明账"),
        "CreationDate" => date.clone(),
        "ModDate" => date,
    }
}

/// One bookmark per section, in the order of the document.
fn outlines(file: &mut lopdf::Document, layout: &Layout, pages: &[ObjectId]) -> Option<ObjectId> {
    let items: Vec<ObjectId> = layout.outline.iter().map(|_| file.new_object_id()).collect();
    let (first, last) = (*items.first()?, *items.last()?);
    let root = file.new_object_id();
    for (place, (item, id)) in layout.outline.iter().zip(&items).enumerate() {
        let page = pages.get(item.page)?;
        let top = Object::Real(up(item.y - 8.0).0);
        let destination =
            vec![Object::Reference(*page), Object::Name(b"XYZ".to_vec()), Object::Null, top, Object::Null];
        let mut entry = dictionary! { "Title" => text(&item.title), "Parent" => root, "Dest" => destination };
        if let Some(before) = place.checked_sub(1).and_then(|place| items.get(place)) {
            entry.set("Prev", *before);
        }
        if let Some(after) = items.get(place + 1) {
            entry.set("Next", *after);
        }
        file.set_object(*id, entry);
    }
    let count = i64::try_from(items.len()).unwrap_or(0);
    file.set_object(root, dictionary! { "Type" => "Outlines", "First" => first, "Last" => last, "Count" => count });
    Some(root)
}

/// The structure tree, ISO 32000-1 §14.7: what is a heading, a table, a row, a figure with words in its place.
fn structure(file: &mut lopdf::Document, layout: &Layout, pages: &[ObjectId]) -> ObjectId {
    let root = file.new_object_id();
    let whole = file.new_object_id();
    let ids: Vec<ObjectId> = layout.elements.iter().map(|_| file.new_object_id()).collect();
    let mut kids: BTreeMap<Option<usize>, Vec<Object>> = BTreeMap::new();
    for (element, id) in layout.elements.iter().zip(&ids) {
        kids.entry(element.parent).or_default().push(Object::Reference(*id));
    }
    let mut parents = Vec::new();
    for (place, (marks, page)) in layout.pages.iter().zip(pages).enumerate() {
        let begun = marks.iter().filter_map(|mark| match mark {
            Mark::Begin(element) => Some(*element),
            Mark::Text { .. }
            | Mark::Line { .. }
            | Mark::Fill { .. }
            | Mark::Link { .. }
            | Mark::Artifact
            | Mark::End => None,
        });
        let mut of_page = Vec::new();
        for (marked, element) in (0_i64..).zip(begun) {
            of_page.push(ids.get(element).map_or(Object::Null, |id| Object::Reference(*id)));
            let content = dictionary! { "Type" => "MCR", "Pg" => *page, "MCID" => marked };
            kids.entry(Some(element)).or_default().push(content.into());
        }
        parents.push(Object::Integer(i64::try_from(place).unwrap_or(0)));
        parents.push(of_page.into());
    }
    for (place, (element, id)) in layout.elements.iter().zip(&ids).enumerate() {
        let parent = element.parent.and_then(|parent| ids.get(parent)).copied().unwrap_or(whole);
        let content = kids.remove(&Some(place)).unwrap_or_default();
        let mut entry = dictionary! { "S" => role_name(element.role), "P" => parent, "K" => content };
        if let Some(alternative) = &element.alternative {
            entry.set("Alt", text(alternative));
        }
        file.set_object(*id, entry);
    }
    let top = kids.remove(&None).unwrap_or_default();
    file.set_object(whole, dictionary! { "S" => "Document", "P" => root, "K" => top });
    let numbers = file.add_object(dictionary! { "Nums" => parents });
    let next = i64::try_from(pages.len()).unwrap_or(0);
    let tree =
        dictionary! { "Type" => "StructTreeRoot", "K" => whole, "ParentTree" => numbers, "ParentTreeNextKey" => next };
    file.set_object(root, tree);
    root
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Title => "H1",
        Role::Heading => "H2",
        Role::Subheading => "H3",
        Role::Paragraph => "P",
        Role::Table => "Table",
        Role::Row => "TR",
        Role::Head => "TH",
        Role::Data => "TD",
        Role::Caption => "Caption",
        Role::Figure => "Figure",
    }
}

/// A text string: UTF-16 with a mark in front, ISO 32000-1 §7.9.2.2.
fn text(text: &str) -> Object {
    let mut bytes = vec![0xfe, 0xff];
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    Object::String(bytes, StringFormat::Literal)
}
