"""Deposits per second with eventsourcing and PostgreSQL: one event a command, its own account a
client, aggregates in its cache, as its documentation recommends for speed.

Arguments: database URL, clients, seconds to warm up, seconds to measure. Python runs one thread at a
time, so the clients are spread over two processes, one a core."""

import multiprocessing
import os
import sys
import threading
import time
from urllib.parse import urlparse

PROCESSES = 2


def work(url, clients, begin, end, counts, index, create="n"):
    parsed = urlparse(url)
    os.environ.update(
        PERSISTENCE_MODULE="eventsourcing.postgres",
        POSTGRES_DBNAME=parsed.path.lstrip("/"),
        POSTGRES_HOST=parsed.hostname,
        POSTGRES_PORT=str(parsed.port),
        POSTGRES_USER=parsed.username or "",
        POSTGRES_PASSWORD=parsed.password or "",
        POSTGRES_POOL_SIZE=str(min(clients, 40)),
        POSTGRES_MAX_OVERFLOW="20",
        POSTGRES_POOL_TIMEOUT="60",
        AGGREGATE_CACHE_MAXSIZE="10000",
        CREATE_TABLE=create,
    )
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Account(Aggregate):
        def __init__(self):
            self.balance = 0

        @event("Deposited")
        def deposit(self, amount, balance):
            self.balance = balance

    application = Application()
    done = [0] * clients

    def client(number):
        while time.time() < end:
            account = Account()
            application.save(account)
            for _ in range(100):
                account = application.repository.get(account.id)
                account.deposit(1, account.balance + 1)
                application.save(account)
                now = time.time()
                if now >= end:
                    return
                if now >= begin:
                    done[number] += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts[index] = sum(done)


def main():
    url, clients, warm_up, measure = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    # The first process makes the tables; racing for them is no part of the measure.
    counts = multiprocessing.Array("q", PROCESSES)
    setup = multiprocessing.Process(target=work, args=(url, 1, time.time(), time.time(), counts, 0, "y"))
    setup.start()
    setup.join()
    begin = time.time() + warm_up
    share = max(1, clients // PROCESSES)
    workers = [
        multiprocessing.Process(target=work, args=(url, share, begin, begin + measure, counts, n))
        for n in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(sum(counts) / measure)


if __name__ == "__main__":
    main()
