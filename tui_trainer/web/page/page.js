// Before the terminal begins (it waits for the page to be loaded): where its console is, and how large its letters.
"use strict";
const terminal = document.getElementById("terminal");
const scheme = location.protocol === "https:" ? "wss:" : "ws:";
terminal.dataset.sessionWebsocketUrl = `${scheme}//${location.host}${location.pathname}ws`;
const COLUMNS = 80, WIDTH = 0.61; // of a letter, in its size
terminal.dataset.fontSize = String(Math.max(7, Math.min(15, Math.floor((innerWidth - 8) / COLUMNS / WIDTH))));

const again = document.getElementById("again");
again.addEventListener("click", async () => {
  try {
    await fetch(location.href, { cache: "no-store" });
    location.reload();
  } catch {
    document.getElementById("gone").hidden = false;
  }
});

// Keys go to the console at once, and the button is reached by them once it is gone.
new MutationObserver(() => {
  if (document.body.classList.contains("-closed")) again.focus();
  else if (document.body.classList.contains("-first-byte")) document.querySelector(".xterm-helper-textarea")?.focus();
}).observe(document.body, { attributeFilter: ["class"] });
