//! Trees: parents, and the depth of a moved subtree. This file has the company tree; aggregates of
//! other trees implement [`Node`].

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

/// An aggregate that is part of a tree.
pub(crate) trait Node: Aggregate + OfCompany + Clone + 'static {
    /// The tree.
    const TREE: Kind;
    /// The read model of the tree.
    const READ_MODEL: &'static str;

    /// The parent, if the node exists.
    #[allow(clippy::option_option, reason = "a missing node differs from a root")]
    fn parent(&self) -> Option<Option<Uuid>>;

    /// The children of nodes in the read model, each with its parent.
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

/// The children that this unit of work has added; the read models do not show them yet.
#[derive(Debug, Default)]
struct Placed(BTreeMap<Uuid, Vec<Uuid>>);

/// Sets or removes the parent of a company.
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

/// The number of levels below a node that will be moved. Not needed for a node that is already
/// below this parent, a new node, or a node that becomes a root.
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

/// The number of levels below a node.
async fn levels_below<N: Node>(work: &mut Work, id: Uuid) -> Result<usize, Failure> {
    let mut client = None;
    let mut seen = BTreeSet::from([id]);
    let mut level = vec![id];
    // Counting stops above the limit.
    let most = N::TREE.most_above();
    for levels in 0..=most {
        let mut below = placed_here::<N>(work, &level);
        // A node created in this unit of work is not in the read models.
        level.retain(|node| !work.is_new::<N>(*node));
        if !level.is_empty() {
            if client.is_none() {
                client = Some(complete_read_model::<N>(work).await?);
            }
            let client = client.as_ref().expect("opened above");
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

/// A connection to the read model of a tree. It has reached the head, which is read after the
/// version of the tree that the append asserts, so it shows every change up to that version.
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

/// The children that this unit of work has added below nodes.
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
    Problem::unavailable("the read models are unavailable")
}

/// The parent of a node, if the node is loaded and exists.
#[allow(clippy::option_option, reason = "a node that is not loaded differs from a root")]
fn stands_below<N: Node>(work: &Work, id: Uuid) -> Option<Option<Uuid>> {
    work.get::<N>(id)?.parent()
}

/// Records the change in the stream of the tree, so that concurrent changes conflict.
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
