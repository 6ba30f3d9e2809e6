//! Finding a path's row in a table of patterns, with or without the trailing slash.

use std::collections::BTreeMap;

use matchit::Router;
use percent_encoding::percent_decode_str;

/// A path's parameters, percent-decoded.
pub type Parameters = BTreeMap<String, String>;

/// A row of a table, and what its pattern's parameters stand for in this path.
#[derive(Debug)]
pub struct Located<T: 'static> {
    /// The row.
    pub row: &'static T,
    /// The pattern's parameters.
    pub parameters: Parameters,
}

/// A router over rows by their patterns; a pattern's trailing slash is optional in a path.
///
/// # Panics
/// If two patterns collide: the tables are constants, and the tests build each.
pub(crate) fn router<T>(rows: impl IntoIterator<Item = (&'static str, T)>) -> Router<T>
where
    T: Clone,
{
    let mut router = Router::new();
    for (pattern, row) in rows {
        let bare = pattern.strip_suffix('/').unwrap_or(pattern);
        for pattern in [bare.to_owned(), format!("{bare}/")] {
            if let Err(error) = router.insert(pattern, row.clone()) {
                panic!("the table's pattern can't be told from another: {error}");
            }
        }
    }
    router
}

/// A router over groups of rows that share a pattern, each in the order of the table.
///
/// # Panics
/// As [`router`].
pub(crate) fn grouped_router<T>(
    rows: impl IntoIterator<Item = (&'static str, &'static T)>,
) -> Router<Vec<&'static T>> {
    let mut groups: Vec<(&'static str, Vec<&'static T>)> = Vec::new();
    for (pattern, row) in rows {
        match groups.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, group)) => group.push(row),
            None => groups.push((pattern, vec![row])),
        }
    }
    router(groups)
}

/// The matched parameters, percent-decoded. `None` if one is not UTF-8 then, or holds a control character: no id
/// does, and not every database can even look for one that did.
pub(crate) fn decode(parameters: &matchit::Params<'_, '_>) -> Option<Parameters> {
    parameters
        .iter()
        .map(|(name, value)| {
            let value = percent_decode_str(value).decode_utf8().ok()?;
            (!value.chars().any(char::is_control)).then(|| (name.to_owned(), value.into_owned()))
        })
        .collect()
}
