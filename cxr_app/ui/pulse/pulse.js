// Asks the server to draw again, after a while in which the reader has not touched anything.

const HELD = 6000; // milliseconds that a touch holds the pulse: the server is answering it
const UNANSWERED = 15000; // then a beat is taken for lost, and another follows

let touched = -HELD; // when the reader last pressed a key or the pointer, anywhere on the page
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(kind, () => (touched = performance.now()), { capture: true });
}

const timers = new WeakMap(); // where Streamlit mounts us -> the timer that runs there

function wait(place, milliseconds, beat) {
  clearTimeout(timers.get(place));
  timers.set(place, setTimeout(() => (ready(place) ? beat() : wait(place, 500, beat)), milliseconds));
}

function ready(place) {
  return place.isConnected !== false && !document.hidden && performance.now() - touched > HELD;
}

/** Streamlit calls this at first and after every drawing. */
export default function ({ data, parentElement, setTriggerValue }) {
  const beat = () => {
    wait(parentElement, UNANSWERED, beat);
    setTriggerValue("beat", Date.now());
  };
  wait(parentElement, data.milliseconds, beat);
  return () => clearTimeout(timers.get(parentElement));
}
