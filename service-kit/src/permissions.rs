//! Permissions: which roles may do what. Authorisation, the OpenAPI document and the test of every route read this
//! one table.

use crate::access::{Allowed, Role};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $($role:ident),+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Allowed for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        }
    )+};
}

permissions! {
    /// To read the trade: everybody, as far as it concerns them.
    ReadTrade: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser, Approver,
        Integrator, Auditor;
    /// To read what is owed and paid.
    ReadAccounts: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Approver, Integrator,
        Auditor;
    /// To read stock levels.
    ReadStock: Admin, Sales, SalesManager, Warehouse;
    /// To read stock per warehouse and its movements.
    ReadWarehouses: Admin, Sales, SalesManager, Warehouse, Auditor;
    /// To read which order lines wait for goods: the seller's people, and a company its own.
    ReadBackorders: Admin, Sales, SalesManager, Warehouse, CompanyAdmin, Purchaser, Approver, Auditor;
    /// To read who works where and which approvals wait: the seller's sales, and a company its own.
    ReadPeople: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// To read offers and negotiations.
    ReadNegotiations: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver, Integrator, Auditor;
    /// To read carts and order lists: the seller's sales, and a company its own.
    ReadCarts: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// To read the history of events.
    ReadHistory: Admin, Integrator, Auditor;
    /// To read refusals of policies, API keys and internal states.
    Audit: Admin, Auditor;
    /// To operate the installation.
    Operator: Admin;
    /// To sell: offers, negotiations, customers.
    Sales: Admin, Sales, SalesManager;
    /// To decide what is sold at which price.
    Pricing: Admin, SalesManager;
    /// To keep the books: payments, credit notes, number series.
    Bookkeeping: Admin, Accounting;
    /// To decide on payment terms and credit limits.
    CreditTerms: Admin, SalesManager, Accounting;
    /// To release and refuse orders on credit hold.
    CreditHolds: Admin, Accounting;
    /// To read what a company owes against its credit limit: the seller's, or a company its own.
    ReadCredit: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Auditor;
    /// To read what is to be picked.
    ReadPicking: Admin, Sales, SalesManager, Warehouse;
    /// To pick and dispatch goods.
    Dispatch: Admin, SalesManager, Warehouse;
    /// To open, rename and close warehouses.
    WarehouseAdministration: Admin, SalesManager;
    /// To keep delivery addresses: the seller's sales, or a company its own.
    Addresses: Admin, Sales, SalesManager, CompanyAdmin;
    /// To answer returns and complaints, and to close them.
    ReturnDecisions: Admin, Sales, SalesManager, Accounting;
    /// To credit or replace what was returned or complained about.
    ReturnCredits: Admin, SalesManager, Accounting;
    /// To order: a company's purchasers, or the seller's sales on behalf of a company.
    Ordering: Admin, Sales, SalesManager, CompanyAdmin, Purchaser;
    /// To answer offers for a company.
    Buyers: CompanyAdmin, Purchaser;
    /// To mark offers as read for a company.
    OfferReaders: CompanyAdmin, Purchaser, Approver;
    /// To administer employees: the seller's, or a company its own.
    EmployeeAdministration: Admin, CompanyAdmin;
    /// To go on leave and name a substitute.
    Leave: Admin, Sales, SalesManager, CompanyAdmin, Approver;
    /// To approve what a company's purchasers do; the domain checks who was asked.
    BuyerApprovals: CompanyAdmin, Purchaser, Approver;
    /// The same on either side.
    Approvals: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// To write messages about an offer or a negotiation.
    OfferMessages: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// To write messages about an order.
    OrderMessages: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser, Approver;
    /// To write messages about a return.
    ReturnMessages: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser,
        Approver;
    /// To write messages about an invoice.
    InvoiceMessages: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Approver;
}
