#!/usr/bin/env bash
# Each new number of pictures in a batch makes OpenVINO prepare an antialiased resize anew, at length.
#
# OpenVINO 2026.4.1, CPU, one thread. A model of a single Interpolate, 224 to 64 pixels, takes any number
# of pictures at once. PyTorch's interpolate(..., antialias=True) becomes its mode "bilinear_pillow".
# Expected: only the first call is slow; what is prepared depends on the sides, not on how many pictures
# there are, as with the mode "linear_onnx". Seen: with "bilinear_pillow" each new number takes 20 to 90
# times as long as the same number again: 80 to 100 ms against 1 to 3. A backlog whose last batches get
# smaller, or a server with batches of any size, waits for it each time. Products with constant matrices
# compute the same without such a wait.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" \
  openvino==2026.4.1 numpy==2.4.6
cat >"$folder/resize.py" <<'PYTHON'
import statistics
import sys
import time

sys.modules["openvino_telemetry"] = None
import numpy as np  # noqa: E402
import openvino  # noqa: E402
from openvino import opset11  # noqa: E402

NUMBERS = (8, 7, 6, 5, 4, 3)


def resize(mode):
    pictures = opset11.parameter([-1, 1, 224, 224], np.float32)
    none = [0, 0, 0, 0]
    sides, axes = np.array([64, 64], np.int64), np.array([2, 3], np.int64)
    small = opset11.interpolate(
        pictures, sides, mode, "sizes", none, none, "half_pixel", "floor", False, -0.75, axes
    )
    model = openvino.Model([small], [pictures])
    return openvino.Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})


def milliseconds(program, number):
    pictures = np.random.default_rng(number).random((number, 1, 224, 224), np.float32)
    began = time.perf_counter()
    program([pictures])
    return 1000 * (time.perf_counter() - began)


print("OpenVINO", openvino.get_version())
found = {}
for mode in ("linear_onnx", "bilinear_pillow"):
    program = resize(mode)
    milliseconds(program, 16)  # what is prepared once
    first = [milliseconds(program, number) for number in NUMBERS]
    again = [min(milliseconds(program, number) for _ in range(5)) for number in NUMBERS]
    found[mode] = statistics.median(one / other for one, other in zip(first, again))
    print(f"{mode}: a new number takes {statistics.median(first):.1f} ms, again "
          f"{statistics.median(again):.1f} ms, {found[mode]:.1f} times as long")
sys.exit(0 if found["bilinear_pillow"] > 8 and found["linear_onnx"] < 5 else 1)
PYTHON
PYTHONPATH="$folder/site" python3 "$folder/resize.py"
