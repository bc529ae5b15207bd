//! The product-specific parts of the OpenAPI document: groups of operations, and examples.

use service_kit::document::{About, Group};

/// For [`service_kit::document::describe`].
pub const ABOUT: About = About {
    tags: &[
        Group {
            name: "parties",
            description: "Companies, their employees, and the assignment of representatives",
            resources: &["companies", "employees", "territories"],
        },
        Group {
            name: "catalogue",
            description: "Products, categories, product codes and assortments",
            resources: &["products", "categories", "catalogue", "assortments", "product-codes"],
        },
        Group {
            name: "pricing",
            description: "Price agreements, discounts, and the explanation of prices",
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
            description: "Stock, warehouses and backorders",
            resources: &["stock", "warehouses", "backorders"],
        },
        Group {
            name: "fulfilment",
            description: "Pick lists and shipments",
            resources: &["pick-lists", "pick-queue", "shipments"],
        },
        Group {
            name: "billing",
            description: "Invoices, credit notes, returns, payments and balances",
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
            description: "Conversations, the inbox and the live feed",
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
    read_model_header: (
        "Kontor-Set-Aside",
        "The number of items omitted from this answer because one of their events could not be \
         applied to the read model; absent if there are none.",
    ),
};
