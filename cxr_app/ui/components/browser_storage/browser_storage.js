// A word that this browser keeps from one visit to the next: told to the server once, at first.

const HELD = 1000; // milliseconds that a touch holds the answer: a link leads to another page

const told = new WeakSet(); // where Streamlit mounts us, once the server knows

const kept = (name) => {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
};

const keep = (name, word) => {
  try {
    localStorage.setItem(name, word);
  } catch {
    // it is asked for again at the next visit
  }
};

/** Wait until the page's script rests: an answer in the middle of the first drawing names no page yet. */
function whenAtRest(then) {
  const timer = setInterval(() => {
    if (!atRest() || !untouched(HELD)) return;
    clearInterval(timer);
    then();
  }, 100);
}

/** Streamlit calls this at first and whenever the word changes. */
export default function ({ data: { name, word }, parentElement, setTriggerValue }) {
  if (word) keep(name, word);
  else if (!told.has(parentElement)) {
    told.add(parentElement);
    whenAtRest(() => setTriggerValue("kept", { word: kept(name) }));
  }
}
