#!/usr/bin/env python3
"""Holds a running system to its OpenAPI document, with schemathesis.

    run.py GATEWAY SCRATCH SECONDS

It takes SECONDS, and longer if an operation has answered no request with 2xx by then.

Links and domains are made first, so that requests about one find one. The run fails on an answer of
500 or above, on a warning that says that something was not tested, and on an operation that
answered no request with 2xx.
"""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

KEPT, DOOMED = 20, 200
# How often it is tried, each time longer, until each operation was answered with 2xx.
TURNS = 4
# The others are about what is refused by design, or cannot be read: pictures.
WARNINGS = ["missing_auth", "missing_test_data", "unsupported_regex", "method_not_allowed",
            "unmatched_filter", "unresolvable_reference", "rate_limited", "dictionary_mismatch"]
CONFIG = """
[dictionaries]
kept = {{ values = {kept} }}
doomed = {{ values = {doomed} }}
hosts = {{ values = {hosts} }}
versions = {{ values = [1] }}

[parameters]
"path.id" = {{ dictionary = "kept", probability = 0.6 }}
"path.host" = {{ dictionary = "hosts", probability = 0.6 }}

[[operations]]
include-name = "DELETE /api/links/{{id}}"
parameters = {{ "path.id" = {{ dictionary = "doomed", probability = 0.6 }} }}

[[operations]]
include-name = "POST /api/links/{{id}}/rollback"
parameters = {{ "path.id" = {{ dictionary = "kept", probability = 0.8 }}, "body.version" = {{ dictionary = "versions", probability = 0.8 }} }}

[warnings]
fail-on = {warnings}
"""


def ask(gateway, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(gateway + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def seed(gateway):
    """Links that are kept, with a version to go back to; links and domains that may be removed."""
    links = [ask(gateway, "POST", "/api/links", {"url": f"https://example.com/{n}"})["id"]
             for n in range(KEPT + DOOMED)]
    for link in links[:KEPT]:
        ask(gateway, "PATCH", f"/api/links/{link}", {"title": "the second version"})
    hosts = [f"h{n}.example" for n in range(DOOMED)]
    for host in hosts:
        ask(gateway, "PUT", "/api/links/domains", {"host": host})
    return {"kept": links[:KEPT], "doomed": links[KEPT:], "hosts": hosts, "warnings": WARNINGS}


def unanswered(document, entries):
    """The operations of the document that answered no request of the record with 2xx."""
    operations = []
    for path, methods in document["paths"].items():
        pattern = re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/")))
        operations += [(path.count("{"), pattern, method.upper(), path) for method in methods]
    operations.sort(key=lambda operation: operation[0])
    missing = {f"{method} {path}" for _, _, method, path in operations}
    for entry in entries:
        asked = entry["request"]
        path = re.sub(r"^\w+://[^/]+", "", asked["url"]).split("?")[0]
        name = next((f"{m} {p}" for _, pattern, m, p in operations if m == asked["method"] and pattern.fullmatch(path)), None)
        if 200 <= entry["response"]["status"] < 300:
            missing.discard(name)
    return sorted(missing)


def check_the_check():
    """An operation that was never answered is found, and one beside it is not taken for it."""
    document = {"paths": {"/a/{id}": {"get": {}, "delete": {}}, "/a/b": {"get": {}}}}
    entry = lambda url, status: {"request": {"method": "GET", "url": f"http://h{url}"}, "response": {"status": status}}
    assert unanswered(document, []) == ["DELETE /a/{id}", "GET /a/b", "GET /a/{id}"]
    assert unanswered(document, [entry("/a/b?c=d", 200), entry("/a/c", 404)]) == ["DELETE /a/{id}", "GET /a/{id}"]
    assert unanswered(document, [entry("/a/c", 204)]) == ["DELETE /a/{id}", "GET /a/b"]


def once(gateway, scratch, seconds, turn):
    """The exit code of one run and the record of its requests."""
    config, record = scratch / "schemathesis.toml", scratch / f"record-{turn}.har"
    config.write_text(CONFIG.format(**seed(gateway)))
    run = ["schemathesis", "--config-file", str(config), "run", f"{gateway}/api/openapi.json",
           "--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing,stateful",
           "--max-examples", "10", "--max-time", str(seconds), "--request-timeout", "30", "--seed", str(turn),
           "--continue-on-failure", "--report-har-path", str(record)]
    status = subprocess.run(run, check=False).returncode
    return status, json.loads(record.read_text())["log"]["entries"]


def main(gateway, scratch, seconds):
    check_the_check()
    document, entries = ask(gateway, "GET", "/api/openapi.json"), []
    # Requests are drawn, and a busy machine sends fewer of them: what was not hit gets more time.
    for turn in range(1, TURNS + 1):
        status, more = once(gateway, Path(scratch), int(seconds) * turn, turn)
        entries += more
        missing = unanswered(document, entries)
        if status or not missing:
            break
        print(f"turn {turn}: no request was answered with 2xx yet: {', '.join(missing)}", file=sys.stderr)
    for operation in missing:
        print(f"no request was answered with 2xx: {operation}", file=sys.stderr)
    return status or bool(missing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
