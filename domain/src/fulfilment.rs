//! Fulfilment: goods that are picked and leave.

pub mod pick_list;
pub mod picking;
pub mod shipment;

use crate::kernel::events::events;

pub use pick_list::PickList;
pub use picking::Picking;
pub use shipment::Shipment;

events! {
    /// Of a pick list.
    PickList(pick_list),
    /// Of the picking of an order.
    Picking(picking),
    /// Of a shipment.
    Shipment(shipment),
}
