// Places the order of the README with openapi-fetch and the types of openapi-typescript.
import createClient from "openapi-fetch";
import type { paths } from "./generated/kontor";

const { KONTOR_URL, KONTOR_KEY, KONTOR_COMPANY, KONTOR_SKU } = process.env;
const kontor = createClient<paths>({
  baseUrl: KONTOR_URL,
  headers: { Authorization: `Bearer ${KONTOR_KEY}` },
});

async function main() {
  const placed = await kontor.POST("/v1/orders", {
    params: { header: { "Idempotency-Key": "fetch" } },
    body: {
      company: KONTOR_COMPANY,
      currency: "PLN",
      lines: [{ sku: KONTOR_SKU, quantity: "2" }],
      payment_term: { kind: "net", days: 14 },
    },
  });
  if (placed.error) throw new Error(JSON.stringify(placed.error));
  const order = await kontor.GET("/v1/orders/{id}", {
    params: { path: { id: placed.data.id }, query: { wait_for: placed.data.position } },
  });
  if (order.error) throw new Error(JSON.stringify(order.error));
  const refused = await kontor.POST("/v1/orders", { body: { currency: "PLN", lines: [] } });
  if (!refused.error?.code) throw new Error("a refused order has a code");
  console.log(`placed ${order.data.id} ${order.data.status}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
