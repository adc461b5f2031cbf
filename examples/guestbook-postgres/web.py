"""A guestbook: what visitors write is a row in Postgres."""

import html
import os
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import psycopg2
from psycopg2.pool import ThreadedConnectionPool

URL = os.environ.get("DB_URL", "postgres://postgres:guestbook@db:5432/postgres")
GREETING = os.environ.get("GREETING", "Glad you came by")
RELEASE = os.environ.get("RELEASE", "dev")
MOST_CONNECTIONS = 4
LONGEST_BODY = 8 * 1024

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{greeting}</title>
<h1>{greeting}</h1>
<p>{count} so far</p>
<form method="post" action="/entries">
  <input name="name" placeholder="Your name">
  <input name="message" placeholder="A few words" required>
  <button>Sign the book</button>
</form>
<ul>{entries}</ul>
<footer>release {release}</footer>
</html>
"""

pool = ThreadedConnectionPool(0, MOST_CONNECTIONS, URL, connect_timeout=10)
turns = threading.Semaphore(MOST_CONNECTIONS)


@contextmanager
def cursor():
    """A transaction on a connection of the pool. Postgres may have ended one that was idle: such a one is not used again."""
    with turns:
        connection = pool.getconn()
        try:
            with connection, connection.cursor() as found:
                yield found
        except psycopg2.OperationalError:
            pool.putconn(connection, close=True)
            raise
        except BaseException:
            pool.putconn(connection)
            raise
        else:
            pool.putconn(connection)


def make_table():
    with cursor() as rows:
        # Two copies that start at once take turns.
        rows.execute("select pg_advisory_xact_lock(1)")
        rows.execute("create table if not exists entries (id serial primary key, name text, message text)")


def read_page():
    with cursor() as rows:
        rows.execute("select count(*) from entries")
        (count,) = rows.fetchone()
        rows.execute("select name, message from entries order by id desc limit 50")
        entries = [f"<li>{html.escape(message)} ({html.escape(name)})</li>" for name, message in rows]
    word = "entry" if count == 1 else "entries"
    return PAGE.format(
        greeting=html.escape(GREETING), count=f"{count} {word}", entries="".join(entries), release=html.escape(RELEASE)
    )


def write_entry(name, message):
    with cursor() as rows:
        rows.execute("insert into entries (name, message) values (%s, %s)", (name, message))


class Guestbook(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.reply(200, "ok\n", "text/plain")
        elif self.path == "/":
            self.attempt(lambda: self.reply(200, read_page()))
        else:
            self.reply(404, "There is no such page.\n", "text/plain")

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if self.path != "/entries" or length > LONGEST_BODY:
            self.reply(404, "There is no such page.\n", "text/plain")
            return
        form = parse_qs(self.rfile.read(length).decode("utf-8", "replace"))
        name = form.get("name", ["Somebody"])[0][:60]
        message = form.get("message", [""])[0][:1000]
        self.attempt(lambda: self.sign(name, message))

    def sign(self, name, message):
        write_entry(name, message)
        self.reply(303, "Thank you.\n", "text/plain", {"location": "/"})

    def attempt(self, task):
        try:
            task()
        except psycopg2.Error as error:
            print(f"{self.path}: {error}", flush=True)
            self.reply(503, "The book is away for a moment.\n", "text/plain")

    def reply(self, status, body, kind="text/html; charset=utf-8", headers={}):
        content = body.encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": len(content), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # What is being answered is answered before the process ends.
    daemon_threads = False


make_table()
server = Server(("", 3000), Guestbook)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"web of release {RELEASE} listens", flush=True)
server.serve_forever()
server.server_close()
