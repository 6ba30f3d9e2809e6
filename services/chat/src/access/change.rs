//! Changing rules.

use carillon_store::{StoreError, Transaction};

use super::{
    Access,
    rows::{self, Change},
    rule::Rule,
    rules::Rules,
};

/// The most rules made over HTTP.
const MAX_RULES: usize = 1_000;

impl Access {
    /// Makes a rule, or changes the one of the same prefix, and tells its id. `None`: there are too
    /// many rules.
    pub(super) async fn put(&self, rule: &Rule) -> Result<Option<i64>, StoreError> {
        let mut tx = self.database.begin().await?;
        let version = rows::lock(&mut tx).await?;
        let before = self.cache.load(&mut tx).await?;
        let same = before
            .stored
            .iter()
            .find(|stored| (stored.rule.area, &stored.rule.prefix) == (rule.area, &rule.prefix));
        match same {
            Some(stored) if stored.rule == *rule => return Ok(Some(stored.id)),
            None if before.stored.len() >= MAX_RULES => return Ok(None),
            _ => {}
        }
        let id = rows::put(&mut tx, version, rule).await?;
        self.finish(tx, version, &before, rule).await?;
        Ok(Some(id))
    }

    /// Removes a rule. Tells whether there was one.
    pub(super) async fn remove(&self, id: i64) -> Result<bool, StoreError> {
        let mut tx = self.database.begin().await?;
        let version = rows::lock(&mut tx).await?;
        let before = self.cache.load(&mut tx).await?;
        let Some(stored) = before.stored.iter().find(|stored| stored.id == id) else { return Ok(false) };
        rows::remove(&mut tx, id).await?;
        self.finish(tx, version, &before, &stored.rule).await?;
        Ok(true)
    }

    /// Commits a change. Where another rule decides now, rooms are to be cleared.
    async fn finish(
        &self,
        mut tx: Transaction,
        version: i64,
        before: &Rules,
        rule: &Rule,
    ) -> Result<(), StoreError> {
        let after = self.cache.load(&mut tx).await?;
        // What begins with the prefix is decided as the prefix itself is, but for longer rules.
        if before.allow(rule.area, &rule.prefix) != after.allow(rule.area, &rule.prefix) {
            let change = Change { version, area: rule.area, prefix: rule.prefix.clone() };
            rows::owe(&mut tx, &change).await?;
        }
        tx.commit().await?;
        self.clearing.wake();
        Ok(())
    }
}
