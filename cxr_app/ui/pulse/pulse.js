// Asks the server to draw again, after a while in which the reader has not touched anything.

const HELD = 6000; // milliseconds that a touch holds the pulse: the server is answering it
const UNANSWERED = 3000; // then a beat is taken for lost, and another follows
const LOOK = 100;

let told = 0; // when the server was last asked; two questions sent at once reach one fragment only

const pulses = new WeakMap(); // where Streamlit mounts us -> when the next beat is due, and whom to tell

const nobodyActs = () => !document.hidden && atRest();

function begin(place) {
  const pulse = {};
  const timer = setInterval(() => {
    const now = performance.now();
    if (!place.isConnected) {
      clearInterval(timer);
      pulses.delete(place);
    } else if (now >= pulse.due && untouched(HELD) && now - told >= LOOK && nobodyActs()) {
      told = now;
      pulse.due = now + UNANSWERED;
      pulse.tell();
    }
  }, LOOK);
  pulses.set(place, pulse);
  return pulse;
}

/** Streamlit calls this at first and after every drawing. */
export default function ({ data, parentElement, setTriggerValue }) {
  const pulse = pulses.get(parentElement) ?? begin(parentElement);
  pulse.due = performance.now() + data.milliseconds;
  pulse.tell = () => setTriggerValue("beat", Date.now());
}
