// Places an order with the client of openapi-generator's typescript-fetch.
import { Configuration, SalesApi } from "./generated/typescript-fetch/index";

const { KONTOR_URL, KONTOR_KEY, KONTOR_COMPANY, KONTOR_SKU } = process.env;
const sales = new SalesApi(new Configuration({ basePath: KONTOR_URL, accessToken: KONTOR_KEY }));

async function main() {
  const placed = await sales.orderPlace({
    idempotencyKey: "typescript-fetch",
    placeOrder: {
      company: KONTOR_COMPANY,
      currency: "PLN",
      lines: [{ sku: KONTOR_SKU, quantity: "2" }],
      paymentTerm: { kind: "net", days: 14 },
    },
  });
  const order = await sales.orderShow({ id: placed.id, waitFor: placed.position });
  console.log(`placed ${order.id} ${order.status}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
