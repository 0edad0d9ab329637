"use strict";
(() => {
  const PAUSE_MS = 2000;
  let known;
  async function look() {
    try {
      const answer = await fetch("version.json", { cache: "no-store" });
      const { version } = await answer.json();
      known ??= version;
      if (version !== known) location.reload();
    } catch {
      // The server has stopped: what is shown stays.
    }
    setTimeout(look, PAUSE_MS);
  }
  look();
})();
