//! Where companies and categories are put in their trees, and how many levels move with them.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Object;
use domain::{
    Category, CategoryId, Company, CompanyId, Tree, TreeId, category, company,
    tree::{self, Kind},
};
use event_log::Work;
use projections::{
    Views,
    views::{categories, companies},
};
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{catalogue::category_paths, parties::company_hierarchy},
    failure::Failure,
};

/// What this unit of work has put below each; the read models do not show it yet.
#[derive(Debug, Default)]
struct Placed(BTreeMap<Uuid, Vec<Uuid>>);

/// Lets a company belong to another, or to nobody.
pub(crate) async fn join(
    work: &mut Work,
    id: CompanyId,
    parent: Option<CompanyId>,
) -> Result<(), Failure> {
    let above = match parent {
        Some(parent) => company_hierarchy::line_of(work, parent).await?,
        None => vec![],
    };
    work.load::<Company>(id).await?;
    let below = levels_to_check(work, Kind::Companies, id.0, parent.map(Uuid::from)).await?;
    let before = work.events();
    work.decide::<Company>(id, company::Command::JoinParent { above, below }).await?;
    if work.events() > before {
        record(work, Kind::Companies, id.0, parent.map(Uuid::from)).await?;
    }
    Ok(())
}

/// Begins a category.
pub(crate) async fn open(
    work: &mut Work,
    id: CategoryId,
    title: category::Title,
    parent: Option<CategoryId>,
) -> Result<(), Failure> {
    let above = path_of(work, parent).await?;
    work.decide::<Category>(id, category::Command::Open { id, title, above }).await?;
    record(work, Kind::Categories, id.0, parent.map(Uuid::from)).await
}

/// Puts a category elsewhere, with all that is below it.
pub(crate) async fn move_below(
    work: &mut Work,
    id: CategoryId,
    parent: Option<CategoryId>,
) -> Result<(), Failure> {
    let above = path_of(work, parent).await?;
    work.load::<Category>(id).await?;
    let below = levels_to_check(work, Kind::Categories, id.0, parent.map(Uuid::from)).await?;
    let before = work.events();
    work.decide::<Category>(id, category::Command::Move { above, below }).await?;
    if work.events() > before {
        record(work, Kind::Categories, id.0, parent.map(Uuid::from)).await?;
    }
    Ok(())
}

async fn path_of(work: &mut Work, parent: Option<CategoryId>) -> Result<Vec<CategoryId>, Failure> {
    match parent {
        Some(parent) => category_paths::path_of(work, parent).await,
        None => Ok(vec![]),
    }
}

/// How many levels are below what is about to move, where that matters: not for what stands there
/// already, nor for what is new, nor for what becomes a root.
async fn levels_to_check(
    work: &mut Work,
    kind: Kind,
    id: Uuid,
    parent: Option<Uuid>,
) -> Result<usize, Failure> {
    match stands_below(work, kind, id) {
        Some(present) if parent.is_some() && present != parent => {
            levels_below(work, kind, id).await
        }
        Some(_) | None => Ok(0),
    }
}

/// How many levels are below something.
async fn levels_below(work: &mut Work, kind: Kind, id: Uuid) -> Result<usize, Failure> {
    let mut client = None;
    let mut seen = BTreeSet::from([id]);
    let mut level = vec![id];
    // More than may be below anything need not be counted.
    for levels in 0..=kind.most_above() {
        let mut below = placed_here(work, kind, &level);
        // The read models show nothing of what begins in this unit of work.
        level.retain(|node| !is_new(work, kind, *node));
        if !level.is_empty() {
            if client.is_none() {
                client = Some(complete_read_model(work, kind).await?);
            }
            let client = client.as_ref().expect("it was opened just now");
            below.extend(shown_below(work, kind, client, &level).await?);
        }
        below.retain(|node| seen.insert(*node));
        if below.is_empty() {
            return Ok(levels);
        }
        level = below;
    }
    Ok(kind.most_above() + 1)
}

/// A connection to the read model of a tree that shows all that was placed up to the version of the
/// tree that the append asserts: the head is read after that version.
async fn complete_read_model(work: &mut Work, kind: Kind) -> Result<Object, Failure> {
    work.load::<Tree>(TreeId::of(kind)).await?;
    let head = work.head().await?;
    let views = work.lent::<Views>().ok_or_else(|| unavailable(()))?;
    let name = match kind {
        Kind::Companies => companies::PROJECTION.name,
        Kind::Categories => categories::PROJECTION.name,
    };
    views.wait(&[name], head).await.map_err(unavailable)?;
    Ok(views.client().await.map_err(unavailable)?)
}

async fn shown_below(
    work: &Work,
    kind: Kind,
    client: &Object,
    level: &[Uuid],
) -> Result<Vec<Uuid>, Failure> {
    let shown = match kind {
        Kind::Companies => companies::right_below(client, level).await,
        Kind::Categories => categories::right_below(client, level).await,
    };
    let mut shown = shown.map_err(unavailable)?;
    shown.retain(|(node, parent)| {
        stands_below(work, kind, *node).is_none_or(|now| now == Some(*parent))
    });
    Ok(shown.into_iter().map(|(node, _)| node).collect())
}

/// What this unit of work has put right below some.
fn placed_here(work: &Work, kind: Kind, level: &[Uuid]) -> Vec<Uuid> {
    let Some(Placed(placed)) = work.lent::<Placed>() else { return vec![] };
    let below = |parent: &Uuid| {
        let nodes = placed.get(parent).into_iter().flatten().copied();
        let parent = Some(*parent);
        nodes.filter(move |node| stands_below(work, kind, *node) == Some(parent)).collect()
    };
    level.iter().flat_map::<Vec<Uuid>, _>(below).collect()
}

fn is_new(work: &Work, kind: Kind, id: Uuid) -> bool {
    match kind {
        Kind::Companies => work.is_new::<Company>(id),
        Kind::Categories => work.is_new::<Category>(id),
    }
}

fn unavailable<E>(_: E) -> Problem {
    Problem::unavailable("the read models do not answer")
}

/// What something stands below, if it is loaded and there.
#[allow(clippy::option_option, reason = "not loaded is one thing, a root another")]
fn stands_below(work: &Work, kind: Kind, id: Uuid) -> Option<Option<Uuid>> {
    match kind {
        Kind::Companies => Some(work.get::<Company>(id)?.customer().ok()?.parent.map(Uuid::from)),
        Kind::Categories => Some(work.get::<Category>(id)?.branch().ok()?.parent.map(Uuid::from)),
    }
}

/// Records a place below another, for those who count levels at the same time.
async fn record(
    work: &mut Work,
    tree: Kind,
    node: Uuid,
    parent: Option<Uuid>,
) -> Result<(), Failure> {
    let Some(parent) = parent else { return Ok(()) };
    work.lent_mut::<Placed>().0.entry(parent).or_default().push(node);
    work.decide::<Tree>(TreeId::of(tree), tree::Command::Place { tree, node, parent }).await?;
    Ok(())
}
