//! Events: the events themselves, newest first, a page at a time.

use super::usage::of_site;
use crate::store::plan::{Bots, TimeRange};
use crate::store::{Cursor, Page, Store, StoreError};

/// A page of a site's events.
pub async fn page(
    store: &dyn Store,
    site: &str,
    bots: Bots,
    range: TimeRange,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    store.events(&of_site(site, bots), range, after, limit).await
}
