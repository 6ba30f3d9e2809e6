//! Reading bytes that anyone may have made: bounded in depth and in what they can have allocated.
//!
//! The decoder of `yrs` trusts the lengths that it reads, and recurses into nested values; a few
//! bytes of the wrong kind would end the process. This one looks at them first.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use yrs::{
    Any, ClientID, ID,
    encoding::read::{Cursor, Error, Read},
    updates::decoder::{Decode, Decoder},
};

/// How deep values may be nested in each other.
const MAX_DEPTH: usize = 100;

/// Ids of clients are whole numbers that JavaScript can hold.
const MAX_CLIENT: u64 = (1 << 53) - 1;

/// Why bytes were not understood: for the log and for the reason of a close frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// Decodes what must fill the bytes exactly.
pub(crate) fn decode<T: Decode>(bytes: &[u8]) -> Result<T, Unreadable> {
    unpanicked(|| {
        let mut decoder = Guarded(Cursor::new(bytes));
        decoder.check_count()?;
        let decoded = T::decode(&mut decoder)?;
        if decoder.0.has_content() {
            return Err(Unreadable("there is more than should be".to_owned()));
        }
        Ok(decoded)
    })
}

/// Runs what may panic on bytes that somebody took pains with.
pub(crate) fn unpanicked<T>(work: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Unreadable("it makes no sense".to_owned())))
}

/// The decoder of version 1.
struct Guarded<'a>(Cursor<'a>);

impl Guarded<'_> {
    /// What begins with a count (of clients) has at least a byte for each.
    fn check_count(&self) -> Result<(), Unreadable> {
        let mut ahead = Cursor { buf: self.0.buf, next: self.0.next };
        check_length(ahead.read_var::<u64>()?, &ahead)?;
        Ok(())
    }

    fn id(&mut self) -> Result<ID, Error> {
        let client = self.read_client()?;
        Ok(ID::new(client, self.read_var()?))
    }
}

impl Read for Guarded<'_> {
    fn read_exact(&mut self, length: usize) -> Result<&[u8], Error> {
        self.0.read_exact(length)
    }

    fn read_u8(&mut self) -> Result<u8, Error> {
        self.0.read_u8()
    }
}

impl Decoder for Guarded<'_> {
    fn reset_ds_cur_val(&mut self) {}

    fn read_ds_clock(&mut self) -> Result<u32, Error> {
        self.read_var()
    }

    fn read_ds_len(&mut self) -> Result<u32, Error> {
        self.read_var()
    }

    fn read_left_id(&mut self) -> Result<ID, Error> {
        self.id()
    }

    fn read_right_id(&mut self) -> Result<ID, Error> {
        self.id()
    }

    fn read_client(&mut self) -> Result<ClientID, Error> {
        let client: u64 = self.read_var()?;
        if client > MAX_CLIENT {
            return Err(Error::UnexpectedValue);
        }
        Ok(ClientID::new(client))
    }

    fn read_info(&mut self) -> Result<u8, Error> {
        self.read_u8()
    }

    fn read_parent_info(&mut self) -> Result<bool, Error> {
        Ok(self.read_var::<u32>()? == 1)
    }

    fn read_type_ref(&mut self) -> Result<u8, Error> {
        self.read_u8()
    }

    fn read_len(&mut self) -> Result<u32, Error> {
        self.read_var()
    }

    fn read_any(&mut self) -> Result<Any, Error> {
        let mut ahead = Cursor { buf: self.0.buf, next: self.0.next };
        check_any(&mut ahead)?;
        Any::decode(&mut self.0)
    }

    fn read_json(&mut self) -> Result<Any, Error> {
        Any::from_json(self.read_string()?)
    }

    fn read_key(&mut self) -> Result<Arc<str>, Error> {
        Ok(self.read_string()?.into())
    }

    fn read_to_end(&mut self) -> Result<&[u8], Error> {
        let left = self.0.buf.len() - self.0.next;
        self.0.read_exact(left)
    }
}

/// A collection whose parts are still to come.
struct Open {
    left: u64,
    has_keys: bool,
}

/// Passes over one value, however deep, without recursion and without keeping anything.
fn check_any(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    let mut open: Vec<Open> = Vec::new();
    loop {
        match cursor.read_u8()? {
            126 | 127 | 120 | 121 => {}
            125 => drop(cursor.read_var::<i64>()?),
            124 => drop(cursor.read_exact(4)?),
            122 | 123 => drop(cursor.read_exact(8)?),
            116 | 119 => drop(cursor.read_buf()?),
            kind @ (117 | 118) => {
                let left = cursor.read_var::<u64>()?;
                check_length(left, cursor)?;
                if open.len() == MAX_DEPTH {
                    return Err(Error::Custom("values are nested too deeply".to_owned()));
                }
                open.push(Open { left, has_keys: kind == 118 });
            }
            _ => return Err(Error::UnexpectedValue),
        }
        if !next_part(cursor, &mut open)? {
            return Ok(());
        }
    }
}

/// Goes to where the next value begins. Tells whether there is one.
fn next_part(cursor: &mut Cursor<'_>, open: &mut Vec<Open>) -> Result<bool, Error> {
    while let Some(collection) = open.last_mut() {
        if collection.left > 0 {
            collection.left -= 1;
            if collection.has_keys {
                cursor.read_buf()?;
            }
            return Ok(true);
        }
        open.pop();
    }
    Ok(false)
}

/// So many parts have at least a byte each.
fn check_length(parts: u64, cursor: &Cursor<'_>) -> Result<(), Error> {
    let left = cursor.buf.len() - cursor.next;
    if usize::try_from(parts).is_ok_and(|parts| parts <= left) {
        return Ok(());
    }
    Err(Error::EndOfBuffer(left))
}
