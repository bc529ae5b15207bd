//! Reads the first sheet of an Excel workbook (ECMA-376). The text of a number is what its cell
//! displays; if that differs from the stored value, the cell is refused.

use std::{collections::HashMap, rc::Rc};

use quick_xml::events::{BytesStart, Event};

use super::{
    LACKS_DIGITS, MOST_TEXT, Permit, SheetError, Table, lacks_digits, malformed,
    number_format::NumberFormat,
    package::{Next, Package, add_text, attribute},
};

/// The memory overhead of a shared text in bytes.
const SHARED: usize = 48;
/// The maximum number of number formats of a workbook.
const MOST_FORMATS: usize = 65_536;

/// Reads the first sheet.
pub(super) fn read(file: &[u8]) -> Result<Table, SheetError> {
    let mut package = Package::open(file)?;
    let (sheet, is_1904) = first_sheet(&mut package)?;
    let formats = formats(&mut package)?;
    let shared = shared_texts(&mut package)?;
    let context = Context { formats, shared, is_1904 };
    let mut cells = Cells { context, table: Table::default(), row: 0, column: 0, cell: None };
    let is_there = package.read(&sheet, |event| cells.event(&event))?;
    if !is_there {
        return Err(malformed("its first sheet is missing"));
    }
    cells.table.rows.sort_by_key(|row| row.number);
    if cells.table.rows.windows(2).any(|two| two[0].number == two[1].number) {
        return Err(malformed("a row is duplicated"));
    }
    Ok(cells.table)
}

/// The name of the file with the first sheet, and whether days are counted from 1904.
fn first_sheet(package: &mut Package<'_>) -> Result<(String, bool), SheetError> {
    let (mut link, mut is_1904) = (None, false);
    let workbook = package.read("xl/workbook.xml", |event| {
        let Event::Start(tag) = event else { return Ok(Next::More) };
        match tag.local_name().as_ref() {
            "workbookPr" => {
                is_1904 = matches!(attribute(&tag, "date1904")?.as_deref(), Some("1" | "true"));
            }
            "sheet" => {
                link = attribute(&tag, "r:id")?;
                return Ok(Next::Enough);
            }
            _ => {}
        }
        Ok(Next::More)
    })?;
    if !workbook {
        return Err(malformed("it is not an Excel workbook"));
    }
    let mut target = None;
    package.read("xl/_rels/workbook.xml.rels", |event| {
        let Event::Start(tag) = event else { return Ok(Next::More) };
        if tag.local_name().as_ref() == "Relationship" && attribute(&tag, "Id")? == link {
            target = attribute(&tag, "Target")?;
            return Ok(Next::Enough);
        }
        Ok(Next::More)
    })?;
    let target = target.ok_or_else(|| malformed("there is no sheet in it"))?;
    let name = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("xl/{target}"),
    };
    Ok((name, is_1904))
}

/// The number format of each cell style.
fn formats(package: &mut Package<'_>) -> Result<Vec<Rc<NumberFormat>>, SheetError> {
    let mut custom: HashMap<u32, Rc<NumberFormat>> = HashMap::new();
    let mut formats = Vec::new();
    let mut is_within = false;
    package.read("xl/styles.xml", |event| {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId")?.and_then(|id| id.parse().ok());
                    let code = attribute(&tag, "formatCode")?;
                    if let (Some(id), Some(code)) = (id, code) {
                        custom.insert(id, Rc::new(NumberFormat::of(&code)));
                    }
                }
                "cellXfs" => is_within = true,
                "xf" if is_within => {
                    let id = attribute(&tag, "numFmtId")?.and_then(|id| id.parse().ok());
                    let id = id.unwrap_or(0);
                    let known = custom.get(&id).map(Rc::clone);
                    formats.push(known.unwrap_or_else(|| Rc::new(NumberFormat::built_in(id))));
                }
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => return Ok(Next::Enough),
            _ => {}
        }
        let many = formats.len() > MOST_FORMATS || custom.len() > MOST_FORMATS;
        if many { Err(SheetError::TooLarge) } else { Ok(Next::More) }
    })?;
    Ok(formats)
}

/// The shared texts, by index.
fn shared_texts(package: &mut Package<'_>) -> Result<Vec<String>, SheetError> {
    let (mut texts, mut size) = (Vec::new(), 0);
    let mut item = None;
    package.read("xl/sharedStrings.xml", |event| {
        match &event {
            Event::Start(tag) if tag.local_name().as_ref() == "si" => item = Some(Text::default()),
            Event::End(tag) if tag.local_name().as_ref() == "si" => {
                let text = item.take().map(Text::finished).unwrap_or_default();
                size += text.len() + SHARED;
                texts.push(text);
            }
            _ => {
                if let Some(item) = &mut item {
                    item.event(&event)?;
                }
            }
        }
        let held = item.as_ref().map_or(0, |item| item.said.len());
        if size + held > MOST_TEXT { Err(SheetError::TooLarge) } else { Ok(Next::More) }
    })?;
    Ok(texts)
}

/// A text, possibly of several formatted parts; phonetic parts are omitted.
#[derive(Debug, Default)]
struct Text {
    said: String,
    is_part: bool,
    is_phonetic: bool,
}

impl Text {
    fn event(&mut self, event: &Event<'_>) -> Result<(), SheetError> {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => self.is_part = true,
                "rPh" => self.is_phonetic = true,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => self.is_part = false,
                "rPh" => self.is_phonetic = false,
                _ => {}
            },
            event if self.is_part && !self.is_phonetic => add_text(event, &mut self.said)?,
            _ => {}
        }
        Ok(())
    }

    /// The text without Excel's escapes, such as `_x000D_`.
    fn finished(self) -> String {
        let (mut text, mut rest) = (String::with_capacity(self.said.len()), self.said.as_str());
        while let Some(start) = rest.find("_x") {
            let code = rest.get(start + 2..start + 6).filter(|_| rest[start..].len() > 6);
            let is_closed = rest.as_bytes().get(start + 6) == Some(&b'_');
            let letter = code
                .filter(|code| is_closed && code.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .and_then(|code| u32::from_str_radix(code, 16).ok())
                .and_then(char::from_u32);
            match letter {
                Some(letter) => {
                    text.push_str(&rest[..start]);
                    text.push(letter);
                    rest = &rest[start + 7..];
                }
                None => {
                    text.push_str(&rest[..start + 2]);
                    rest = &rest[start + 2..];
                }
            }
        }
        text.push_str(rest);
        text
    }
}

/// The tables that the cells of a sheet refer to.
struct Context {
    formats: Vec<Rc<NumberFormat>>,
    shared: Vec<String>,
    is_1904: bool,
}

struct Cells {
    context: Context,
    table: Table,
    /// The row and column of the next cell without a reference, from 0.
    row: u32,
    column: usize,
    cell: Option<Cell>,
}

/// A cell being read.
struct Cell {
    place: Permit,
    kind: String,
    style: usize,
    has_formula: bool,
    is_value: bool,
    value: Option<String>,
    inline: Text,
}

impl Cells {
    fn event(&mut self, event: &Event<'_>) -> Result<Next, SheetError> {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "row" => {
                    if let Some(number) = attribute(tag, "r")? {
                        let number: u32 = number.parse().map_err(malformed)?;
                        self.row = number.checked_sub(1).ok_or_else(|| misplaced("row 0"))?;
                    }
                    self.column = 0;
                }
                "c" => self.cell = Some(self.begun(tag)?),
                "v" => {
                    if let Some(cell) = &mut self.cell {
                        cell.is_value = true;
                        cell.value = Some(String::new());
                    }
                }
                "f" => {
                    if let Some(cell) = &mut self.cell {
                        cell.has_formula = true;
                    }
                }
                _ => self.within(event)?,
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "row" => self.row = self.row.saturating_add(1),
                "v" => {
                    if let Some(cell) = &mut self.cell {
                        cell.is_value = false;
                    }
                }
                "c" => {
                    if let Some(cell) = self.cell.take() {
                        self.end(cell)?;
                    }
                }
                "sheetData" => return Ok(Next::Enough),
                _ => self.within(event)?,
            },
            _ => self.within(event)?,
        }
        Ok(Next::More)
    }

    fn within(&mut self, event: &Event<'_>) -> Result<(), SheetError> {
        match &mut self.cell {
            Some(Cell { is_value: true, value: Some(value), .. }) => add_text(event, value),
            Some(cell) => cell.inline.event(event),
            None => Ok(()),
        }
    }

    fn begun(&mut self, tag: &BytesStart<'_>) -> Result<Cell, SheetError> {
        let (row, column) = match attribute(tag, "r")? {
            Some(name) => place_of(&name).ok_or_else(|| misplaced(&name))?,
            None => (self.row, self.column),
        };
        self.column = column + 1;
        let style = attribute(tag, "s")?.map(|style| style.parse().map_err(malformed));
        Ok(Cell {
            place: Permit { row: row.saturating_add(1), column },
            kind: attribute(tag, "t")?.unwrap_or_default(),
            style: style.transpose()?.unwrap_or(0),
            has_formula: false,
            is_value: false,
            value: None,
            inline: Text::default(),
        })
    }

    fn end(&mut self, cell: Cell) -> Result<(), SheetError> {
        let place = cell.place;
        // A cell outside the limits is refused before memory is allocated.
        match self.context.text(cell) {
            Ok(text) if text.is_empty() => Ok(()),
            Ok(text) if lacks_digits(&text) => self.table.doubt(place, LACKS_DIGITS),
            Ok(text) => self.table.put(place, text),
            Err(Fault::Doubt(reason)) => self.table.doubt(place, reason),
            Err(Fault::Malformed(reason)) => Err(malformed(reason)),
        }
    }
}

/// Why a cell has no text.
enum Fault {
    Doubt(&'static str),
    Malformed(&'static str),
}

impl Context {
    /// The displayed text of a cell.
    fn text(&self, cell: Cell) -> Result<String, Fault> {
        let Cell { kind, style, has_formula, value, inline, .. } = cell;
        if has_formula && value.as_deref().is_none_or(str::is_empty) && kind != "str" {
            return Err(Fault::Doubt("a formula whose result the file does not hold"));
        }
        match kind.as_str() {
            "s" => {
                let index = value.as_deref().unwrap_or_default().trim().parse::<usize>();
                let text = index.ok().and_then(|index| self.shared.get(index));
                text.cloned().ok_or(Fault::Malformed("a cell refers to a missing text"))
            }
            "inlineStr" => Ok(inline.finished()),
            "str" => Ok(Text { said: value.unwrap_or_default(), ..Text::default() }.finished()),
            "b" => match value.as_deref().map(str::trim) {
                Some("1") => Ok("true".to_owned()),
                Some("0") => Ok("false".to_owned()),
                _ => Err(Fault::Malformed("a truth value is neither 0 nor 1")),
            },
            "e" => Err(Fault::Doubt("an error of a formula, such as #REF!")),
            "d" => Ok(value.unwrap_or_default().trim_end_matches("T00:00:00").to_owned()),
            "" | "n" => match value.as_deref().map(str::trim) {
                None | Some("") => Ok(String::new()),
                Some(number) => {
                    let general = NumberFormat::built_in(0);
                    let format = match self.formats.get(style) {
                        Some(format) => format,
                        None if style == 0 => &general,
                        None => return Err(Fault::Doubt("a style that the file does not hold")),
                    };
                    format.shown(number, self.is_1904).map_err(Fault::Doubt)
                }
            },
            _ => Err(Fault::Malformed("a cell of an unknown kind")),
        }
    }
}

/// The row and column of a reference such as `B7`, from 0.
fn place_of(name: &str) -> Option<(u32, usize)> {
    let letters = name.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, digits) = name.split_at(letters);
    if !(1..=3).contains(&letters.len()) || digits.len() > 7 {
        return None;
    }
    let column = letters.bytes().try_fold(0, |column, letter| {
        let value = letter.to_ascii_uppercase().checked_sub(b'A').filter(|value| *value < 26)?;
        Some(column * 26 + usize::from(value) + 1)
    })?;
    let row: u32 =
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some((row.checked_sub(1)?, column - 1))
}

fn misplaced(place: &str) -> SheetError {
    malformed(format!("a cell has an invalid reference: {place}"))
}
