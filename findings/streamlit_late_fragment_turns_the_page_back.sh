#!/usr/bin/env bash
# A fragment that reports late turns the page back.
#
# Streamlit 1.67.0: a browser's message that asks for the rerun of a fragment names the page that the
# fragment was drawn on. If the reader has meanwhile followed a link, and the message arrives after
# the new page was asked for (a component reports, a timer ticks, on a slow server), then the
# fragment, which both pages draw, runs on the page named: the session's page changes back, with
# nothing drawn but the fragment. A browser drops what the new page had drawn, and shows an empty page.
# Expected: the fragment runs on the session's page, or the message is dropped, as one for a fragment
# that is gone is. Seen: the run says that it draws the earlier page.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check streamlit==1.67.0 websockets==16.1.1
cat >"$folder/app.py" <<'PYTHON'
import streamlit as st


@st.fragment
def clock() -> None:
    st.button("tick")


clock()
st.navigation([st.Page(lambda: st.write("one"), title="one", url_path="one", default=True),
               st.Page(lambda: st.write("two"), title="two", url_path="two")]).run()
PYTHON
cat >"$folder/ask.py" <<'PYTHON'
import sys

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


def run(window, page="", fragment=""):
    """Ask for a run; return all that the server sends for it."""
    asked = BackMsg()
    asked.rerun_script.page_script_hash = page
    asked.rerun_script.fragment_id = fragment
    window.send(asked.SerializeToString())
    told = []
    while not told or not told[-1].HasField("script_finished"):
        told.append(ForwardMsg.FromString(window.recv(timeout=60)))
    return told


with connect(f"ws://127.0.0.1:{sys.argv[1]}/_stcore/stream", subprotocols=["streamlit"]) as window:
    first = run(window)
    pages = {page.url_pathname: page.page_script_hash
             for each in first for page in each.navigation.app_pages}
    fragment = next(each.delta.fragment_id for each in first if each.delta.fragment_id)
    one, two = pages.get("one") or pages[""], pages["two"]
    run(window, two)
    late = run(window, one, fragment)
    drawn = [each.new_session.page_script_hash for each in late if each.HasField("new_session")]
    print("page two was asked for last; the late fragment's run draws page",
          {one: "one", two: "two"}.get(drawn[-1], "unknown"))
PYTHON
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$folder" && exec "$python" -m streamlit run app.py --server.port "$port" --server.headless true \
  --server.address 127.0.0.1 --browser.gatherUsageStats false >"$folder/log" 2>&1) &
server=$!
for _ in $(seq 120); do
  "$python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/_stcore/health')" \
    2>/dev/null && break
  sleep 0.5
done
said=$("$python" "$folder/ask.py" "$port")
echo "$said"
[[ $said == *"draws page one" ]]
