//! Where a page of members ended.

use std::{fmt, str::FromStr};

use crate::Member;

/// The last member of a page; the next one begins after it. Its text is opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When that member came, in microseconds since 1970.
    pub since: i64,
    /// Who it is.
    pub member: String,
}

/// Not a cursor as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the last page's `next`")]
pub struct CursorError;

impl Cursor {
    /// The end of a page that ends with this member.
    pub fn after(last: &Member) -> Self {
        Self { since: last.since, member: last.member.clone() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.since, self.member)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (since, member) = text.split_once('.').ok_or(CursorError)?;
        let since = since.parse().map_err(|_| CursorError)?;
        // No database holds that character.
        if member.contains('\0') { Err(CursorError) } else { Ok(Self { since, member: member.to_owned() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is() {
        let cursor = Cursor { since: 7, member: "a.b".to_owned() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "7", "x.a", "7.a\0"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
        }
    }
}
