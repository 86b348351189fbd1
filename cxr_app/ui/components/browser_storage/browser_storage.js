// A word that this browser stores between visits: sent to the server at first, until it knows it.

const YEAR = 365 * 24 * 60 * 60; // seconds
const RESEND = 5000; // milliseconds until a word that the server does not know is sent again
const HOLD = 1000; // milliseconds that an input delays the answer: a link may lead to another page

/** Where Streamlit mounts us, once the word is asked for.
 * @type {WeakSet<HTMLElement>} */
const asked = new WeakSet();

/** The same, once the server knows the word.
 * @type {WeakSet<HTMLElement>} */
const known = new WeakSet();

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

/** Say a word until the server knows it: what it hears while it draws anew may be lost.
 * @param {HTMLElement} element @param {() => void} say */
function sayUntilKnown(element, say) {
  whenAtRest(() => {
    if (known.has(element) || !element.isConnected) return;
    say();
    setTimeout(() => sayUntilKnown(element, say), RESEND);
  });
}

/** Streamlit calls this at first and whenever the word changes.
 * @param {ComponentArguments<{name: string, word: string, otherwise: string}>} component */
export default function ({ data: { name, word, otherwise }, parentElement, setTriggerValue }) {
  if (word) {
    known.add(parentElement);
    store(name, word);
  } else if (!asked.has(parentElement)) {
    asked.add(parentElement);
    const say = () => setTriggerValue("kept", { word: readOrStore(name, otherwise) });
    sayUntilKnown(parentElement, say);
  }
}
