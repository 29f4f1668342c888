"""Starts a demo city, logs in, and lets foreign programs read what it gives out."""

import http.cookiejar
import importlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import icalendar
import yaml

PROGRAM, EXAMPLES = sys.argv[1], sys.argv[2]
HERE = pathlib.Path(__file__).resolve().parent
# How trestle calls what the program calls otherwise, and the member under which each document stands.
OSCAL = {
    "catalog": ("catalog", "catalog"),
    "component-definition": ("component", "component-definition"),
    "assessment-results": ("assessment_results", "assessment-results"),
    "poam": ("poam", "plan-of-action-and-milestones"),
}


class City:
    """A demo city of its own, and one person's browser."""

    def __init__(self, folder):
        command = [PROGRAM, "demo", "--data", f"{folder}/city", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.site, self.logins = told["ready"], told["logins"]
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def log_in(self, login, password):
        form = urllib.parse.urlencode({"login": login, "password": password, "next": "/"}).encode()
        self.opener.open(urllib.request.Request(f"{self.site}/login", form, {"Origin": self.site}))

    def get(self, path):
        with self.opener.open(self.site + path) as answer:
            return answer.read()

    def post(self, path, fields):
        csrf = json.loads(self.get("/api/v1/me"))["csrf"]
        form = urllib.parse.urlencode({"csrf": csrf, **fields}).encode()
        with self.opener.open(urllib.request.Request(self.site + path, form, {"Origin": self.site})) as answer:
            return answer.read()


def oscal(city):
    for kind, (module, member) in OSCAL.items():
        try:
            document = json.loads(city.get(f"/exchange/oscal/{kind}"))
        except urllib.error.HTTPError as e:
            raise SystemExit(f"{kind}: {e.code} {e.read().decode()}") from e
        model = importlib.import_module(f"trestle.oscal.{module}")
        name = "".join(word.capitalize() for word in member.split("-"))
        getattr(model, name).parse_obj(document[member])
        print(f"trestle reads {kind}")


def calendar(city):
    page = city.post("/exchange/calendar", {"do": "subscribe"}).decode()
    address = re.search(r'value="(http://[^"]+\.ics)"', page).group(1)
    with urllib.request.urlopen(address) as answer:
        read = icalendar.Calendar.from_ical(answer.read())
    events = list(read.walk("VEVENT"))
    assert events, "somebody who runs the system has something to do"
    assert all(e["SUMMARY"] and e["DTSTART"].dt and e["UID"] for e in events)
    print(f"icalendar reads {len(events)} events")


def library(city):
    read = yaml.safe_load(city.get("/exchange/ciso-assistant"))
    nodes = read["objects"]["framework"]["requirement_nodes"]
    urns = {n["urn"] for n in nodes}
    assert len(urns) == len(nodes) and all(n.get("parent_urn", n["urn"]) in urns for n in nodes)
    print(f"PyYAML reads {len(nodes)} requirements")


def schemathesis(city):
    csrf = json.loads(city.get("/api/v1/me"))["csrf"]
    cookie = "; ".join(f"{c.name}={c.value}" for c in city.jar)
    command = [
        HERE / "venv/bin/schemathesis", "run", f"{city.site}/api/v1/openapi.json",
        "--header", f"Cookie: {cookie}", "--header", f"x-csrf-token: {csrf}",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--phases", "fuzzing", "--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none",
    ]
    subprocess.run(command, check=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        city = City(folder)
        try:
            runs = next(l for l in city.logins if l["role"] == "information_system_manager")
            city.log_in(runs["login"], runs["password"])
            oscal(city)
            calendar(city)
            library(city)
            schemathesis(city)
        finally:
            city.process.terminate()
            city.process.wait()


main()
