//! Who bought, and where the goods go, as it was when a document was issued.
//!
//! A document names its company, and its delivery address, by id; names and addresses change later.
//! So each read model of documents also reads the companies, into a table of its own, and an issued
//! document copies what stands there. Events are applied in the order of the log, which makes the
//! copy exact, also for documents of the past and in rebuilds.
//!
//! Of a company that is set aside nothing is copied: missing is better than out of date.

use domain::{Address, CompanyId, Name, TaxId, VatNumber, company};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::types::Json;

use crate::{Change, SetAside, projection::change};

/// A company as a document names it: as it was when the document was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Buyer {
    /// Legal name.
    pub name: Name,
    /// Its number at its tax office.
    pub tax_id: TaxId,
    /// By which it is known in trade between member states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<VatNumber>,
    /// Where its invoices go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
}

/// Whether what a read model sets aside is something of which its documents would only copy a part: no
/// document is left out, later ones show nothing of it.
pub fn is_copied(view: &str, aside: &SetAside) -> bool {
    matches!(
        (view, aside.stream_type.as_str()),
        ("invoices" | "orders" | "shipments", "company") | ("shipments", "order")
    )
}

/// The statements that keep the companies of a read model; [`buyers`] makes them.
pub(crate) struct Buyers {
    pub(crate) register: &'static str,
    pub(crate) amend: &'static str,
    /// `None` where documents name no delivery address.
    pub(crate) places: Option<Places>,
}

/// Those that keep their delivery addresses, and the companies above them, whose addresses they may use.
pub(crate) struct Places {
    pub(crate) add: &'static str,
    pub(crate) drop: &'static str,
    pub(crate) join: &'static str,
}

/// `buyers_table!("invoice_buyers")`: the table of companies, for the schema of a read model.
macro_rules! buyers_table {
    ($table:literal) => {
        concat!(
            "CREATE TABLE ",
            $table,
            " (
                company_id uuid PRIMARY KEY,
                -- What documents copy.
                buyer jsonb NOT NULL,
                -- The firm above it.
                parent_id uuid,
                -- By address id.
                delivery_addresses jsonb NOT NULL DEFAULT '{}'
            );"
        )
    };
}

/// `buyers!("invoice_buyers")`: the statements that keep this table, `buyers!("…", places)` with
/// delivery addresses.
macro_rules! buyers {
    ($table:literal) => {
        buyers!($table, None)
    };
    ($table:literal, places) => {
        buyers!(
            $table,
            Some($crate::buyer::Places {
                add: concat!(
                    "UPDATE ",
                    $table,
                    " SET delivery_addresses = delivery_addresses
                        || jsonb_build_object($2::text, $3::jsonb) WHERE company_id = $1"
                ),
                drop: concat!(
                    "UPDATE ",
                    $table,
                    " SET delivery_addresses = delivery_addresses - $2::text WHERE company_id = $1"
                ),
                join: concat!("UPDATE ", $table, " SET parent_id = $2 WHERE company_id = $1"),
            })
        )
    };
    ($table:literal, $places:expr) => {
        $crate::buyer::Buyers {
            register: concat!("INSERT INTO ", $table, " (company_id, buyer) VALUES ($1, $2)"),
            amend: concat!("UPDATE ", $table, " SET buyer = buyer || $2 WHERE company_id = $1"),
            places: $places,
        }
    };
}

/// `buyer_of!("invoices", "invoice_buyers", "$4")`: in SQL of this read model, what a document copies
/// of this company.
macro_rules! buyer_of {
    ($view:literal, $table:literal, $company:literal) => {
        concat!(
            "(SELECT firm.buyer FROM ",
            $table,
            " firm WHERE firm.company_id = ",
            $company,
            " AND NOT EXISTS (SELECT FROM set_aside aside WHERE aside.projection = '",
            $view,
            "' AND aside.key_id = firm.company_id))"
        )
    };
}

/// `place_of!("orders", "order_buyers", "$2", "$8::text")`: in SQL of this read model, the delivery
/// address of this id that a company may use: its own, else that of the nearest company above it.
macro_rules! place_of {
    ($view:literal, $table:literal, $company:literal, $address:expr) => {
        concat!(
            "(WITH RECURSIVE line AS (
                SELECT firm.delivery_addresses -> ",
            $address,
            " AS place, firm.parent_id, ARRAY[firm.company_id] AS seen
                FROM ",
            $table,
            " firm WHERE firm.company_id = ",
            $company,
            " AND ",
            $address,
            " IS NOT NULL AND NOT EXISTS (SELECT FROM set_aside aside
                    WHERE aside.projection = '",
            $view,
            "' AND aside.key_id = firm.company_id)
                UNION ALL
                SELECT firm.delivery_addresses -> ",
            $address,
            ", firm.parent_id, line.seen || firm.company_id
                FROM line CROSS JOIN LATERAL (
                    -- One look into the index for each, whatever the planner thinks of their number.
                    SELECT * FROM ",
            $table,
            " WHERE company_id = line.parent_id LIMIT 1) AS firm
                WHERE line.place IS NULL AND firm.company_id <> ALL(line.seen)
                    AND NOT EXISTS (SELECT FROM set_aside aside WHERE aside.projection = '",
            $view,
            "' AND aside.key_id = firm.company_id))
            SELECT place FROM line WHERE place IS NOT NULL)"
        )
    };
}

pub(crate) use {buyer_of, buyers, buyers_table, place_of};

impl Buyers {
    /// What an event of a company changes in the table.
    pub(crate) fn changed(
        &self,
        recorded: &RecordedEvent,
        event: &company::Event,
    ) -> Option<Change> {
        use company::Event as E;
        let id = recorded.stream_id;
        let amended = |part: Value| Some(change!(self.amend, id, Json(part)));
        let joined = |parent: Option<CompanyId>| {
            self.places
                .as_ref()
                .map(|places| change!(places.join, id, parent.map(|company| company.0)))
        };
        match event {
            E::Registered {
                id, profile: company::Profile { name, tax_id, reference: _ }, ..
            } => {
                let buyer = Buyer {
                    name: name.clone(),
                    tax_id: tax_id.clone(),
                    vat_number: None,
                    billing_address: None,
                };
                Some(change!(self.register, id.0, Json(buyer)))
            }
            E::Renamed { name } => amended(json!({ "name": name })),
            E::VatNumberNoted { vat_number } => amended(json!({ "vat_number": vat_number })),
            E::BillingMoved { address } => amended(json!({ "billing_address": address })),
            E::DeliveryAddressAdded { id: address, place } => {
                let places = self.places.as_ref()?;
                Some(change!(places.add, id, address.to_string(), Json(place.clone())))
            }
            E::DeliveryAddressDropped { id: address } => {
                let places = self.places.as_ref()?;
                Some(change!(places.drop, id, address.to_string()))
            }
            E::ParentJoined { parent } => joined(Some(*parent)),
            E::ParentLeft {} => joined(None::<CompanyId>),
            E::Verified { .. }
            | E::Suspended { .. }
            | E::Reinstated {}
            | E::PaymentTermAgreed { .. }
            | E::PaymentTermInherited {}
            | E::BankAccountAdded { .. }
            | E::BankAccountDropped { .. }
            | E::BankAccountChecked { .. }
            | E::GroupJoined { .. }
            | E::GroupLeft {}
            | E::CreditGranted { .. }
            | E::CreditLimitLifted { .. }
            | E::CreditGraceAgreed { .. }
            | E::CreditGraceLifted {}
            | E::PrepaymentRequired {}
            | E::PrepaymentWaived {}
            | E::MinimumOrderAgreed { .. }
            | E::MinimumOrderLifted { .. } => None,
        }
    }
}
