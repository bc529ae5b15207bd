//! A revision of an offer as a PDF document.
//!
//! Buyer, representative and products are shown as of the time when the revision was sent; for a
//! draft, as they are now. The seller's letterhead is a setting without history, so the current one
//! is used.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::Aggregate;
use domain::{
    Address, Company, CompanyId, Employee, EmployeeId, OfCompany, Product, employee,
    offer::{OfferedLine, Proposal},
};
use event_log::{EventLog, Loaded, Position};
use jiff::{Timestamp, civil::Date};
use projections::{
    ReadError,
    views::{
        parties::{companies, employees},
        sales::offers::{self, Offer, Status},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadTrade;
use service_kit::problem::{Problem, StatusCode};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    Queries,
    app::names_nothing,
    asker::{Asker, problem},
    documents::{
        self, Buyer, DocumentError, Language,
        offer::{DocumentStatus, OfferDocument, OfferLine, Representative},
    },
};

const VIEWS: &[&str] =
    &[offers::PROJECTION.name, companies::PROJECTION.name, employees::PROJECTION.name];

/// Which document to render.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentQuery {
    /// The language; Polish when not given.
    #[serde(default)]
    pub language: Language,
    /// The revision; the last sent one when not given. For the seller, the draft is the revision
    /// after the last sent one.
    pub revision: Option<u32>,
}

/// A rendered file.
#[derive(Debug)]
pub struct Document {
    /// Its file name without extension.
    pub name: String,
    /// The bytes of the PDF.
    pub pdf: Vec<u8>,
}

/// A revision of an offer as PDF.
pub async fn document(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    DocumentQuery { language, revision }: DocumentQuery,
) -> Result<Document, Problem> {
    asker.require::<ReadTrade>()?;
    let offer = super::one(queries, asker, id).await?;
    let place = documents::LIMIT.take(asker.key()).await?;
    let content = content(queries, asker, offer, language, revision).await?;
    let name = format!("offer-{id}-{}", content.revision);
    let made = place.beside(move || documents::offer::pdf(&content)).await;
    let pdf = made.map_err(DocumentError::from).flatten();
    let pdf = pdf.map_err(|error| Problem::internal(&error))?;
    Ok(Document { name, pdf })
}

async fn content(
    queries: &Queries,
    asker: &Asker,
    offer: Offer,
    language: Language,
    revision: Option<u32>,
) -> Result<OfferDocument, Problem> {
    let letterhead = queries.letterhead.clone().ok_or_else(no_letterhead)?;
    let client = asker.client(queries, VIEWS).await?;
    let number = offer.number.to_string();
    let Text { standing, revision, digest, sent, valid_until, proposal, representative } =
        text(&client, offer, revision).await?;
    let (sent_at, at) = sent.unzip();
    let past = Past { log: &queries.log, at };
    let buyer = buyer(&client, past, proposal.company).await?;
    let representative = representative_of(&client, past, representative).await?;
    let totals = proposal.totals().map_err(|error| Problem::internal(&error))?;
    let saved = proposal.saved().map_err(|error| Problem::internal(&error))?;
    let delivery_date = one_day(&proposal);
    let products = products(past, &proposal).await?;
    let line = |(number, line): (u32, &OfferedLine)| {
        let product = products.get(&Uuid::from(line.line.product)).map(|loaded| &loaded.state);
        let mut shown = offer_line(number, line, &proposal, product, language);
        shown.delivery_date = shown.delivery_date.filter(|_| delivery_date.is_none());
        shown
    };
    Ok(OfferDocument {
        language,
        letterhead,
        buyer,
        number,
        revision,
        digest,
        standing,
        sent_on: sent_at.map(|at| queries.clock.day_of(at)),
        valid_until,
        currency: proposal.currency,
        representative,
        note: proposal.message.as_ref().map(ToString::to_string),
        payment_term: proposal.payment_term,
        delivery_terms: proposal.delivery_terms.clone(),
        delivery_date,
        divisible: proposal.divisible,
        lines: proposal.lines.numbered().map(line).collect(),
        totals,
        discount: (!saved.is_zero()).then_some(saved),
    })
}

fn no_letterhead() -> Problem {
    Problem::new(StatusCode::CONFLICT, "letterhead.missing")
        .detail("documents need the data of the seller: set KONTOR_SELLER")
}

/// A revision and its status.
struct Text {
    standing: DocumentStatus,
    revision: u32,
    digest: Option<String>,
    /// The time and position at which it was sent; `None` for a draft.
    sent: Option<(Timestamp, Position)>,
    valid_until: Date,
    proposal: Proposal,
    representative: Option<EmployeeId>,
}

/// The revision with a number, or the last one; for the seller also the draft.
async fn text(client: &Client, offer: Offer, revision: Option<u32>) -> Result<Text, Problem> {
    let last = offer.stamp.map_or(0, |stamp| stamp.number);
    let revision = revision.unwrap_or(last.max(1));
    let sent = offers::revision(client, offer.id.0, revision).await.map_err(problem)?;
    if let Some(sent) = sent {
        let is_last = revision == last;
        let extended = offer.extended_until.filter(|_| is_last);
        return Ok(Text {
            standing: if is_last { standing(offer.status) } else { DocumentStatus::Superseded },
            revision,
            digest: Some(sent.stamp.digest.to_string()),
            sent: Some((sent.sent_at, sent.position)),
            valid_until: extended.unwrap_or(sent.proposal.valid_until),
            proposal: sent.proposal,
            representative: sent.representative,
        });
    }
    // Buyers do not see internal notes.
    let inside = offer.inside.filter(|_| revision == last + 1);
    let written = inside.and_then(|inside| match last {
        0 => Some((offer.proposal, offer.representative)),
        _ => Some((inside.draft?, inside.representative)),
    });
    let (proposal, representative) = written
        .ok_or_else(|| names_nothing("revision", &format!("the last sent revision is {last}")))?;
    Ok(Text {
        standing: DocumentStatus::Draft,
        revision,
        digest: None,
        sent: None,
        valid_until: proposal.valid_until,
        proposal,
        representative,
    })
}

fn standing(status: Status) -> DocumentStatus {
    match status {
        Status::Drafted | Status::AwaitingApproval | Status::Approved => DocumentStatus::Draft,
        Status::Open | Status::InNegotiation => DocumentStatus::Open,
        Status::Accepted => DocumentStatus::Accepted,
        Status::Rejected => DocumentStatus::Rejected,
        Status::Withdrawn => DocumentStatus::Withdrawn,
        Status::Expired => DocumentStatus::Expired,
    }
}

/// Loads aggregates as of a position, or as they are now.
#[derive(Clone, Copy)]
struct Past<'a> {
    log: &'a EventLog,
    at: Option<Position>,
}

impl Past<'_> {
    async fn many<A: Aggregate + OfCompany + Clone + 'static>(
        self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<Loaded<A>>>, Problem> {
        let found = match self.at {
            Some(at) => self.log.load_many_at::<A>(ids, at).await,
            None => self.log.newest_many::<A>(ids).await,
        };
        found.map_err(|error| problem(ReadError::Log(error)))
    }

    async fn one<A: Aggregate + OfCompany + Clone + 'static>(
        self,
        id: Uuid,
    ) -> Result<Arc<Loaded<A>>, Problem> {
        Ok(self.many::<A>(&[id]).await?.remove(&id).unwrap_or_default())
    }
}

async fn buyer(client: &Client, past: Past<'_>, id: CompanyId) -> Result<Buyer, Problem> {
    let filter = companies::Filter { company: Some(id.0), ..companies::Filter::default() };
    let found = companies::list(client, filter, None, 1).await.map_err(problem)?;
    let present = found.into_iter().next().ok_or_else(|| problem(ReadError::Malformed))?;
    let then = past.one::<Company>(id.0).await?;
    // Events of older builds may have an offer before its company was registered.
    let (name, address) = match then.state.customer() {
        Ok(customer) => (&customer.name, customer.billing_address.as_ref()),
        Err(_) => (&present.profile.name, present.billing_address.as_ref()),
    };
    Ok(Buyer {
        name: name.to_string(),
        address: address.map(lines_of).unwrap_or_default(),
        // It never changes.
        tax_id: Some(present.profile.tax_id),
    })
}

fn lines_of(address: &Address) -> Vec<String> {
    let country = address.country().as_str();
    let recipient = address.recipient().map(ToString::to_string);
    let abroad = (country != "PL").then(|| country.to_owned());
    recipient
        .into_iter()
        .chain([address.street().to_string()])
        .chain([format!("{} {}", address.postal_code(), address.city())])
        .chain(abroad)
        .collect()
}

async fn representative_of(
    client: &Client,
    past: Past<'_>,
    id: Option<EmployeeId>,
) -> Result<Option<Representative>, Problem> {
    let Some(id) = id else { return Ok(None) };
    let named = |profile: &employee::Profile| Representative {
        name: profile.name.to_string(),
        email: Some(profile.email.to_string()),
    };
    if let Employee::Engaged(person) = &past.one::<Employee>(id.0).await?.state {
        return Ok(Some(named(&person.profile)));
    }
    // An employee who had left by then is shown with the name at the time of leaving.
    let filter = employees::Filter { id: Some(id.0), company: None };
    let found = employees::list(client, filter, None, 1).await.map_err(problem)?;
    Ok(found.first().map(|employee| named(&employee.profile)))
}

type Products = HashMap<Uuid, Arc<Loaded<Product>>>;

/// The products, for their units and translated names.
async fn products(past: Past<'_>, proposal: &Proposal) -> Result<Products, Problem> {
    let ids: Vec<Uuid> = proposal.lines.iter().map(|line| line.line.product.into()).collect();
    past.many::<Product>(&ids).await
}

/// The common delivery day of all lines, if there is one.
fn one_day(proposal: &Proposal) -> Option<Date> {
    let first = proposal.lines.first()?.line.deliver_on?;
    proposal.lines.iter().all(|line| line.line.deliver_on == Some(first)).then_some(first)
}

fn offer_line(
    number: u32,
    offered: &OfferedLine,
    proposal: &Proposal,
    product: Option<&Product>,
    language: Language,
) -> OfferLine {
    let line = &offered.line;
    let item = product.and_then(|product| product.item().ok());
    // The Polish name from the revision; other languages from the product at that time.
    let translated = item.and_then(|item| {
        let translations = &item.details().translations;
        translations.iter().find(|(code, _)| code.as_str() == language.code())
    });
    OfferLine {
        number,
        sku: line.sku.to_string(),
        name: translated.map_or(&line.name, |(_, name)| name).to_string(),
        quantity: line.quantity,
        unit: item.map(|item| item.description().unit),
        list_price: offered.listed.filter(|listed| listed.amount() > line.unit_price.amount()),
        discounts: offered.discounts(proposal.discount),
        unit_price: line.unit_price,
        net: line.net(proposal.currency),
        vat_rate: line.vat_rate,
        delivery_date: line.deliver_on,
        choice: offered.choice,
        breaks: offered.breaks.clone(),
        at_most: offered.at_most,
    }
}
