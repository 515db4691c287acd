//! A walk over Thrift's compact form, which holds the structure of a Parquet file.
//!
//! The reader of the library recurses and makes room for what these numbers promise, so they are looked at first.
//! Source of the form: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.

/// The deepest nesting: the format's own needs seven.
const DEPTH: usize = 16;

/// What stands at a place of the structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A number, or a boolean as 0 or 1.
    Number(i64),
    /// A list of so many elements, which follow.
    List(usize),
}

/// A place: numbers of fields, and of elements where there is a list.
pub(super) type Place<'p> = &'p [usize];

/// Walks over one struct at the front of the bytes and gives how many it takes; `None`: it is none.
pub(super) fn walk(bytes: &[u8], on: &mut dyn FnMut(Place<'_>, Item)) -> Option<usize> {
    let mut walk = Walk { bytes, at: 0, place: Vec::new(), on };
    walk.fields()?;
    Some(walk.at)
}

struct Walk<'w> {
    bytes: &'w [u8],
    at: usize,
    place: Vec<usize>,
    on: &'w mut dyn FnMut(Place<'_>, Item),
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn pass(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn length(&mut self) -> Option<usize> {
        // As many as there are bytes left, at most: whatever has a length has that many bytes or elements.
        usize::try_from(self.unsigned()?).ok().filter(|length| *length <= self.bytes.len() - self.at)
    }

    fn tell(&mut self, item: Item) {
        (self.on)(&self.place, item);
    }

    /// Walks over one value in a place of its own.
    fn inside(&mut self, place: usize, kind: u8, in_list: bool) -> Option<()> {
        if self.place.len() == DEPTH {
            return None;
        }
        self.place.push(place);
        let walked = self.value(kind, in_list);
        self.place.pop();
        walked
    }

    fn fields(&mut self) -> Option<()> {
        let mut last = 0_usize;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            let id = match head >> 4 {
                0 => usize::try_from(self.signed()?).ok()?,
                more => last + usize::from(more),
            };
            // Fields stand in order, each once: two readers cannot take different ones.
            if id <= last && last != 0 {
                return None;
            }
            last = id;
            self.inside(id, head & 0x0f, false)?;
        }
    }

    fn value(&mut self, kind: u8, in_list: bool) -> Option<()> {
        match kind {
            // Within a list a boolean is a byte; as a field it is the kind itself.
            1 | 2 if in_list => self.pass(1),
            1 | 2 => {
                self.tell(Item::Number(i64::from(kind == 1)));
                Some(())
            }
            3 => self.pass(1),
            4..=6 => {
                let number = self.signed()?;
                self.tell(Item::Number(number));
                Some(())
            }
            7 => self.pass(8),
            8 => {
                let length = self.length()?;
                self.pass(length)
            }
            9 | 10 => self.list(),
            12 => self.fields(),
            // Maps and identifiers do not occur in the format.
            _ => None,
        }
    }

    fn list(&mut self) -> Option<()> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.length()?,
            few => usize::from(few),
        };
        self.tell(Item::List(count));
        (0..count).try_for_each(|index| self.inside(index, head & 0x0f, true))
    }
}
