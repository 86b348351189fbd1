// How the films on screen were looked at, in case Streamlit mounts the component again.

/** The last view of each side: a film that changes sides opens as its file has it. */
class LastViews {
  /** @type {View | null} */ film = null;
  /** @type {View | null} */ earlier = null; // of the film beside it

  /** Remember a view; that of a film beside another one lasts no longer than the other's.
   * @param {string} side `earlier`; else the film that the page is about
   * @param {View} view */
  remember(side, view) {
    if (side === "earlier") {
      this.earlier = view;
      return;
    }
    if (this.film?.entry !== view.entry) this.earlier = null;
    this.film = view;
  }

  /** Return the view of a film if it was the last one on its side.
   * @param {string} side @param {string} entry */
  of(side, entry) {
    const view = side === "earlier" ? this.earlier : this.film;
    return view?.entry === entry ? view : null;
  }
}
