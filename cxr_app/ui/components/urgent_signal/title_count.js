// What the tab's title says of urgent films, and whether one is news.

/** @typedef {{films: number, newest: number, by: string}} Urgent newest in milliseconds, 0 for none */

/** Return a title with the number of urgent films before it, or without if there are none.
 * @param {string} title @param {number} films */
const withCount = (title, films) => {
  const plain = title.replace(/^\(\d+ urgent\) /, "");
  return films ? `(${films} urgent) ${plain}` : plain;
};

/** Return whether a film was marked by another reader since this page last looked.
 * @param {Urgent} now @param {number} before @param {string} reader */
const isNews = (now, before, reader) => before >= 0 && now.newest > before && now.by !== reader;
