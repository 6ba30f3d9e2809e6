//! As much of Prometheus's query language as tells which metrics a query is about.

/// Every selector of a metric of ours in a query: its name, with the labels asked for.
pub(crate) fn selectors(query: &str) -> Vec<&str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    let (bytes, mut found, mut place) = (query.as_bytes(), Vec::new(), 0);
    while place < bytes.len() {
        if bytes[place] == b'"' {
            place += 1 + query[place + 1..].find('"').map_or(bytes.len(), |length| length + 1);
            continue;
        }
        let length = bytes[place..].iter().take_while(|byte| is_name(**byte)).count();
        if length == 0 {
            place += 1;
            continue;
        }
        let mut end = place + length;
        let name = &query[place..end];
        if bytes.get(end) == Some(&b'{') {
            end += query[end..].find('}').map_or(0, |length| length + 1);
        }
        if is_ours(name) {
            found.push(&query[place..end]);
        }
        place = end;
    }
    found
}

/// The metric of a selector, as the process that has it calls it: a histogram is queried by its parts.
pub(crate) fn metric(selector: &str) -> &str {
    let name = selector.split('{').next().unwrap_or_default();
    ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name)
}

fn is_ours(name: &str) -> bool {
    name == "up" || name.starts_with("carillon_") || name.starts_with("process_") || is_recorded(name)
}

/// Whether it is the name of a recording rule.
pub(crate) fn is_recorded(name: &str) -> bool {
    name.starts_with("namespace") && name.contains(':')
}
