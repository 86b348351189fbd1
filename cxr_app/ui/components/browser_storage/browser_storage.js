// A word that this browser stores between visits: sent to the server once, at first.

const HOLD = 1000; // milliseconds that an input delays the answer: a link may lead to another page

/** Where Streamlit mounts us, once the server knows the word.
 * @type {WeakSet<HTMLElement>} */
const answered = new WeakSet();

/** @param {string} name */
const read = (name) => {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return ""; // a browser that stores nothing
  }
};

/** @param {string} name @param {string} word */
const store = (name, word) => {
  try {
    localStorage.setItem(name, word);
  } catch {
    // the reader is asked again at the next visit
  }
};

/** Wait until the page's script is idle: during the first drawing an answer names no page yet.
 * @param {() => void} then */
function whenAtRest(then) {
  const timer = setInterval(() => {
    if (!atRest() || !untouched(HOLD)) return;
    clearInterval(timer);
    then();
  }, 100);
}

/** Streamlit calls this at first and whenever the word changes.
 * @param {ComponentArguments<{name: string, word: string}>} component */
export default function ({ data: { name, word }, parentElement, setTriggerValue }) {
  if (word) store(name, word);
  else if (!answered.has(parentElement)) {
    answered.add(parentElement);
    whenAtRest(() => setTriggerValue("kept", { word: read(name) }));
  }
}
