#!/usr/bin/env python3
"""Holds a running system to its OpenAPI document, with schemathesis.

    run.py GATEWAY SCRATCH SECONDS [--only SERVICE]

Each service has a file beside this one, SERVICE.json: `below` is where its API begins, `requests` are
sent first, in their order. Together they must reach every operation of the service, and each must be
answered with 2xx: that an operation works at all is left to no draw. A request is sent `times` over;
{n} is its number, {NAME} is one of the values that an earlier one told to `keep`, by a field of the
answer. From these values, and from `values`, parameters are drawn: `draw` says for which, from what
and how often; `draw_for` says it for one operation.

Then so many requests are drawn from a fixed seed, the same in every run. With SECONDS above 0 others
follow until the time is over. The run fails on an answer of 500 or above, and on a warning that
says that something cannot have been tested.
"""

import argparse
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
METHODS = ["get", "put", "post", "delete", "patch"]
# These hold of a document and of the files here, whatever is drawn. The others are about what is
# refused by design, cannot be read (pictures), or depends on the draw.
WARNINGS = ["missing_auth", "unsupported_regex", "method_not_allowed", "unmatched_filter",
            "unresolvable_reference", "dictionary_mismatch"]


def ask(gateway, method, path, body=None, media="application/json"):
    """The status, and the content where it is JSON."""
    data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(gateway + path, data, {"content-type": media}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else None
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def filled(text, number, values):
    """The text with {n} and {NAME} replaced; a name that keeps nothing yet is a mistake."""
    def one(found):
        name = found[1]
        return str(number) if name == "n" else values[name][number % len(values[name])]
    return re.sub(r"\{(\w+)\}", one, text)


def operations(document, below):
    """Method and path of each operation at `below` and beneath it."""
    return [f"{method.upper()} {path}" for path, methods in document["paths"].items()
            for method in METHODS if method in methods and (path + "/").startswith(below + "/")]


def operation_of(asked, names):
    """Which of the operations a request is; the one with the fewest parameters when several fit."""
    method, path = asked.split(" ", 1)
    fits = []
    for name in names:
        m, template = name.split(" ", 1)
        pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in template.split("/"))
        if m == method and re.fullmatch(pattern, path.split("?")[0]):
            fits.append((template.count("{"), name))
    return min(fits)[1] if fits else None


def send(seed, names, asking):
    """Sends the requests of a file; answers what is kept, and what is wrong."""
    values, faults, missing = dict(seed.get("values", {})), [], set(names)
    for request in seed["requests"]:
        for number in range(request.get("times", 1)):
            try:
                asked = filled(request["ask"], number, values)
                body = request.get("body")
                if isinstance(body, str):
                    body = filled(body, number, values)
                elif body is not None:
                    body = json.loads(filled(json.dumps(body), number, values))
            except KeyError as name:
                faults.append(f"{request['ask']}: nothing is kept as {name}")
                break
            status, content = asking(*asked.split(" ", 1), body, request.get("type", "application/json"))
            if not 200 <= status < 300:
                faults.append(f"{asked} was answered with {status}: {str(content)[:200]}")
                break
            missing.discard(operation_of(asked, names))
            for name, field in request.get("keep", {}).items():
                values.setdefault(name, []).append(content[field])
    return values, faults + [f"no request reaches {name}" for name in sorted(missing)]


def configuration(seed, values, names):
    """How schemathesis draws the parameters of the operations of one service."""
    lines, used = [], set()
    for name in names:
        drawn = {key: how for key, how in seed.get("draw", {}).items()
                 if not key.startswith("path.") or f"{{{key[5:]}}}" in name}
        drawn |= seed.get("draw_for", {}).get(name, {})
        used |= {dictionary for dictionary, _ in drawn.values()}
        if drawn:
            each = ", ".join(f'"{key}" = {{ dictionary = "{of}", probability = {share} }}' for key, (of, share) in drawn.items())
            lines += ["[[operations]]", f'include-name = "{name}"', f"parameters = {{ {each} }}"]
    lines += [f"[dictionaries.{name}]\nvalues = {json.dumps(values[name])}" for name in sorted(used)]
    return lines


def check_the_check():
    """What is not reached, not answered or not known is found, and what is beside it is not taken for it."""
    document = {"paths": {"/a/{id}": {"get": {}, "delete": {}}, "/a/b": {"get": {}}, "/ab": {"get": {}}}}
    names = operations(document, "/a")
    assert names == ["GET /a/{id}", "DELETE /a/{id}", "GET /a/b"], names
    assert [operation_of(f"GET {path}", names) for path in ["/a/b?c=d", "/a/c", "/ab"]] == ["GET /a/b", "GET /a/{id}", None]

    def sent(status, *asks):
        seed = {"requests": [{"ask": each, "keep": {"ids": "id"}} for each in asks]}
        return send(seed, names, lambda *_: (status, {"id": "7"}))

    values, faults = sent(200, "GET /a/b", "GET /a/{ids}", "DELETE /a/{ids}")
    assert (values, faults) == ({"ids": ["7", "7", "7"]}, []), (values, faults)
    assert sent(204, "GET /a/b", "GET /a/x")[1] == ["no request reaches DELETE /a/{id}"]
    assert "GET /a/b was answered with 404: {'id': '7'}" in sent(404, "GET /a/b")[1]
    assert "GET /a/{gone}: nothing is kept as 'gone'" in sent(200, "GET /a/{gone}")[1]
    drawn = configuration({"draw": {"path.id": ["ids", 0.5]}}, values, names)
    assert sum(line == "[[operations]]" for line in drawn) == 2, drawn


def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("gateway")
    parse.add_argument("scratch", type=Path)
    parse.add_argument("seconds", type=int)
    parse.add_argument("--only", metavar="SERVICE")
    args = parse.parse_args()
    check_the_check()
    _, document = ask(args.gateway, "GET", "/api/openapi.json")
    seeds = {file.stem: json.loads(file.read_text()) for file in sorted(HERE.glob("*.json"))}
    if args.only:
        if args.only not in seeds:
            sys.exit(f"there is no {args.only}.json in {HERE}; there are: {', '.join(seeds)}")
        seeds = {args.only: seeds[args.only]}
    lines, faults, known = [f"[warnings]\nfail-on = {json.dumps(WARNINGS)}"], [], set()
    for service, seed in seeds.items():
        names = operations(document, seed["below"])
        if not names:
            faults.append(f"{service}.json: the document has nothing below {seed['below']}")
        known |= set(names)
        values, more = send(seed, names, lambda *asked: ask(args.gateway, *asked))
        faults += [f"{service}.json: {fault}" for fault in more]
        if not more:
            lines += configuration(seed, values, names)
    if not args.only:
        foreign = sorted(set(operations(document, "")) - known)
        faults += [f"{name} belongs to no file in {HERE}; write SERVICE.json" for name in foreign]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    print(f"each of {len(known)} operations was reached and answered with 2xx")
    config = args.scratch / "schemathesis.toml"
    config.write_text("\n".join(lines) + "\n")
    below = "|".join(re.escape(seed["below"]) for seed in seeds.values())
    run = ["schemathesis", "--config-file", str(config), "run", f"{args.gateway}/api/openapi.json",
           "--include-path-regex", f"^({below})(/|$)", "--checks", "not_a_server_error",
           "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "10",
           # Whether a machine is quick enough is not the question.
           "--suppress-health-check", "too_slow", "--request-timeout", "30", "--continue-on-failure"]
    status = subprocess.run([*run, "--seed", "1"], check=False).returncode
    if status == 0 and args.seconds:
        more = [*run, "--seed", "2", "--max-time", str(args.seconds)]
        status = subprocess.run(more, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
