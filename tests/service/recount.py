#!/usr/bin/env python3
"""An independent recount of an access log: reads the lines and counts with SQL, sharing no code with the product.

usage: recount.py LOG AGENTS KEY    prints one JSON object

AGENTS names which user agents are bots, a line each: 0 or 1, a tab, the agent as the log has it. Who is a bot is a
matter of lists; everything else is worked out here, from the documented rules for access lines. KEY is the site's
permanent key in hex, under which lines have their ids; ids decide which of a visitor's clicks of one second is first.
"""
import collections, datetime, hashlib, json, re, sys
from urllib.parse import urlsplit
import duckdb

LINE = re.compile(rb'^(\S+) \S+ .*? ?\[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\S+)(?: "((?:[^"\\]|\\.)*)"(?: "((?:[^"\\]|\\.)*)"?)?)?')
DOWNLOADS = set("""7z aac apk arc arj asc avi azw3 bin bz bz2 csv deb dmg doc docx epub exe flv gdb gem geojson geotiff gpkg gpx
gz gzip ics iso jar kml kmz las laz m4a m4v mobi mov mp3 mp4 mpeg mpg msi nc ndjson odb odf odg odp ods odt ogg ogv parquet pbf
pdf pkg ppt pptx ps rar rpm rtf shp sit sql tar tbz tbz2 tgz tif tiff topojson torrent tsv txt wav webm wma wmv xls xlsx xz z
zip zst""".split())
ASSETS = set("""atom avif bmp cjs css cur eot gif ico jpe jpeg jpg js json jsonld map mjs otf png rss svg svgz swf ttf wasm
webmanifest webp woff woff2 xml xsl xslt""".split())
UNRESERVED = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def path_of(target):
    if re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]*://", target):
        target = re.sub(r"^[^/]*//[^/?#]*", "", target) or "/"
    path = re.split(r"[?#]", target)[0]

    def escape(found):
        byte = int(found.group(1), 16)
        return chr(byte) if byte in UNRESERVED else f"%{byte:02X}"

    path = re.sub(r"%([0-9A-Fa-f]{2})", escape, path)
    segments, out = path.split("/"), []
    for at, segment in enumerate(segments):
        last = at == len(segments) - 1
        if segment == "..":
            if len(out) > 1:
                out.pop()
            if last:
                out.append("")
        elif segment == ".":
            if last:
                out.append("")
        else:
            out.append(segment)
    path = "/" + "/".join(out).lstrip("/") if not path.startswith("//") else "/".join(out)
    return path.rstrip("/") or "/"


def action_of(method, path, status):
    if status >= 400:
        return "error", None
    if method != "GET" or status < 200 or status == 206 or (300 <= status < 400 and status != 304):
        return "request", None
    name = path.rsplit("/", 1)[-1].lower()
    if name in ("robots.txt", "favicon.ico", "ads.txt") or re.fullmatch(r"sitemap.*\.xml", name) or path.startswith("/.well-known/"):
        return "request", None
    extension = name.rsplit(".", 1)[1] if "." in name else ""
    if extension in DOWNLOADS:
        return "download", extension
    return ("request", None) if extension in ASSETS else ("view", None)


def unescaped(field):
    """A field as its server meant it: its escapes are bytes, and bytes that are no UTF-8 are U+FFFD."""
    plain = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda found: bytes([int(found.group(1), 16)]), field)
    return re.sub(rb'\\(["\\])', rb"\1", plain).decode("utf-8", "replace")


def referer_of(text):
    if text in ("", "-") or "\ufffd" in text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = parts.hostname.removeprefix("www.")
    try:
        port = parts.port
    except ValueError:
        return None
    if port and port != {"http": 80, "https": 443}[parts.scheme]:
        host += f":{port}"
    return (host + parts.path).rstrip("/")


def rows(log, bots, key):
    repeated = collections.Counter()
    for line in open(log, "rb").read().split(b"\n"):
        line = line.rstrip(b"\r")
        if not line:
            continue
        found = LINE.match(line)
        request = found.group(3).decode("utf-8", "replace").split(" ")
        if len(request) < 2:
            continue
        at = datetime.datetime.strptime(found.group(2).decode(), "%d/%b/%Y:%H:%M:%S %z")
        status, path = int(found.group(4)), path_of(request[1])
        agent = unescaped(found.group(7) or b"-")
        action, extension = action_of(request[0], path, status)
        digest = hashlib.sha256(key + line).hexdigest()[:32]
        event_id = f"{digest}-{repeated[line]}"
        repeated[line] += 1
        yield (event_id, int(at.timestamp() * 1000), at.astimezone(datetime.timezone.utc).date().isoformat(),
               found.group(1).decode() + "\t" + agent, agent in bots, action, path, extension,
               referer_of(unescaped(found.group(6) or b"-")), status)


def main(log, agents, key):
    bots = {line.rstrip("\n").split("\t", 1)[1] for line in open(agents, encoding="utf-8") if line.startswith("1\t")}
    sql = duckdb.connect()
    sql.execute("CREATE TABLE e(event_id TEXT, ts BIGINT, day TEXT, visitor TEXT, bot BOOLEAN, action TEXT, path TEXT, "
                "format TEXT, referer TEXT, status INT)")
    sql.executemany("INSERT INTO e VALUES (?,?,?,?,?,?,?,?,?,?)", list(rows(log, bots, bytes.fromhex(key))))
    # A visit: a visitor's run of views and downloads within a day, 30 minutes apart at the most.
    sql.execute("""
        CREATE TABLE s AS SELECT *, sum(opens) OVER w AS visit FROM (
            SELECT *, CASE WHEN ts - lag(ts) OVER w <= 1800000 THEN 0 ELSE 1 END AS opens
            FROM e WHERE action IN ('view', 'download') WINDOW w AS (PARTITION BY visitor, day ORDER BY ts, event_id))
        WINDOW w AS (PARTITION BY visitor, day ORDER BY ts, event_id ROWS UNBOUNDED PRECEDING)""")
    sql.execute("""
        CREATE TABLE v AS SELECT visitor, day, visit, bool_or(bot) bot, max(ts) - min(ts) AS ms,
            NOT (count(*) FILTER (action = 'view') > 1 OR count(*) FILTER (action = 'download') > 0) AS bounce
        FROM s GROUP BY ALL""")
    answer = {}
    for name, keep in (("people", "NOT bot"), ("all", "true"), ("bots", "bot")):
        pairs = lambda query: dict(sql.execute(query).fetchall())
        one = lambda query: sql.execute(query).fetchone()[0]
        answer[name] = {
            "events": one(f"SELECT count(*) FROM e WHERE {keep}"),
            "views": pairs(f"SELECT day, count(*) FROM e WHERE action='view' AND {keep} GROUP BY day"),
            "downloads": pairs(f"SELECT format, count(*) FROM e WHERE action='download' AND {keep} GROUP BY 1"),
            "referers": pairs(f"SELECT referer, count(*) FROM e WHERE referer IS NOT NULL AND action IN ('view','download') AND {keep} GROUP BY 1"),
            "actions": pairs(f"SELECT action, count(*) FROM e WHERE {keep} GROUP BY 1"),
            "by_path": pairs(f"SELECT path, count(*) FROM e WHERE action='view' AND {keep} GROUP BY 1"),
            "downloads_by_path": pairs(f"SELECT path, count(*) FROM e WHERE action='download' AND {keep} GROUP BY 1"),
            "visitors": one(f"SELECT count(DISTINCT visitor || day) FROM e WHERE {keep}"),
            "visits": one(f"SELECT count(*) FROM v WHERE {keep}"),
            "bounces": one(f"SELECT count(*) FROM v WHERE bounce AND {keep}"),
            "visit_ms": one(f"SELECT sum(ms)::BIGINT FROM v WHERE {keep}"),
            "exits": pairs(f"""SELECT path, count(*) FROM (SELECT *, row_number() OVER (PARTITION BY visitor, day, visit
                ORDER BY ts DESC, event_id DESC) AS n FROM s WHERE action='view') WHERE n = 1 AND {keep} GROUP BY 1"""),
        }
    json.dump(answer, sys.stdout)


main(*sys.argv[1:])
