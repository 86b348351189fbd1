// A word that this browser stores between visits: sent to the server once, at first.

const YEAR = 365 * 24 * 60 * 60; // seconds
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
  const value = encodeURIComponent(word); // the server knows a cookie before it draws a page
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs HTTPS
  document.cookie = `cxr_${name}=${value}; path=/; max-age=${YEAR}; samesite=strict`;
  try {
    localStorage.setItem(name, word);
  } catch {
    // the reader is asked again at the next visit
  }
};

/** Return the word that is stored, else store another one: a reader without a name keeps it, too.
 * @param {string} name @param {string} otherwise */
const readOrStore = (name, otherwise) => {
  const word = read(name) || otherwise;
  if (word) store(name, word);
  return word;
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
 * @param {ComponentArguments<{name: string, word: string, otherwise: string}>} component */
export default function ({ data: { name, word, otherwise }, parentElement, setTriggerValue }) {
  if (word) store(name, word);
  else if (!answered.has(parentElement)) {
    answered.add(parentElement);
    whenAtRest(() => setTriggerValue("kept", { word: readOrStore(name, otherwise) }));
  }
}
