//! Every event type is applied to every read model: each statement fits the tables, and each row
//! can be read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::{ActorId, Side, history};
use event_log::{Append, Envelope, NewEvent, StreamWrite};
use projections::views::{
    self,
    billing::{account_balances, goods_returns, invoices, payments},
    catalogue::catalogue,
    fulfilment::shipments,
    messaging::conversations,
    parties::{companies, employees, territories},
    sales::{
        approvals, inboxes, offer_statistics, offer_templates, offers, orders, quotation_requests,
        standing_orders,
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::trade::Instance;

#[tokio::test]
async fn every_event_passes_through_every_read_model() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);

    for file in sample_files() {
        let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let stem = format!("{}.{}", name(file.parent().unwrap()), name(&file));
        append(&instance, &stem, fs::read_to_string(&file).unwrap()).await;
    }
    let names = views::ALL.map(|projection| projection.name);
    let head = instance.log.head().await.unwrap();
    // A statement that does not fit its table stops its read model before the head.
    views.wait(&names, head).await.unwrap();

    let client = views.client().await.unwrap();
    let today = "2026-12-08".parse().unwrap();
    let documents = invoices::Filter { today, id: None, company: None, number: None };
    let documents = invoices::list(&client, &documents, None, 9).await.unwrap();
    assert_eq!(documents.len(), 2, "an invoice and a credit note");
    let overdue = documents.iter().filter(|item| item.status == invoices::Status::Overdue).count();
    assert_eq!(overdue, 1, "the invoice was due the day before, the credit note is never");
    let balances = account_balances::Filter { today, company: None, reference: None };
    assert_eq!(account_balances::list(&client, &balances, None, 9).await.unwrap().len(), 1);
    let products = catalogue::Filter::default();
    assert_eq!(catalogue::list(&client, &products, None, 9).await.unwrap().len(), 1);
    assert_eq!(
        companies::list(&client, companies::Filter::default(), None, 9).await.unwrap().len(),
        1
    );
    let drafts = offers::Filter::default();
    assert_eq!(offers::list(&client, &drafts, None, 9).await.unwrap().len(), 1);
    assert_eq!(offer_templates::list(&client, None, None, 9).await.unwrap().len(), 1);
    let asked = quotation_requests::Filter::default();
    assert_eq!(quotation_requests::list(&client, asked, None, 9).await.unwrap().len(), 1);
    assert_eq!(territories::holding(&client).await.unwrap().territories.len(), 2);
    let placed = orders::Filter::default();
    assert_eq!(orders::list(&client, &placed, None, 9).await.unwrap().len(), 1);
    assert_eq!(payments::list(&client, None, None, None, 9).await.unwrap().len(), 1);
    let returned = goods_returns::Filter::default();
    assert_eq!(goods_returns::summaries(&client, returned, None, 9).await.unwrap().len(), 1);
    let whole = goods_returns::one(&client, returned, true).await.unwrap().unwrap();
    assert_eq!(whole.lines.len(), 2);
    let standing = standing_orders::Filter::default();
    let standing = standing_orders::summaries(&client, &standing, None, 9).await.unwrap();
    let [standing] = &standing[..] else { panic!("one was started: {standing:?}") };
    let whole = standing_orders::find(&client, standing.id.0, None).await.unwrap().unwrap();
    assert_eq!(whole.upcoming.len(), 12);
    let dispatched = shipments::Filter::default();
    let dispatched = shipments::list(&client, &dispatched, None, 9).await.unwrap();
    assert_eq!(dispatched.len(), 2, "one was prepared, one left at once");
    let sellers = approvals::Filter { sellers: true, ..approvals::Filter::default() };
    let asked = approvals::list(&client, &sellers, None, 9).await.unwrap();
    assert_eq!(asked.len(), 1, "the seller asks itself about one offer");
    let sellers = inboxes::Filter {
        side: Side::Seller,
        company: None,
        waiting: None,
        kind: None,
        until: None,
        employee: None,
    };
    // Each sample is a stream of its own, so what they begin is never ended.
    let waits = inboxes::list(&client, sellers, None, 9).await.unwrap();
    let kinds: Vec<_> = waits.iter().map(|item| item.kind).collect();
    assert_eq!(
        kinds,
        [inboxes::Kind::Negotiation, inboxes::Kind::Offer, inboxes::Kind::QuotationRequest]
    );
    let buyers = inboxes::Filter { side: Side::Buyer, ..sellers };
    let waits = inboxes::list(&client, buyers, None, 9).await.unwrap();
    let kinds: Vec<_> = waits.iter().map(|item| item.kind).collect();
    assert_eq!(
        kinds,
        [inboxes::Kind::Negotiation, inboxes::Kind::QuotationRequest],
        "the offer is a draft"
    );
    let all = offer_statistics::Filter::default();
    let counted = offer_statistics::list(&client, all, None, 9).await.unwrap();
    assert_eq!(counted.len(), 0, "what was not sent does not count");
    let staff = employees::Filter::default();
    assert_eq!(employees::list(&client, staff, None, 9).await.unwrap().len(), 1);
    let everything = conversations::Filter {
        asker: ActorId(Uuid::nil()),
        side: Side::Seller,
        id: None,
        company: None,
        kinds: &["order"],
        unread: true,
    };
    let threads = conversations::list(&client, &everything, None, 9).await.unwrap();
    assert_eq!(threads.iter().map(|thread| thread.unread).collect::<Vec<_>>(), [1]);
    assert_eq!(threads[0].last.attachments.len(), 1);
    cancel.cancel();
}

/// The frozen sample of every event, by aggregate and name.
fn sample_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/samples");
    let entries = |folder: &Path| {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let contexts = entries(&folder);
    let aggregates: Vec<_> = contexts.iter().flat_map(|folder| entries(folder)).collect();
    let mut files: Vec<_> = aggregates.iter().flat_map(|folder| entries(folder)).collect();
    files.sort_by_key(|file| {
        (file.parent().unwrap().file_name().map(ToOwned::to_owned), file.clone())
    });
    assert!(files.len() >= 28, "a frozen sample of every event");
    files
}

/// Records a sample such as `offer.sent.v1` in a stream of its own.
async fn append(instance: &Instance, name: &str, payload: String) {
    let (event_type, version) = name.rsplit_once(".v").unwrap();
    let stream_type = history::aggregates()
        .find(|kind| event_type.split('.').next() == Some(kind))
        .unwrap_or_else(|| panic!("{name} is of no aggregate"));
    let id = Uuid::now_v7();
    let envelope = Envelope {
        command_id: id,
        remember: None,
        actor: "test".to_owned(),
        correlation_id: id,
        causation_id: None,
    };
    let event = NewEvent {
        event_type: event_type.to_owned().into(),
        schema_version: version.parse().unwrap(),
        payload,
    };
    let write = StreamWrite {
        stream_type,
        stream_id: id,
        expected: 0,
        // The company of all samples.
        company_id: Some("00000000-0000-7000-8000-000000000001".parse().unwrap()),
        events: vec![event],
    };
    let append = Append { envelope, writes: vec![write], reads: Vec::new(), answer: (id, 0) };
    instance.log.append(append).await.unwrap();
}
