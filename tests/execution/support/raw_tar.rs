//! Tars made by hand, so that they can lie.

/// One header, and what follows it.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) name: Vec<u8>,
    pub(crate) ty: u8,
    pub(crate) mode: u32,
    /// The field of the size; `None`: the length of the content.
    pub(crate) size: Option<Vec<u8>>,
    pub(crate) link: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) gnu: bool,
}

impl Raw {
    pub(crate) fn new(ty: u8, name: impl AsRef<[u8]>) -> Self {
        let (name, link, content) = (name.as_ref().to_vec(), Vec::new(), Vec::new());
        Self { name, ty, mode: 0o644, size: None, link, content, gnu: false }
    }

    pub(crate) fn file(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        Self { content: content.as_ref().to_vec(), ..Self::new(b'0', name) }
    }

    pub(crate) fn link(ty: u8, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self { link: target.as_ref().to_vec(), ..Self::new(ty, name) }
    }

    pub(crate) fn directory(name: &str) -> Self {
        Self { mode: 0o755, ..Self::new(b'5', name) }
    }

    /// An extended header of these keys and values.
    pub(crate) fn pax(ty: u8, records: &[(&str, &str)]) -> Self {
        let record = |(key, value): &(&str, &str)| {
            let rest = key.len() + value.len() + 3;
            let length = (rest..).find(|length| length.to_string().len() + rest == *length).unwrap();
            format!("{length} {key}={value}\n")
        };
        Self { content: records.iter().map(record).collect::<String>().into_bytes(), ..Self::new(ty, "pax") }
    }

    /// A GNU header of a long name (`L`) or a long link (`K`).
    pub(crate) fn long(ty: u8, name: impl AsRef<[u8]>) -> Self {
        let content = [name.as_ref(), b"\0"].concat();
        Self { content, gnu: true, ..Self::new(ty, "././@LongLink") }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut block = [0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name[..self.name.len().min(100)]);
        put(100, format!("{:07o}", self.mode).as_bytes());
        put(108, b"0001750");
        put(116, b"0001750");
        let size = self.size.clone().unwrap_or_else(|| format!("{:011o}", self.content.len()).into_bytes());
        put(124, &size[..size.len().min(12)]);
        put(136, b"14000000000");
        put(148, b"        ");
        put(156, &[self.ty]);
        put(157, &self.link[..self.link.len().min(100)]);
        put(257, if self.gnu { b"ustar  \0" } else { b"ustar\x0000" });
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = [&block[..], &self.content].concat();
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

/// Puts headers together, with the end of a tar behind them.
pub(crate) fn tar(members: &[Raw]) -> Vec<u8> {
    let mut bytes: Vec<u8> = members.iter().flat_map(Raw::bytes).collect();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}
