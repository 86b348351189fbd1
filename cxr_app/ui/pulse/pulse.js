// Asks the server to draw again, after a while in which the reader has not touched anything.

const HELD = 6000; // milliseconds that a touch holds the pulse: the server is answering it
const UNANSWERED = 15000; // then a beat is taken for lost, and another follows

let touched = -HELD; // when the reader last pressed a key or the pointer, anywhere on the page
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(kind, () => (touched = performance.now()), { capture: true });
}

const latest = new WeakMap(); // where Streamlit mounts us -> the latest drawing there

/** Streamlit calls this at first and after every drawing; the latest call alone goes on. */
export default function ({ data, parentElement, setTriggerValue }) {
  const drawing = {};
  latest.set(parentElement, drawing);

  function wait(milliseconds) {
    drawing.timer = setTimeout(look, milliseconds);
  }

  function look() {
    if (latest.get(parentElement) !== drawing) return;
    if (document.hidden || performance.now() - touched < HELD) return wait(500);
    setTriggerValue("beat", Date.now());
    wait(UNANSWERED);
  }

  wait(data.milliseconds);
  return () => clearTimeout(drawing.timer); // its own: this may come after the next drawing
}
