#!/usr/bin/env bash
# Importing OpenVINO reports the import over the internet.
#
# OpenVINO 2026.4.1 installs openvino-telemetry 2025.2.0 with it. `import openvino` alone, without any
# call, writes a client's number into the folder "intel" of the home folder and asks a server of
# statistics for an address, unless the user has declined before or CI is set. No line is printed.
# Expected: an import touches neither the network nor the home folder. Seen: it does both. With
# `sys.modules["openvino_telemetry"] = None` before the import it does neither.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" \
  openvino==2026.4.1 openvino-telemetry==2025.2.0 numpy==2.4.6
cat >"$folder/listen.py" <<'PYTHON'
import os
import sys
import threading

if sys.argv[1] == "without":
    sys.modules["openvino_telemetry"] = None


def hear(name, facts):
    """Note each request, also in the process that is forked to send it."""
    if name == "urllib.Request":
        os.write(1, f"asks {facts[0].split('/')[2]}\n".encode())


sys.addaudithook(hear)
import openvino  # noqa: E402, F401

for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(10)
PYTHON
listen() {
  mkdir -p "$folder/home-$1"
  env -i PATH="$PATH" HOME="$folder/home-$1" PYTHONPATH="$folder/site" \
    python3 -W ignore "$folder/listen.py" "$1" | sort -u
  echo "home: $(ls "$folder/home-$1" | tr '\n' ' ')"
}
plain=$(listen plain)
without=$(listen without)
echo "import openvino: ${plain//$'\n'/, }"
echo "without openvino_telemetry: ${without//$'\n'/, }"
[[ $plain == *asks* && $plain == *intel* && $without != *asks* && $without != *intel* ]]
