#!/usr/bin/env bash
# A click that has reached the server is forgotten if the reader leaves its page before it is acted on.
#
# Streamlit 1.67.0, an app of two pages, a run that takes a second: a button of the first page is clicked
# while the run is under way, and then the second page is asked for (the browser's Back). Both inputs
# wait, and Streamlit makes one run of them: of the second page, on which the button's callback is not
# called. On a page of a busy server, what was clicked last before leaving is lost without a word.
# Expected: inputs are acted on in their order, the click's callback before the page changes, as it
# is if the second page is asked for once the click's run has ended. Seen: the callback never runs.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check streamlit==1.67.0 websockets==16.1.1
cat >"$folder/app.py" <<'PYTHON'
import time

import streamlit as st


def note() -> None:
    st.session_state["noted"] = st.session_state.get("noted", 0) + 1


def film() -> None:
    st.button("note", on_click=note)
    time.sleep(1)
    st.text("the film's page is drawn")


def films() -> None:
    st.text(f"noted {st.session_state.get('noted', 0)}")


st.navigation([st.Page(film, default=True), st.Page(films)]).run()
PYTHON
cat >"$folder/ask.py" <<'PYTHON'
import sys

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


def send(window, page="", button=""):
    """Send an input as a browser on this page does."""
    asked = BackMsg()
    asked.rerun_script.page_script_hash = page
    if button:
        asked.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)
    window.send(asked.SerializeToString())


def read_until(window, is_there):
    """Return what the server sends up to a message."""
    told = []
    while not told or not is_there(told[-1]):
        told.append(ForwardMsg.FromString(window.recv(timeout=60)))
    return told


def is_button(message):
    return message.delta.new_element.HasField("button")


def is_count(message):
    return message.delta.new_element.text.body.startswith("noted")


def noted(port, *, waits):
    """Click, ask for the other page, and return what is noted there."""
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"]) as window:
        send(window)
        told = read_until(window, is_button)
        button = told[-1].delta.new_element.button.id
        pages = {page.page_name: page.page_script_hash
                 for each in told if each.HasField("navigation")
                 for page in each.navigation.app_pages}
        if waits:
            read_until(window, lambda each: each.HasField("script_finished"))
        send(window, pages["film"], button)
        if waits:
            read_until(window, lambda each: each.HasField("script_finished"))
        send(window, pages["films"])
        return read_until(window, is_count)[-1].delta.new_element.text.body


print(f"one after the other: {noted(sys.argv[1], waits=True)}; "
      f"both while a run is under way: {noted(sys.argv[1], waits=False)}")
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
[[ $said == "one after the other: noted 1; both while a run is under way: noted 0" ]]
