#!/usr/bin/env python3
"""Measures what a process costs while nobody asks it anything, and what a lone order costs.

    benches/idle.py target/release/kontor DIRECTORY [ORDERS]

Starts `kontor up` in an empty directory, on servers of its own, and prints transactions a second, CPU of kontor,
PostgreSQL and NATS at rest and for each of some orders that come one at a time, with their latency beside that of a
durable commit of one row, and the orders a second of 1 and 8 clients. Needs psql.
"""

import glob
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

BINARY, DIRECTORY = sys.argv[1], sys.argv[2]
ORDERS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
ORDER = {"currency": "PLN", "lines": [{"sku": "RICE", "quantity": "1"}]}


def started(process):
    while process.poll() is None:
        try:
            with open(f"{DIRECTORY}/run.json") as file:
                run = json.load(file)
            if run["pid"] == process.pid:
                return run
        except (FileNotFoundError, json.JSONDecodeError):
            pass
        time.sleep(0.05)
    raise SystemExit("kontor did not start")


def milliseconds_of(pid):
    """CPU time of all threads of a process."""
    total = 0
    for name in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(name) as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e6


def children_of(pid):
    found = []
    for name in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(name) as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        if int(fields[1]) == pid:
            found.append(int(name.split("/")[2]))
    return found


def cpu(run):
    postgres = run["postgres_pid"]
    return {
        "kontor": milliseconds_of(run["pid"]),
        "PostgreSQL": sum(map(milliseconds_of, [postgres, *children_of(postgres)])),
        "NATS": milliseconds_of(run["nats_pid"]),
    }


def psql(run, sql):
    command = ["psql", "-qAtX", run["database_url"]]
    return subprocess.run(command, input=sql, capture_output=True, text=True, check=True).stdout


def transactions(run):
    return int(psql(run, "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"))


class Client:
    def __init__(self, run, keys):
        url = urllib.parse.urlparse(run["http_url"])
        self.connection, self.keys = http.client.HTTPConnection(url.hostname, url.port), keys

    def ask(self, method, path, key, body=None):
        headers = {"Authorization": f"Bearer {self.keys[key]}", "Content-Type": "application/json"}
        text = json.dumps(body) if body is not None else None
        self.connection.request(method, path, text, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text)


def quantiles(times):
    times = sorted(times)
    return f"p50 {times[len(times) // 2]:.1f} ms, p90 {times[len(times) * 9 // 10]:.1f} ms"


def timed(call):
    begun = time.perf_counter()
    answer = call()
    return answer, (time.perf_counter() - begun) * 1000


def main(process):
    run = started(process)
    with open(f"{DIRECTORY}/keys.json") as file:
        keys = json.load(file)
    client = Client(run, keys)

    # What a start sets going comes to rest.
    time.sleep(4)
    count, before, begun = transactions(run), cpu(run), time.time()
    time.sleep(8)
    after, seconds = cpu(run), time.time() - begun
    # Sessions tell their transactions with a delay of a second.
    time.sleep(1.2)
    rate = (transactions(run) - count) / (time.time() - begun)
    idle = {name: (after[name] - before[name]) / seconds for name in before}
    shown = ", ".join(f"{name} {spent / 10:.2f} %" for name, spent in idle.items())
    print(f"idle: {rate:.0f} transactions/s; of a core: {shown}")

    product = {"sku": "RICE", "name": "Rice", "unit": "piece", "vat_rate": "5",
               "prices": [{"currency": "PLN", "price": "5.00"}]}
    product = client.ask("POST", "/v1/products", "admin", product)["id"]
    client.ask("POST", f"/v1/products/{product}/publish", "admin", {})
    company = {"name": "Grocer", "tax_id": {"kind": "nip", "number": "5260250274"},
               "payment_term": {"kind": "net", "days": 14}}
    company = client.ask("POST", "/v1/companies", "admin", company)["id"]
    client.ask("POST", f"/v1/companies/{company}/verify", "admin", {})
    key = {"name": "grocer", "role": "purchaser", "company": company}
    keys["grocer"] = client.ask("POST", "/v1/api-keys", "admin", key)["key"]

    def place():
        return client.ask("POST", "/v1/orders", "grocer", ORDER)

    for _ in range(10):
        place()
    time.sleep(1)
    before, begun, times = cpu(run), time.time(), []
    for _ in range(ORDERS):
        times.append(timed(place)[1])
        time.sleep(0.1)
    after, seconds = cpu(run), time.time() - begun
    spent = {name: (after[name] - before[name] - idle[name] * seconds) / ORDERS for name in before}
    shown = ", ".join(f"{name} {one:.1f} ms" for name, one in spent.items())
    print(f"a lone order: {quantiles(times)}; CPU {sum(spent.values()):.1f} ms: {shown}")

    times = []
    for _ in range(ORDERS):
        order = place()
        path = f"/v1/orders/{order['id']}?wait_for={order['position']}"
        times.append(timed(lambda: client.ask("GET", path, "grocer"))[1])
        time.sleep(0.05)
    print(f"reading it with wait_for: {quantiles(times)}")
    commits = "CREATE TABLE commits (n int);\n" + "INSERT INTO commits VALUES (1);\n" * 500
    print(f"a durable commit of one row: {timed(lambda: psql(run, commits))[1] / 500:.2f} ms")

    for clients in (1, 8):
        counts, end = [0] * clients, time.time() + 8

        def work(number):
            own = Client(run, keys)
            while time.time() < end:
                own.ask("POST", "/v1/orders", "grocer", ORDER)
                counts[number] += 1

        before, begun = cpu(run), time.time()
        threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after, seconds = cpu(run), time.time() - begun
        spent = ", ".join(f"{name} {(after[name] - before[name]) / sum(counts):.2f} ms" for name in before)
        print(f"{clients} clients: {sum(counts) / seconds:.0f} orders/s; CPU of each: {spent}")


os.makedirs(DIRECTORY, exist_ok=True)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KONTOR_")}
COMMAND = [BINARY, "up", "--no-seed", "--listen", "127.0.0.1:0", "--dir", DIRECTORY]
with open(f"{DIRECTORY}/output", "w") as output:
    PROCESS = subprocess.Popen(COMMAND, env=ENVIRONMENT, stdout=output, stderr=output)
try:
    main(PROCESS)
finally:
    PROCESS.terminate()
    PROCESS.wait()
