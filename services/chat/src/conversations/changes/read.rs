//! Reading: everything up to a message. It only moves forward.

use carillon_service::time;
use carillon_store::StoreError;
use serde_json::json;

use super::{Change, Effect, Scene, scene::unknown};

pub(super) fn apply(scene: &mut Scene, change: &Change, message: i64) -> Result<Effect, StoreError> {
    if scene.message(change, message)?.is_none() {
        return Ok(unknown());
    }
    if !scene.read_on(change, message) {
        return Ok(Effect::Nothing);
    }
    Ok(Effect::Told(json!({
        "type": "message_read",
        "message_id": message,
        "read_by": change.by.person,
        "read_at": time::timestamp(scene.now),
    })))
}
