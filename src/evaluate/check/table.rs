//! `csv`: the same table, by RFC 4180. Rows, and with a header columns, may stand in any order.

use super::tree::{MAX_CELLS, Mask, Node, Rules, map_of};
use super::{Mismatch, excerpt, float};

/// How tables are compared.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) rules: Rules,
    pub(super) delimiter: u8,
    /// Whether the first row names the columns.
    pub(super) header: bool,
    /// The columns that are not looked at.
    pub(super) masks: Vec<Mask>,
}

/// What keeps a text from being a table.
struct Fault {
    message: String,
    /// The row, from 1, the header counted.
    row: u64,
}

impl Table {
    /// Says why a text cannot be what is expected.
    pub(super) fn fault_of(&self, expected: &[u8]) -> Option<String> {
        self.read(expected).err().map(|fault| format!("{}, in row {}", fault.message, fault.row))
    }

    pub(super) fn compare(&self, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
        let come = self.read(actual).map_err(|fault| Mismatch::new(fault.message).at(format!("row {}", fault.row)))?;
        let changed = |_| Mismatch::new("cannot be compared: what is expected changed");
        let want = self.read(expected).map_err(changed)?;
        let first = if self.header { 2 } else { 1 };
        self.columns(&want, &come)?;
        self.rules.compare(&Node::List(want), &Node::List(come)).map_err(|found| {
            let (row, cell) = found.row_and_cell();
            let mut mismatch = Mismatch::from(found);
            mismatch.at = match (row, cell) {
                (Some(row), Some(cell)) => format!("row {}, column {cell}", row + first),
                (Some(row), None) => format!("row {}", row + first),
                (None, _) => String::new(),
            };
            mismatch.message =
                mismatch.message.replace("items", "rows").replace("item", "row").replace("a key", "a column");
            mismatch
        })
    }

    /// Compares the names of the columns, so that no row has to tell it.
    fn columns(&self, want: &[Node], come: &[Node]) -> Result<(), Mismatch> {
        let (Some(Node::Map(want)), Some(Node::Map(come))) = (want.first(), come.first()) else { return Ok(()) };
        let names = |entries: &[(Box<str>, Node)]| entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let (want, come) = (names(want), names(come));
        if want == come {
            return Ok(());
        }
        let listed = |names: &[Box<str>]| excerpt::begin(names.join(",").as_bytes());
        Err(Mismatch::new("has other columns").at("row 1").showing(listed(&want), listed(&come)))
    }

    fn read(&self, text: &[u8]) -> Result<Vec<Node>, Fault> {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.delimiter(self.delimiter).has_headers(false).flexible(true).from_reader(text);
        let mut record = csv::ByteRecord::new();
        let mut names: Option<Vec<Box<str>>> = None;
        let (mut rows, mut row, mut left) = (Vec::new(), 0, MAX_CELLS);
        loop {
            let fault = |message: String| Fault { message, row: row + 1 };
            // Reading from memory does not fail, and a flexible reader takes every row.
            if !reader.read_byte_record(&mut record).map_err(|error| fault(error.to_string()))? {
                return Ok(rows);
            }
            left = left.checked_sub(record.len()).ok_or_else(|| fault(format!("has more than {MAX_CELLS} cells")))?;
            if self.header && names.is_none() {
                let name = |name| std::str::from_utf8(name).map(Box::from);
                let read = record.iter().map(name).collect::<Result<Vec<Box<str>>, _>>();
                names = Some(read.map_err(|_| fault("has a name that is not UTF-8".to_owned()))?);
            } else {
                rows.push(self.row(&record, names.as_deref()).map_err(fault)?);
            }
            row += 1;
        }
    }

    fn row(&self, record: &csv::ByteRecord, names: Option<&[Box<str>]>) -> Result<Node, String> {
        let cells = record.iter().map(|cell| self.cell(cell));
        let Some(names) = names else { return Ok(Node::List(cells.collect::<Result<_, _>>()?)) };
        if names.len() != record.len() {
            return Err(format!("has {} cells under {} names of columns", record.len(), names.len()));
        }
        let entries = names.iter().cloned().zip(cells).map(|(name, cell)| Ok((name, cell?)));
        let mut row = map_of(entries.collect::<Result<_, String>>()?)
            .map_err(|name| format!("has two columns `{}`", excerpt::begin(name.as_bytes())))?;
        self.masks.iter().for_each(|mask| mask.apply(&mut row));
        Ok(row)
    }

    /// Makes a cell a number where numbers may be off; else it is a text.
    fn cell(&self, cell: &[u8]) -> Result<Node, String> {
        let text = std::str::from_utf8(cell).map_err(|_| "has a cell that is not UTF-8".to_owned())?;
        let is_number = self.rules.tolerances.is_some() && float::read(cell).is_some();
        Ok(if is_number { Node::Number(text.into()) } else { Node::Text(text.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tolerances;
    use super::super::tree::Order;
    use super::*;
    use proptest::prelude::*;

    fn table() -> Table {
        Table { rules: Rules::default(), delimiter: b',', header: false, masks: Vec::new() }
    }

    fn find(table: &Table, expected: &str, actual: &str) -> Result<(), (String, String)> {
        table.compare(expected.as_bytes(), actual.as_bytes()).map_err(|found| (found.at, found.message))
    }

    fn told(at: &str, message: &str) -> Result<(), (String, String)> {
        Err((at.to_owned(), message.to_owned()))
    }

    #[test]
    fn cells_count_and_not_how_they_are_written() {
        assert_eq!(find(&table(), "a,b\n1,2\n", "\"a\",b\r\n1,\"2\""), Ok(()));
        assert_eq!(find(&table(), "\"a,\nb\"\n", "\"a,\nb\""), Ok(()));
        assert_eq!(find(&table(), "a,b\n1,2\n", "a,b\n1,3"), told("row 2, column 2", "is not what was expected"));
        assert_eq!(find(&table(), "a\nb\n", "a"), told("", "ends after 1 rows, too early"));
        assert_eq!(find(&table(), "a,b\n", "a"), told("row 1", "ends after 1 rows, too early"));
        assert_eq!(find(&table(), "1", "1.0"), told("row 1, column 1", "is not what was expected"));
    }

    #[test]
    fn a_header_names_the_columns() {
        let table = Table { header: true, ..table() };
        assert_eq!(find(&table, "x,y\n1,2\n", "y,x\n2,1\n"), Ok(()));
        assert_eq!(find(&table, "x,y\n1,2\n", "y,x\n2,7\n"), told("row 2, column x", "is not what was expected"));
        assert_eq!(find(&table, "x,y\n1,2\n", "x,z\n1,2\n"), told("row 1", "has other columns"));
        assert_eq!(find(&table, "x\n1\n", "x\n1,2\n"), told("row 2", "has 2 cells under 1 names of columns"));
        assert_eq!(find(&table, "x\n1\n", "x,x\n1,2\n"), told("row 2", "has two columns `x`"));
        let masked = Table { masks: vec![Mask::read("[\"t\"]").unwrap()], ..table };
        assert_eq!(find(&masked, "x,t\n1,2\n", "x,t\n1,9\n"), Ok(()));
    }

    #[test]
    fn rows_may_stand_in_any_order_and_numbers_be_off() {
        let rules = Rules { order: Order::Ignored, ..Rules::default() };
        assert_eq!(find(&Table { rules, ..table() }, "a,1\nb,2\n", "b,2\na,1\n"), Ok(()));
        assert!(find(&Table { rules, ..table() }, "a,1\nb,2\n", "b,2\nb,2\n").is_err());
        let tolerances = Some(Tolerances { relative: 0.0, absolute: 0.1 });
        let near = Table { rules: Rules { tolerances, ..rules }, header: true, ..table() };
        assert_eq!(find(&near, "n,v\na,1.0\nb,2.0\n", "n,v\nb,2.05\na,0.95\n"), Ok(()));
        assert!(find(&near, "n,v\na,1.0\nb,2.0\n", "n,v\nb,2.5\na,1\n").is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_not_the_same() {
        let told = table().compare(b"a", b"\xff").unwrap_err();
        assert_eq!((told.at.as_str(), told.message.as_str()), ("row 1", "has a cell that is not UTF-8"));
        assert!(table().fault_of(b"a\n\xff").unwrap().ends_with("in row 2"));
        assert!(Table { header: true, ..table() }.fault_of(b"\xff\n").is_some());
    }

    proptest! {
        #[test]
        fn no_text_panics(a in "[a1,\"\n ]{0,20}", b in "[a1,\"\n ]{0,20}") {
            for header in [false, true] {
                let table = Table { header, ..table() };
                prop_assert!(table.fault_of(a.as_bytes()).is_some() || find(&table, &a, &a).is_ok());
                let _ = find(&table, &a, &b);
            }
        }
    }
}
