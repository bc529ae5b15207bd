"""Places an order with the client of openapi-python-client."""

import os
from uuid import UUID

from kontor_client import AuthenticatedClient
from kontor_client.api.sales import order_place, order_show
from kontor_client.models import (
    CommandResult,
    Currency,
    LineRequest,
    Order,
    PaymentTermNet,
    PlaceOrder,
)

client = AuthenticatedClient(base_url=os.environ["KONTOR_URL"], token=os.environ["KONTOR_KEY"])
body = PlaceOrder(
    company=UUID(os.environ["KONTOR_COMPANY"]),
    currency=Currency.PLN,
    lines=[LineRequest(sku=os.environ["KONTOR_SKU"], quantity="2")],
    payment_term=PaymentTermNet(kind="net", days=14),
)
placed = order_place.sync(client=client, body=body, idempotency_key="python")
assert isinstance(placed, CommandResult), placed
order = order_show.sync(placed.id, client=client, wait_for=placed.position)
assert isinstance(order, Order), order
print(f"placed {order.id} {order.status}")
