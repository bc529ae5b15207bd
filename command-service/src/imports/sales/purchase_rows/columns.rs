//! Which column says what: by the names in a header, else by what most of its cells look like.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use domain::Gtin;
use service_kit::{problem::Problem, sheet::RawRow};

use crate::app::sales::purchase_rows::{is_packaging, quantity_of};

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Sku,
    Gtin,
    Code,
    Identifier,
    Quantity,
    Packaging,
    Note,
}

/// The columns of a table that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) roles: BTreeMap<usize, Role>,
    pub(super) has_header: bool,
    /// How many cells a row may have, where no header says what further ones are.
    pub(super) most_cells: Option<usize>,
}

/// How many rows are looked at.
const SAMPLE: usize = 500;
/// How many columns are looked at.
const MOST_COLUMNS: usize = 200;

impl Columns {
    pub(super) fn of(table: &[RawRow]) -> Result<Self, Problem> {
        match table.first().and_then(header) {
            Some(named) => Self::completed(named, table.get(1..).unwrap_or_default()),
            None => Self::guessed(table),
        }
    }

    /// What a header names, and where it does not name the product or the quantity, what the cells
    /// look like.
    fn completed(named: BTreeMap<usize, Role>, rows: &[RawRow]) -> Result<Self, Problem> {
        let has_name = named.values().any(|role| role.is_name());
        let has_quantity = named.values().any(|role| *role == Role::Quantity);
        let mut roles = named;
        if !has_name || !has_quantity {
            let seen = Seen::of(rows);
            let free = |place: &usize| !roles.contains_key(place);
            let quantity = seen.numbers().into_iter().filter(free).collect::<Vec<_>>();
            let names = seen.names().into_iter().filter(free).collect::<Vec<_>>();
            let missing = |what: &str| {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "rows.column_missing")
                    .detail(format!("no column of the header is {what}"))
            };
            if !has_quantity {
                let [quantity] = quantity[..] else { return Err(missing("the quantity")) };
                roles.insert(quantity, Role::Quantity);
            }
            if !has_name {
                let name = names.into_iter().find(|place| !roles.contains_key(place));
                let name = name.ok_or_else(|| missing("the product"))?;
                roles.insert(name, Role::Identifier);
            }
        }
        Ok(Self { roles, has_header: true, most_cells: None })
    }

    fn guessed(rows: &[RawRow]) -> Result<Self, Problem> {
        let seen = Seen::of(rows);
        let unclear = || {
            let detail = "it is not clear which column is the quantity: name the columns in a \
                          header, such as SKU and quantity";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "rows.columns_unclear").detail(detail)
        };
        let (numbers, names) = (seen.numbers(), seen.names());
        let (name, quantity) = match (&names[..], &numbers[..]) {
            ([name, ..], [quantity]) => (*name, Some(*quantity)),
            // Codes of digits: the shorter numbers are the quantities.
            ([], [first, second]) => match seen.length(*first).cmp(&seen.length(*second)) {
                std::cmp::Ordering::Less => (*second, Some(*first)),
                std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => (*first, Some(*second)),
            },
            // Each row is refused for what it lacks.
            ([name, ..], []) | ([], [name]) => (*name, None),
            ([], []) => (0, None),
            (_, [_, _, ..]) => return Err(unclear()),
        };
        let mut roles = BTreeMap::from([(name, Role::Identifier)]);
        roles.extend(quantity.map(|place| (place, Role::Quantity)));
        let packaging = seen.packagings().into_iter().find(|place| !roles.contains_key(place));
        roles.extend(packaging.map(|place| (place, Role::Packaging)));
        // A row with more numbers than the others may be one whose thousands stand apart.
        let most_cells = (seen.width <= 3).then_some(roles.len());
        Ok(Self { roles, has_header: false, most_cells })
    }
}

impl Role {
    const fn is_name(self) -> bool {
        match self {
            Self::Sku | Self::Gtin | Self::Code | Self::Identifier => true,
            Self::Quantity | Self::Packaging | Self::Note => false,
        }
    }
}

/// The columns that a header names; `None` where a row names none, or has a quantity in it.
fn header(row: &RawRow) -> Option<BTreeMap<usize, Role>> {
    let mut roles: BTreeMap<usize, Role> = BTreeMap::new();
    for (place, cell) in row.cells.iter().enumerate().take(MOST_COLUMNS) {
        if quantity_of(cell).is_ok() {
            return None;
        }
        // Of two columns of one name the first counts.
        if let Some(role) = role_of(cell)
            && !roles.values().any(|known| *known == role)
        {
            roles.insert(place, role);
        }
    }
    (!roles.is_empty()).then_some(roles)
}

/// What a name in a header means, in Polish or English.
fn role_of(name: &str) -> Option<Role> {
    let name = folded(name);
    Some(match name.as_str() {
        "sku" | "indeks" | "index" | "symbol" | "symbol towaru" | "kod towaru" | "kod produktu"
        | "nr katalogowy" | "numer katalogowy" | "nr artykulu" | "product code" | "item code"
        | "item no" | "item number" | "article" | "article no" | "article number"
        | "part number" | "indeks towaru" | "kod sprzedawcy" => Role::Sku,
        "gtin" | "ean" | "ean13" | "ean 13" | "ean-13" | "kod ean" | "kod kreskowy" | "barcode"
        | "bar code" => Role::Gtin,
        "kod wlasny" | "twoj kod" | "nasz kod" | "kod klienta" | "kod odbiorcy" | "own code"
        | "your code" | "our code" | "customer code" | "buyer code" => Role::Code,
        "kod" | "code" | "produkt" | "product" | "towar" | "artykul" | "item" | "id"
        | "identyfikator" | "identifier" => Role::Identifier,
        "ilosc" | "ilosc szt" | "szt" | "sztuk" | "liczba" | "liczba sztuk" | "qty"
        | "quantity" | "pcs" | "zamowienie" | "zamawiana ilosc" | "ilosc zamowiona"
        | "order qty" => Role::Quantity,
        "opakowanie" | "jednostka" | "jednostka miary" | "jm" | "j m" | "jedn" | "unit"
        | "packaging" | "uom" => Role::Packaging,
        "uwagi" | "uwaga" | "notatka" | "komentarz" | "note" | "notes" | "comment" | "remarks" => {
            Role::Note
        }
        _ => return None,
    })
}

/// A name in lower case, without Polish diacritics and without what separates its words.
fn folded(name: &str) -> String {
    let lower = name.to_lowercase();
    let letters = lower.chars().map(|letter| match letter {
        'ą' => 'a',
        'ć' => 'c',
        'ę' => 'e',
        'ł' => 'l',
        'ń' => 'n',
        'ó' => 'o',
        'ś' => 's',
        'ź' | 'ż' => 'z',
        '-' => '-',
        letter if letter.is_alphanumeric() => letter,
        _ => ' ',
    });
    let folded: String = letters.collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the cells of columns look like.
struct Seen {
    columns: Vec<Column>,
    /// The most cells of a row.
    width: usize,
    rows: usize,
}

#[derive(Default)]
struct Column {
    filled: usize,
    quantities: usize,
    packagings: usize,
    gtins: usize,
    spaced: usize,
    letters: usize,
}

impl Seen {
    fn of(rows: &[RawRow]) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        let mut width = 0;
        for row in rows.iter().take(SAMPLE) {
            width = width.max(row.cells.len());
            for (place, cell) in row.cells.iter().enumerate().take(MOST_COLUMNS) {
                if columns.len() <= place {
                    columns.resize_with(place + 1, Column::default);
                }
                if !cell.is_empty() {
                    columns[place].count(cell);
                }
            }
        }
        Self { columns, width, rows: rows.len().min(SAMPLE) }
    }

    fn places(&self, is: impl Fn(&Column) -> bool) -> Vec<usize> {
        let filled = self.columns.iter().enumerate().filter(|(_, column)| column.filled > 0);
        filled.filter(|(_, column)| is(column)).map(|(place, _)| place).collect()
    }

    /// Columns of quantities, filled in most rows; bar codes are none.
    fn numbers(&self) -> Vec<usize> {
        self.places(|column| column.is_quantity() && column.filled * 2 > self.rows)
    }

    fn packagings(&self) -> Vec<usize> {
        self.places(Column::is_packaging)
    }

    /// Columns that may name products: those without spaces in their cells before words.
    fn names(&self) -> Vec<usize> {
        let mut names = self.places(|column| !column.is_quantity() && !column.is_packaging());
        names.sort_by_key(|place| self.columns[*place].is_spaced());
        names
    }

    fn length(&self, place: usize) -> usize {
        self.columns[place].letters
    }
}

impl Column {
    fn count(&mut self, cell: &str) {
        self.filled += 1;
        self.quantities += usize::from(quantity_of(cell).is_ok());
        self.packagings += usize::from(is_packaging(cell));
        self.gtins += usize::from(cell.len() >= 8 && cell.parse::<Gtin>().is_ok());
        self.spaced += usize::from(cell.contains(char::is_whitespace));
        self.letters += cell.chars().count();
    }

    fn is_quantity(&self) -> bool {
        self.quantities * 2 > self.filled && self.gtins * 2 <= self.filled
    }

    fn is_packaging(&self) -> bool {
        self.packagings * 2 > self.filled
    }

    fn is_spaced(&self) -> bool {
        self.spaced * 2 > self.filled
    }
}
