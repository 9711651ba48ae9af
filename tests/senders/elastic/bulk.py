"""Sends the documents of standard input through the client's bulk helper, and tells on standard output what became of each.

usage: bulk.py URL [FORM KEY] <DOCUMENTS: one JSON object a line, {"id","op","document"}; FORM: basic, bearer or apikey

Runs with elasticsearch 7, 8 and 9 and with opensearch-py, whichever its Python has.
"""

import json
import sys
import time

try:
    import elasticsearch
    from elasticsearch import Elasticsearch as Client, helpers
    VERSION = elasticsearch.__version__[0]
except ImportError:
    from opensearchpy import OpenSearch as Client, helpers
    VERSION = None


def access(form=None, key=None):
    if form == "basic":
        return {"basic_auth": ("metronome", key)} if VERSION in (8, 9) else {"http_auth": ("metronome", key)}
    if form == "bearer":
        return {"bearer_auth": key} if VERSION in (8, 9) else {"headers": {"authorization": "Bearer " + key}}
    return {"api_key": key} if form == "apikey" else {}


def tell(id, ok, status, reason=""):
    print(json.dumps({"id": id, "ok": ok, "status": status, "reason": reason}), flush=True)


def action(one):
    return {"_op_type": one["op"], "_index": "senders", "_id": one["id"], "_source": one["document"]}


def send(client, waiting):
    """Sends documents once; tells and removes those of which it is known what became of them."""
    sent = helpers.streaming_bulk(client, map(action, list(waiting.values())), chunk_size=100, raise_on_error=False,
                                  max_retries=3, initial_backoff=0.1, max_backoff=1)
    for ok, item in sent:
        said = next(iter(item.values()))
        if said["status"] != 429 and said["status"] < 500:
            del waiting[said["_id"]]
            tell(said["_id"], ok, said["status"], said.get("error", {}).get("reason", ""))


def main():
    client = Client(sys.argv[1], **access(*sys.argv[2:4]))
    waiting = {one["id"]: one for one in map(json.loads, sys.stdin)}
    # What the client gives up is sent again, as an application would that must not lose it.
    for _ in range(100):
        try:
            assert client.info()["tagline"] == "You Know, for Search"
            send(client, waiting)
        except Exception as error:
            print(type(error).__name__, error, file=sys.stderr)
        if not waiting:
            return
        time.sleep(0.2)
    for id in waiting:
        tell(id, False, 0, "given up")


main()
