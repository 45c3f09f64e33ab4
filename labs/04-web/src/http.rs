//! What a request, a status and a failure are.

use std::io::{self, ErrorKind};

/// What a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The file.
    Get,
    /// What GET would get, without the file itself.
    Head,
    /// To store a file.
    Put,
}

impl Method {
    /// As it stands in a request line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
        }
    }
}

/// A request, as far as the server needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the client wants done.
    pub method: Method,
    /// The path as it came, with its first slash and its escapes, without the query.
    pub path: String,
    /// The same decoded, without the first slash: a name below the root. Empty for the root.
    pub file: String,
    /// Length of the body, in bytes.
    pub length: u64,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the connection goes on after the reply.
    pub keep_alive: bool,
}

/// The status of a reply (RFC 9110 section 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    pub const OK: Self = Self(200);
    pub const CREATED: Self = Self(201);
    pub const NO_CONTENT: Self = Self(204);
    pub const MOVED_PERMANENTLY: Self = Self(301);
    pub const BAD_REQUEST: Self = Self(400);
    pub const FORBIDDEN: Self = Self(403);
    pub const NOT_FOUND: Self = Self(404);
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    pub const REQUEST_TIMEOUT: Self = Self(408);
    pub const CONFLICT: Self = Self(409);
    pub const LENGTH_REQUIRED: Self = Self(411);
    pub const CONTENT_TOO_LARGE: Self = Self(413);
    pub const EXPECTATION_FAILED: Self = Self(417);
    pub const HEAD_TOO_LARGE: Self = Self(431);
    pub const SERVER_ERROR: Self = Self(500);
    pub const NOT_IMPLEMENTED: Self = Self(501);
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);

    /// What it means, for people; programs look at the number only.
    pub fn words(self) -> &'static str {
        match self.0 {
            200 => "OK",
            201 => "Created",
            204 => "No Content",
            301 => "Moved Permanently",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            411 => "Length Required",
            413 => "Content Too Large",
            417 => "Expectation Failed",
            431 => "Request Header Fields Too Large",
            501 => "Not Implemented",
            505 => "HTTP Version Not Supported",
            _ => "Internal Server Error",
        }
    }

    /// What a client is told that wanted a file which can't be opened.
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied => Self::FORBIDDEN,
            // A name that is too long, or that runs through a file, names nothing either.
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
                Self::NOT_FOUND
            }
            _ => Self::SERVER_ERROR,
        }
    }

    /// What a client is told whose upload can't be stored.
    pub fn of_upload(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::FORBIDDEN,
            // A folder that has come, or gone, since it was looked at.
            ErrorKind::IsADirectory | ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty => {
                Self::CONFLICT
            }
            _ => Self::SERVER_ERROR,
        }
    }
}

/// Why a request gets no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection is of no use any more: nobody can be told anything.
    Gone,
    /// The client is told this, and the connection ends in good order.
    Refused(Status),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl From<io::Error> for Failure {
    /// An error of a call on the connection.
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}
