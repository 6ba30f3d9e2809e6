//! What a client says about itself in its upgrade request: in the query, in headers, and, since
//! browsers can set no others, in the list of subprotocols.

use actix_http::RequestHead;
use actix_web::http::header;
use carillon_contract::{CHANNELS, Dialect, Since};
use url::form_urlencoded;

use super::Refusal;
use crate::session::{Place, Query};

/// The subprotocol that says: the next one in the list is my token.
const BEARER: &str = "bearer";

/// What was found.
pub(super) struct Credentials {
    pub(super) token: Option<String>,
    /// The subprotocols offered, without the token.
    pub(super) offered: Vec<String>,
    pub(super) dialect: Option<Dialect>,
    pub(super) query: Query,
}

/// Reads them; a header counts before the query, the query before the subprotocols.
pub(super) fn read(head: &RequestHead) -> Result<Credentials, Refusal> {
    let (mut query, in_query, mut dialect) = query(head)?;
    let (offered, in_protocols) = protocols(head);
    if let Some(named) = offered.iter().find_map(|name| Dialect::named(name)) {
        dialect = Some(named);
    }
    let token = bearer(head).or(in_query).or(in_protocols).filter(|token| !token.is_empty());
    query.rest.remove("token");
    Ok(Credentials { token, offered, dialect, query })
}

/// Whether a client offers this subprotocol.
pub(super) fn offers(head: &RequestHead, name: &str) -> bool {
    protocols(head).0.iter().any(|offered| offered == name)
}

/// The subprotocol to confirm: `carillon.v1`, a dialect, or the announcement of the token. The token itself is
/// never repeated.
pub(super) fn confirmed(offered: &[String], has_token: bool) -> Option<String> {
    let channels = offered.iter().find(|name| *name == CHANNELS);
    let dialect = offered.iter().find(|name| Dialect::named(name).is_some());
    let bearer = offered.iter().find(|name| has_token && *name == BEARER);
    channels.or(dialect).or(bearer).cloned()
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(head: &RequestHead) -> Option<String> {
    let value = head.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn query(head: &RequestHead) -> Result<(Query, Option<String>, Option<Dialect>), Refusal> {
    let mut query = Query::default();
    let (mut token, mut dialect) = (None, None);
    for (name, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "token" => token = Some(value.into_owned()),
            "dialect" => dialect = Some(Dialect::named(&value).ok_or(Refusal::Dialect)?),
            "since" => {
                query.place = Place::Always;
                // None yet, if it is empty. One that can't be read is one that can't be recovered.
                let place = || value.parse().unwrap_or_else(|_| Since::nowhere());
                query.since = (!value.is_empty()).then(place);
            }
            _ => drop(query.rest.insert(name.into_owned(), value.into_owned())),
        }
    }
    Ok((query, token, dialect))
}

fn protocols(head: &RequestHead) -> (Vec<String>, Option<String>) {
    let mut names = head
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned());
    let (mut offered, mut token) = (Vec::new(), None);
    while let Some(name) = names.next() {
        if name == BEARER && token.is_none() {
            token = names.next();
        }
        offered.push(name);
    }
    (offered, token)
}

#[cfg(test)]
mod tests {
    use actix_http::test::TestRequest;

    use super::*;

    fn read_from(uri: &str, headers: &[(&'static str, &str)]) -> Credentials {
        let mut request = TestRequest::with_uri(uri);
        for header in headers {
            request.insert_header(*header);
        }
        read(request.finish().head()).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    #[test]
    fn a_token_is_found_wherever_a_client_can_put_it() {
        assert_eq!(read_from("/ws/?token=abc&x=1", &[]).token.as_deref(), Some("abc"));
        let header = read_from("/ws/?token=other", &[("authorization", "bearer abc")]);
        assert_eq!(header.token.as_deref(), Some("abc"));
        let protocols = read_from("/ws/", &[("sec-websocket-protocol", "ticketing, bearer, abc")]);
        assert_eq!(protocols.token.as_deref(), Some("abc"));
        assert_eq!(protocols.offered, ["ticketing", "bearer"]);
        assert_eq!(protocols.dialect, Some(Dialect::Ticketing));
        assert_eq!(confirmed(&protocols.offered, true).as_deref(), Some("ticketing"));
        assert_eq!(read_from("/ws/?token=", &[]).token, None);
    }

    #[test]
    fn a_place_can_be_asked_for_without_having_one() {
        let asked = |uri| {
            let query = read_from(uri, &[]).query;
            (matches!(query.place, Place::Always), query.since)
        };
        assert_eq!(asked("/ws/"), (false, None));
        assert_eq!(asked("/ws/?since="), (true, None));
        assert_eq!(asked("/ws/?since=nonsense"), (true, Some(Since::nowhere())));
    }

    #[test]
    fn the_owner_gets_the_rest_of_the_query_without_the_token() {
        let found = read_from("/ws/?token=abc&history=50&since=e.1.2&dialect=rooms", &[]);
        assert_eq!(found.query.rest.into_iter().collect::<Vec<_>>(), [("history".into(), "50".into())]);
        assert_eq!(found.query.since.expect("a place").offsets, [1, 2]);
        assert_eq!(found.dialect, Some(Dialect::Rooms));
    }
}
