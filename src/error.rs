//! The kinds of failure, shared by every room's own error type.
//! - Each room has a rich error of its own (operation, object, limit, source) that answers `kind()`.
//! - Only `receive` and `api` turn a kind into the wire's words; nothing else looks at status codes.
//! - No error type lives here: a room's errors are its own.

/// What the holder of an error can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is wrong; the same input fails again. HTTP 400, 413, 415.
    Invalid,
    /// The input is right, and this store or build cannot do it. HTTP 400.
    Unsupported,
    /// A bound is reached; the same call may succeed later. HTTP 503 with `Retry-After`.
    Overloaded,
    /// Something outside does not answer, or this part is stopped. HTTP 503.
    Unavailable,
    /// Stored bytes are damaged; an operator must act. HTTP 500.
    Corrupt,
    /// A fault of ours or of the machine. HTTP 500.
    Internal,
}
