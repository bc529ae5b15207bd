//! What the OpenAPI document says of trade: the groups of its operations, and examples.

use service_kit::document::{About, Group};

/// For [`service_kit::document::describe`].
pub const ABOUT: About = About {
    tags: &[
        Group {
            name: "parties",
            description: "Companies, their employees, and who looks after them",
            resources: &["companies", "employees", "territories"],
        },
        Group {
            name: "catalogue",
            description: "Products, their categories and codes, and who sees what",
            resources: &["products", "categories", "catalogue", "assortments", "product-codes"],
        },
        Group {
            name: "pricing",
            description: "Price agreements, discounts, and how a price came about",
            resources: &["prices", "price-agreements", "discounts"],
        },
        Group {
            name: "sales",
            description: "Carts, quotation requests, offers, negotiations, orders and their approval",
            resources: &[
                "carts",
                "order-lists",
                "quotation-requests",
                "offers",
                "offer-templates",
                "offer-statistics",
                "negotiations",
                "orders",
                "standing-orders",
                "late-orders",
                "approvals",
                "approval-rules",
            ],
        },
        Group {
            name: "inventory",
            description: "Goods in the warehouses",
            resources: &["stock", "warehouses", "backorders"],
        },
        Group {
            name: "fulfilment",
            description: "What is picked and leaves",
            resources: &["pick-lists", "pick-queue", "shipments"],
        },
        Group {
            name: "billing",
            description: "Invoices, credit notes, returns, payments, and what is owed",
            resources: &[
                "invoices",
                "credit-notes",
                "returns",
                "payments",
                "account-balances",
                "bought-products",
            ],
        },
        Group {
            name: "messaging",
            description: "Conversations, the inbox, and what happens as it happens",
            resources: &["conversations", "inbox", "live"],
        },
        Group {
            name: "operations",
            description: "API keys, policies, history, imports and exports",
            resources: &["api-keys", "policies", "events", "history", "imports", "exports"],
        },
    ],
    bodies: include_str!("api/bodies.json"),
    values: include_str!("api/values.json"),
};
