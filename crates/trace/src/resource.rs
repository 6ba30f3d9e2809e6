//! What a process says of itself with its spans.

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, ResourceDetector},
};

/// What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say; where they are silent, which process this is.
pub(crate) fn resource(process: &'static str, instance: String) -> Resource {
    let said = EnvResourceDetector::new().detect();
    let is_named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty());
    let name = if is_named { None } else { Some(KeyValue::new("service.name", process)) };
    let own = [
        KeyValue::new("service.namespace", "carillon"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance),
    ];
    let unsaid = |attribute: &KeyValue| said.get(&Key::new(attribute.key.as_str().to_owned())).is_none();
    let own = own.into_iter().chain(name).filter(unsaid).collect::<Vec<_>>();
    Resource::builder().with_attributes(own).build()
}
