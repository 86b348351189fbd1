#!/usr/bin/env bash
# The next input undoes the address that a callback has set.
#
# Streamlit 1.67.0: a callback may set `st.query_params`, and a page may be built on them (the film to
# show). Each input that a browser sends names the query string of its own address, which it changes
# only once it has read the answer. So an input that is sent in between (two keys within a fifth of a
# second, on a slow line two clicks) runs the script with the parameters of before: the callback has
# run, the input is acted on, and the page is the one that the reader had left.
# Expected: the session's parameters hold until the browser itself navigates. Seen: they are set back.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check streamlit==1.67.0 websockets==16.1.1
cat >"$folder/app.py" <<'PYTHON'
import streamlit as st


def follow() -> None:
    st.query_params["film"] = "second"


st.button("next", on_click=follow)
st.button("note")
st.text(f"shows {st.query_params.get('film')}")
PYTHON
cat >"$folder/ask.py" <<'PYTHON'
import sys

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


def send(window, address, button=""):
    """Send an input as a browser at this address does."""
    asked = BackMsg()
    asked.rerun_script.query_string = address
    if button:
        asked.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)
    window.send(asked.SerializeToString())


def answer(window):
    """Return all that the server sends for a run."""
    told = []
    while not told or not told[-1].HasField("script_finished"):
        told.append(ForwardMsg.FromString(window.recv(timeout=60)))
    return told


def shown(told):
    return [each.delta.new_element.text.body for each in told
            if each.delta.new_element.HasField("text")][-1]


with connect(f"ws://127.0.0.1:{sys.argv[1]}/_stcore/stream", subprotocols=["streamlit"]) as window:
    send(window, "film=first")
    first = answer(window)
    buttons = {each.delta.new_element.button.label: each.delta.new_element.button.id
               for each in first if each.delta.new_element.HasField("button")}
    send(window, "film=first", buttons["next"])
    followed = answer(window)
    send(window, "film=first", buttons["note"])  # pressed before that answer was read
    print(f"first: {shown(first)}; next: {shown(followed)}; an input sent meanwhile: {shown(answer(window))}")
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
[[ $said == *"next: shows second; an input sent meanwhile: shows first" ]]
