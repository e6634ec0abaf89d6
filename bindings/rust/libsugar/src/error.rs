//! Errors: a status, and the library's message.

use libsugar_sys as sys;
use std::ffi::CStr;
use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// An argument is out of its documented range.
    Argument,
    /// A spec string does not parse, or a value in it is out of its range.
    Spec,
    /// Not available here: type, level, option, combination of options.
    Unsupported,
    /// No memory for a handle, or no threads for a context.
    OutOfMemory,
    /// An output shares memory with another operand, or with itself.
    Overlap,
    /// A number in memory is out of its range, such as a learned parameter.
    Value,
    /// Bytes that are no saved form, or a damaged one.
    Data,
    /// What a newer library says.
    Other(i32),
}

/// A call that failed. It has written no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: String,
}

impl Error {
    pub fn status(&self) -> Status {
        self.status
    }

    /// One line that names the argument, what was found and what was expected.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What a function of [`sys`] returned, with the message that this thread has for it.
    #[inline]
    pub fn from_status(status: sys::sugar_status) -> Result<()> {
        if status == sys::SUGAR_OK {
            return Ok(());
        }
        Err(Error::last(status))
    }

    #[cold]
    fn last(status: sys::sugar_status) -> Error {
        let status = match status {
            sys::SUGAR_ERROR_ARGUMENT => Status::Argument,
            sys::SUGAR_ERROR_SPEC => Status::Spec,
            sys::SUGAR_ERROR_UNSUPPORTED => Status::Unsupported,
            sys::SUGAR_ERROR_OUT_OF_MEMORY => Status::OutOfMemory,
            sys::SUGAR_ERROR_OVERLAP => Status::Overlap,
            sys::SUGAR_ERROR_VALUE => Status::Value,
            sys::SUGAR_ERROR_DATA => Status::Data,
            other => Status::Other(other),
        };
        // SAFETY: never null, and valid until the next call that fails on this thread.
        let message = unsafe { CStr::from_ptr(sys::sugar_last_error()) };
        Error { status, message: message.to_string_lossy().into_owned() }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Error { status: Status::Argument, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
