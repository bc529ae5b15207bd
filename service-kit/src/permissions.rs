//! Permissions: which roles may do what. Authorisation, the OpenAPI document and the access test
//! read this table.

use crate::access::{Allowed, KeyRole};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $($role:ident),+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Allowed for $name {
            const ROLES: &'static [KeyRole] = &[$(KeyRole::$role),+];
        }
    )+};
}

permissions! {
    /// Read orders, products and other data of the trade; buyers only their own.
    ReadTrade: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser, Approver,
        Integrator, Auditor;
    /// Read invoices, payments and balances.
    ReadAccounts: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Approver, Integrator,
        Auditor;
    /// Read stock levels.
    ReadStock: Admin, Sales, SalesManager, Warehouse;
    /// Read stock per warehouse and its movements.
    ReadWarehouses: Admin, Sales, SalesManager, Warehouse, Auditor;
    /// Read backorders: the seller's employees, and a company its own.
    ReadBackorders: Admin, Sales, SalesManager, Warehouse, CompanyAdmin, Purchaser, Approver, Auditor;
    /// Read employees and pending approvals: the seller's sales employees, and a company its own.
    ReadPeople: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// Read offers and negotiations.
    ReadNegotiations: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver, Integrator, Auditor;
    /// Read carts and order lists: the seller's sales employees, and a company its own.
    ReadCarts: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// Read the event history.
    ReadHistory: Admin, Integrator, Auditor;
    /// Read refusals of policies, API keys and internal states.
    Audit: Admin, Auditor;
    /// Operate the installation.
    Operator: Admin;
    /// Sell: offers, negotiations, companies.
    Sales: Admin, Sales, SalesManager;
    /// Manage products and prices.
    Pricing: Admin, SalesManager;
    /// Manage payments and credit notes.
    Bookkeeping: Admin, Accounting;
    /// Manage payment terms and credit limits.
    CreditTerms: Admin, SalesManager, Accounting;
    /// Release and refuse orders on credit hold.
    CreditHolds: Admin, Accounting;
    /// Read credit accounts: the seller's employees, and a company its own.
    ReadCredit: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Auditor;
    /// Read pick lists and the pick queue.
    ReadPicking: Admin, Sales, SalesManager, Warehouse;
    /// Pick and dispatch goods.
    Dispatch: Admin, SalesManager, Warehouse;
    /// Open, rename and close warehouses.
    WarehouseAdministration: Admin, SalesManager;
    /// Manage delivery addresses: the seller's sales employees, or a company its own.
    Addresses: Admin, Sales, SalesManager, CompanyAdmin;
    /// Answer and close returns and complaints.
    ReturnDecisions: Admin, Sales, SalesManager, Accounting;
    /// Credit or replace what was returned or complained about.
    ReturnCredits: Admin, SalesManager, Accounting;
    /// Order: a company's purchasers, or the seller's sales employees on behalf of a company.
    Ordering: Admin, Sales, SalesManager, CompanyAdmin, Purchaser;
    /// Answer offers for a company.
    Buyers: CompanyAdmin, Purchaser;
    /// Mark offers as viewed for a company.
    OfferReaders: CompanyAdmin, Purchaser, Approver;
    /// Manage employees: the seller's, or a company its own.
    EmployeeAdministration: Admin, CompanyAdmin;
    /// Name a substitute during an absence.
    Leave: Admin, Sales, SalesManager, CompanyAdmin, Approver;
    /// Approve orders of a company; the domain checks the approver.
    BuyerApprovals: CompanyAdmin, Purchaser, Approver;
    /// Approve on either side.
    Approvals: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// Write messages on an offer or a negotiation.
    OfferMessages: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// Write messages on an order.
    OrderMessages: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser, Approver;
    /// Write messages on a return.
    ReturnMessages: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser,
        Approver;
    /// Write messages on an invoice.
    InvoiceMessages: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Approver;
}
