//! Where the bytes of a case come from: the case file itself, or a file beside it that is read when it is needed.

use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;

use crate::error::{ErrorKind, ExecutionError};

/// The most bytes that one input or one expected output may have.
pub const MAX_DATA: u64 = 256 << 20;

/// Bytes of a case: an input, or what is expected.
#[derive(Clone, Debug)]
pub enum Data {
    /// They stand in the case file.
    Inline(Bytes),
    /// They stand in a file beside it, so that a hundred thousand cases take no room.
    File(DataFile),
}

/// A file beside the cases.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// The directory that it is looked up in; nothing above it is reachable.
    pub base: Arc<Dir>,
    /// Its path below that directory.
    pub path: String,
}

/// A file beside the cases that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// It is not there, or cannot be read.
    #[error("the file `{path}` of the cases cannot be read")]
    Read {
        /// Its path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no regular file.
    #[error("`{path}` of the cases is not a regular file")]
    NotRegular {
        /// Its path.
        path: String,
    },
    /// It is larger than [`MAX_DATA`].
    #[error("the file `{path}` of the cases has more than {MAX_DATA} bytes")]
    TooLarge {
        /// Its path.
        path: String,
    },
}

impl From<DataError> for ExecutionError {
    fn from(error: DataError) -> Self {
        Self::new(ErrorKind::Spec, error)
    }
}

impl Data {
    /// Makes data of a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Inline(Bytes::from(text.into()))
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// A file that is not there, not regular, or too large.
    pub fn read(&self) -> Result<Bytes, DataError> {
        match self {
            Self::Inline(bytes) => Ok(bytes.clone()),
            Self::File(file) => file.read(),
        }
    }

    /// Says what is wrong with it without reading it.
    ///
    /// # Errors
    /// A file that is not there, not regular, or too large.
    pub fn check(&self) -> Result<(), DataError> {
        match self {
            Self::Inline(_) => Ok(()),
            Self::File(file) => file.size().map(drop),
        }
    }
}

impl DataFile {
    /// Names a file below a directory.
    pub fn new(base: Arc<Dir>, path: impl Into<String>) -> Self {
        Self { base, path: path.into() }
    }

    fn failed(&self) -> impl FnOnce(std::io::Error) -> DataError + '_ {
        |source| DataError::Read { path: self.path.clone(), source }
    }

    /// Reads all of it.
    pub(in crate::evaluate) fn bytes(&self) -> Result<Bytes, DataError> {
        self.read()
    }

    fn size(&self) -> Result<u64, DataError> {
        let meta = self.base.metadata(&self.path).map_err(self.failed())?;
        if !meta.is_file() {
            return Err(DataError::NotRegular { path: self.path.clone() });
        }
        if meta.len() > MAX_DATA {
            return Err(DataError::TooLarge { path: self.path.clone() });
        }
        Ok(meta.len())
    }

    fn read(&self) -> Result<Bytes, DataError> {
        let size = self.size()?;
        let file = self.base.open(&self.path).map_err(self.failed())?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(MAX_DATA + 1).read_to_end(&mut bytes).map_err(self.failed())?;
        if bytes.len() as u64 > MAX_DATA {
            return Err(DataError::TooLarge { path: self.path.clone() });
        }
        Ok(bytes.into())
    }
}
