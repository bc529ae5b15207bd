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
            description: "Quotation requests, offers, negotiations, orders and their approval",
            resources: &[
                "quotation-requests",
                "offers",
                "offer-templates",
                "offer-statistics",
                "negotiations",
                "orders",
                "approvals",
                "approval-rules",
            ],
        },
        Group { name: "inventory", description: "Stock levels", resources: &["stock"] },
        Group { name: "fulfilment", description: "Shipments", resources: &["shipments"] },
        Group {
            name: "billing",
            description: "Invoices, credit notes, payments and balances",
            resources: &["invoices", "credit-notes", "payments", "account-balances"],
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
