// Deposits per second with emmett's PostgreSQL store: one event a command, its own account a
// client, through CommandHandler, with a pool of as many connections as PostgreSQL likes.
//
// Arguments: database URL, clients, seconds to warm up, seconds to measure.
import { CommandHandler } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { randomUUID } from 'node:crypto';
import pg from 'pg';

const [url, clients, warmUp, measure] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 40 });
const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
await store.schema.migrate();

const handle = CommandHandler({
  evolve: (_state, { data }) => ({ balance: data.balance }),
  initialState: () => ({ balance: 0 }),
});
const begin = Date.now() + Number(warmUp) * 1000;
const end = begin + Number(measure) * 1000;
let done = 0;

const client = async () => {
  while (Date.now() < end) {
    const account = `account-${randomUUID()}`;
    for (let count = 0; count < 100 && Date.now() < end; count += 1) {
      await handle(store, account, (state) => ({
        type: 'Deposited',
        data: { amount: 1, balance: state.balance + 1 },
      }));
      const now = Date.now();
      if (now >= begin && now < end) done += 1;
    }
  }
};
await Promise.all(Array.from({ length: Number(clients) }, client));
console.log(done / Number(measure));
process.exit(0);
