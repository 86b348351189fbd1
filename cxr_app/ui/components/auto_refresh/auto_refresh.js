// Asks the server to redraw, after a while in which the reader has not touched anything.

const HOLD = 6000; // milliseconds that an input delays the refresh: the server is answering it
const UNANSWERED = 3000; // then a request counts as lost, and another follows
const INTERVAL = 100;

let lastAsked = 0; // two requests sent at once reach one fragment only

/** @typedef {{due: number, ask: () => void}} Refresh */
/** Where Streamlit mounts us -> when the next request is due, and how to send it.
 * @type {WeakMap<HTMLElement, Refresh>} */
const refreshes = new WeakMap();

const isQuiet = () => !document.hidden && untouched(HOLD) && atRest();

/** @param {HTMLElement} place @returns {Refresh} */
function start(place) {
  const refresh = { due: Infinity, ask: () => {} };
  const timer = setInterval(() => {
    const now = performance.now();
    if (!place.isConnected) {
      clearInterval(timer);
      refreshes.delete(place);
    } else if (now >= refresh.due && now - lastAsked >= INTERVAL && isQuiet()) {
      lastAsked = now;
      refresh.due = now + UNANSWERED;
      refresh.ask();
    }
  }, INTERVAL);
  refreshes.set(place, refresh);
  return refresh;
}

/** Streamlit calls this at first and after every drawing.
 * @param {ComponentArguments<{milliseconds: number}>} component */
export default function ({ data, parentElement, setTriggerValue }) {
  const refresh = refreshes.get(parentElement) ?? start(parentElement);
  refresh.due = performance.now() + data.milliseconds;
  refresh.ask = () => setTriggerValue("beat", Date.now());
}
