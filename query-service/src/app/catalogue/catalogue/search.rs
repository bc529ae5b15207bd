//! Product search: reads page by page until enough visible products are found; falls back to
//! similar words.

use std::sync::Arc;

use deadpool_postgres::Object;
use projections::{
    ReadError,
    views::catalogue::catalogue::{self, Line, Mark, Order, Place, Places, Sought},
    words::SearchWords,
};
use serde::{Deserialize, Serialize};
use service_kit::{page, problem::Problem};

use crate::{
    asker::problem,
    catalogue_context::{CatalogueContext, Range},
    reading::Reading,
};

/// The maximum number of products read for one page.
const MOST_EXAMINED: usize = 5_000;

/// The start of the next page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Next {
    /// After a sort position.
    After(Place),
    /// After a match of a word search; with flags for the extended search and for similar words.
    Behind(Mark, bool, Option<String>),
}

/// The words of a search.
pub(super) struct Search {
    /// Plans each search separately.
    pub(super) client: Object,
    pub(super) sought: Sought,
    /// Whether they replace words without matches.
    pub(super) instead: bool,
}

impl Search {
    /// A search with replaced words.
    fn instead(&mut self, words: SearchWords) {
        (self.sought.words, self.sought.own, self.instead) = (words, vec![], true);
    }

    pub(super) fn text(&self) -> String {
        self.sought.words.words().join(" ")
    }
}

/// A product search.
pub(super) struct Finder<'a> {
    pub(super) reading: &'a Reading,
    pub(super) context: &'a CatalogueContext,
    pub(super) range: &'a Range,
    pub(super) by: Order,
    pub(super) search: Option<Search>,
}

impl Finder<'_> {
    /// The first visible products, and the start of the next page.
    pub(super) async fn find(
        &mut self,
        next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>), Problem> {
        match (&mut self.search, &next) {
            (None, None | Some(Next::After(_))) | (Some(_), None) => {}
            (Some(search), Some(Next::Behind(_, deep, instead))) => {
                search.sought.deep = *deep;
                if let Some(words) = instead.as_deref().and_then(SearchWords::parse) {
                    search.instead(words);
                }
            }
            (None, Some(Next::Behind(..))) | (Some(_), Some(Next::After(_))) => {
                return Err(page::other_cursor());
            }
        }
        let first = next.is_none();
        let found = self.whole(next, limit).await.map_err(problem)?;
        if first && found.0.is_empty() && self.corrected().await.map_err(problem)? {
            let found = self.whole(None, limit).await.map_err(problem)?;
            // Words of products that the company does not see are not disclosed.
            if let Some(search) = self.search.as_mut().filter(|_| found.0.is_empty()) {
                search.instead = false;
            }
            return Ok(found);
        }
        Ok(found)
    }

    /// The visible ones among the usual number of ranked matches; among many more, if so many are
    /// hidden that the page would not be full.
    async fn whole(
        &mut self,
        next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>), ReadError> {
        let first = next.is_none();
        let (seen, next, examined) = self.seen(next, limit).await?;
        match &mut self.search {
            Some(search) if first && next.is_none() && examined >= catalogue::MOST_MATCHES => {
                search.sought.deep = true;
                let (seen, next, _) = self.seen(None, limit).await?;
                Ok((seen, next))
            }
            Some(_) | None => Ok((seen, next)),
        }
    }

    /// The visible products, the start of the next page, and the number of products read.
    async fn seen(
        &self,
        mut next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>, usize), ReadError> {
        let (mut seen, mut examined, mut size) = (Vec::new(), 0, limit + 1);
        loop {
            let found = self.some(next.as_ref(), size).await?;
            let (lines, behind): (Vec<_>, Vec<_>) = found.into_iter().unzip();
            let ended = lines.len() < size;
            examined += lines.len();
            let sees = self.context.sees(&self.reading.client, &lines).await?;
            for ((line, behind), sees) in lines.into_iter().zip(behind).zip(sees) {
                if seen.len() == limit {
                    return Ok((seen, next, examined));
                }
                next = Some(behind);
                if sees {
                    seen.push(line);
                }
            }
            if ended {
                return Ok((seen, None, examined));
            }
            if examined >= MOST_EXAMINED {
                return Ok((seen, next, examined));
            }
            size = (size * 4).min(1_000);
        }
    }

    /// Products of the searched places, visible or not, each with the start of the page after it.
    async fn some(
        &self,
        next: Option<&Next>,
        size: usize,
    ) -> Result<Vec<(Arc<Line>, Next)>, ReadError> {
        let Reading { client, memory, changed } = self.reading;
        let Some(search) = &self.search else {
            let after = match next {
                Some(Next::After(place)) => Some(place),
                Some(Next::Behind(..)) | None => None,
            };
            let Range { places, also } = self.range;
            let from = (client, &memory.catalogue, changed.catalogue);
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            let places = Places { any: places, also };
            let lines = catalogue::page(from, places, self.by, after, size).await?;
            let placed = |line: Arc<Line>| {
                let place = line.place(self.by);
                (line, Next::After(place))
            };
            return Ok(lines.into_iter().map(placed).collect());
        };
        let from = (&search.client, &memory.catalogue, changed.catalogue);
        let after = match next {
            Some(Next::Behind(mark, ..)) => Some(mark),
            Some(Next::After(_)) | None => None,
        };
        let found = catalogue::search(from, &search.sought, after, size).await?;
        let instead = search.instead.then(|| search.text());
        let behind = |mark| Next::Behind(mark, search.sought.deep, instead.clone());
        Ok(found.into_iter().map(|(line, mark)| (line, behind(mark))).collect())
    }

    /// Replaces words without matches by the most similar words.
    async fn corrected(&mut self) -> Result<bool, ReadError> {
        let Some(search) = &mut self.search else { return Ok(false) };
        let corrected = corrected(&self.reading.client, &search.sought.words).await?;
        let found = corrected.is_some();
        if let Some(words) = corrected {
            search.instead(words);
        }
        Ok(found)
    }
}

/// The words, with similar ones instead of prefixes without matches.
pub(super) async fn corrected(
    client: &Object,
    words: &SearchWords,
) -> Result<Option<SearchWords>, ReadError> {
    let nearest = catalogue::corrections(client, words).await?;
    Ok((!nearest.is_empty()).then(|| words.clone().with(|word| nearest.get(word).cloned())))
}
