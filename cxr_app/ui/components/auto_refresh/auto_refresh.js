// Asks the server to draw again, after a while in which the reader has not touched anything.

const HELD = 6000; // milliseconds that a touch holds the refresh: the server is answering it
const UNANSWERED = 3000; // then a beat is taken for lost, and another follows
const LOOK = 100;

let told = 0; // when the server was last asked; two questions sent at once reach one fragment only

const refreshes = new WeakMap(); // where Streamlit mounts us -> when the next beat is due, and whom to tell

const nobodyActs = () => !document.hidden && atRest();

function begin(place) {
  const refresh = {};
  const timer = setInterval(() => {
    const now = performance.now();
    if (!place.isConnected) {
      clearInterval(timer);
      refreshes.delete(place);
    } else if (now >= refresh.due && untouched(HELD) && now - told >= LOOK && nobodyActs()) {
      told = now;
      refresh.due = now + UNANSWERED;
      refresh.tell();
    }
  }, LOOK);
  refreshes.set(place, refresh);
  return refresh;
}

/** Streamlit calls this at first and after every drawing. */
export default function ({ data, parentElement, setTriggerValue }) {
  const refresh = refreshes.get(parentElement) ?? begin(parentElement);
  refresh.due = performance.now() + data.milliseconds;
  refresh.tell = () => setTriggerValue("beat", Date.now());
}
