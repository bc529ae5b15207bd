//! Trees: what stands below what, and how many levels move with it. Companies stand below companies
//! here; whatever else stands in a tree is a [`Node`] too.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::Aggregate;
use deadpool_postgres::Object;
use domain::{
    Company, CompanyId, OfCompany, Tree, TreeId, company,
    tree::{self, Kind},
};
use event_log::Work;
use projections::{ReadError, Views, views::parties::companies};
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{app::parties::company_hierarchy, failure::Failure};

/// Something that stands in a tree.
pub(crate) trait Node: Aggregate + OfCompany + Clone + 'static {
    /// In which.
    const TREE: Kind;
    /// The read model that shows the tree.
    const READ_MODEL: &'static str;

    /// What it stands below, if it is there.
    #[allow(clippy::option_option, reason = "not there is one thing, a root another")]
    fn parent(&self) -> Option<Option<Uuid>>;

    /// What the read model shows right below some, each with the one that it is below.
    fn right_below(
        client: &Object,
        level: &[Uuid],
    ) -> impl Future<Output = Result<Vec<(Uuid, Uuid)>, ReadError>> + Send;
}

impl Node for Company {
    const TREE: Kind = Kind::Companies;
    const READ_MODEL: &'static str = companies::PROJECTION.name;

    fn parent(&self) -> Option<Option<Uuid>> {
        Some(self.customer().ok()?.parent.map(Uuid::from))
    }

    async fn right_below(client: &Object, level: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, ReadError> {
        companies::right_below(client, level).await
    }
}

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
    let below = levels_to_check::<Company>(work, id.0, parent.map(Uuid::from)).await?;
    let before = work.events();
    work.decide::<Company>(id, company::Command::JoinParent { above, below }).await?;
    if work.events() > before {
        record::<Company>(work, id.0, parent.map(Uuid::from)).await?;
    }
    Ok(())
}

/// How many levels are below what is about to move, where that matters: not for what stands there
/// already, nor for what is new, nor for what becomes a root.
pub(crate) async fn levels_to_check<N: Node>(
    work: &mut Work,
    id: Uuid,
    parent: Option<Uuid>,
) -> Result<usize, Failure> {
    match stands_below::<N>(work, id) {
        Some(present) if parent.is_some() && present != parent => levels_below::<N>(work, id).await,
        Some(_) | None => Ok(0),
    }
}

/// How many levels are below something.
async fn levels_below<N: Node>(work: &mut Work, id: Uuid) -> Result<usize, Failure> {
    let mut client = None;
    let mut seen = BTreeSet::from([id]);
    let mut level = vec![id];
    // More than may be below anything need not be counted.
    let most = N::TREE.most_above();
    for levels in 0..=most {
        let mut below = placed_here::<N>(work, &level);
        // The read models show nothing of what begins in this unit of work.
        level.retain(|node| !work.is_new::<N>(*node));
        if !level.is_empty() {
            if client.is_none() {
                client = Some(complete_read_model::<N>(work).await?);
            }
            let client = client.as_ref().expect("it was opened just now");
            below.extend(shown_below::<N>(work, client, &level).await?);
        }
        below.retain(|node| seen.insert(*node));
        if below.is_empty() {
            return Ok(levels);
        }
        level = below;
    }
    Ok(most + 1)
}

/// A connection to the read model of a tree that shows all that was placed up to the version of the
/// tree that the append asserts: the head is read after that version.
async fn complete_read_model<N: Node>(work: &mut Work) -> Result<Object, Failure> {
    work.load::<Tree>(TreeId::of(N::TREE)).await?;
    let head = work.head().await?;
    let views = work.lent::<Views>().ok_or_else(|| unavailable(()))?;
    views.wait(&[N::READ_MODEL], head).await.map_err(unavailable)?;
    Ok(views.client().await.map_err(unavailable)?)
}

async fn shown_below<N: Node>(
    work: &Work,
    client: &Object,
    level: &[Uuid],
) -> Result<Vec<Uuid>, Failure> {
    let mut shown = N::right_below(client, level).await.map_err(unavailable)?;
    shown.retain(|(node, parent)| {
        stands_below::<N>(work, *node).is_none_or(|now| now == Some(*parent))
    });
    Ok(shown.into_iter().map(|(node, _)| node).collect())
}

/// What this unit of work has put right below some.
fn placed_here<N: Node>(work: &Work, level: &[Uuid]) -> Vec<Uuid> {
    let Some(Placed(placed)) = work.lent::<Placed>() else { return vec![] };
    let below = |parent: &Uuid| {
        let nodes = placed.get(parent).into_iter().flatten().copied();
        let parent = Some(*parent);
        nodes.filter(move |node| stands_below::<N>(work, *node) == Some(parent)).collect()
    };
    level.iter().flat_map::<Vec<Uuid>, _>(below).collect()
}

fn unavailable<E>(_: E) -> Problem {
    Problem::unavailable("the read models do not answer")
}

/// What something stands below, if it is loaded and there.
#[allow(clippy::option_option, reason = "not loaded is one thing, a root another")]
fn stands_below<N: Node>(work: &Work, id: Uuid) -> Option<Option<Uuid>> {
    work.get::<N>(id)?.parent()
}

/// Records a place below another, for those who count levels at the same time.
pub(crate) async fn record<N: Node>(
    work: &mut Work,
    node: Uuid,
    parent: Option<Uuid>,
) -> Result<(), Failure> {
    let Some(parent) = parent else { return Ok(()) };
    work.lent_mut::<Placed>().0.entry(parent).or_default().push(node);
    let tree = N::TREE;
    work.decide::<Tree>(TreeId::of(tree), tree::Command::Place { tree, node, parent }).await?;
    Ok(())
}
