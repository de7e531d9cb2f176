"use strict";
// Notes for sentences, keys and buttons from act to act, a filter per label. Data comes from attributes and one JSON
// block, and goes into the page as text only.
(() => {
  const labels = JSON.parse(document.getElementById("reader-data").textContent);
  const note = document.getElementById("note");
  const reader = note.parentElement;
  const position = document.getElementById("position");
  const wide = window.matchMedia("(min-width: 60.01rem)");
  const acts = [...document.querySelectorAll(".act")];
  let current = null;

  // The note takes the place of the tooltips that a page without scripts has.
  for (const sentence of document.querySelectorAll(".s")) sentence.removeAttribute("title");

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const makeRow = (label, probability, applies) => {
    const row = make("div", `row label-${label.slot}${applies ? " applies" : ""}`);
    const term = make("dt");
    term.append(make("span", "badge", label.badge), ` ${label.name}`);
    const value = make("dd", "", probability.toFixed(2));
    if (label.threshold !== null) {
      const sign = applies ? "≥" : "<"; // the figures are rounded, the label is not
      value.append(make("span", "of", ` ${sign} ${label.threshold.toFixed(2)}`));
    }
    const meter = make("dd", "meter");
    const bar = make("i");
    bar.style.width = `${100 * probability}%`;
    meter.append(bar);
    if (label.threshold !== null) {
      const tick = make("b");
      tick.style.left = `${100 * label.threshold}%`;
      meter.append(tick);
    }
    row.append(term, value, meter);
    return row;
  };

  const isShown = (act) => [...act.querySelectorAll(".line")].some((line) => !line.classList.contains("off"));
  const shownActs = () => acts.filter(isShown);

  const fillNote = (sentence) => {
    const probabilities = sentence.dataset.p.split(" ").map(Number);
    const applied = new Set([...sentence.querySelectorAll(".line")].map((line) => line.dataset.badge));
    const card = make("div", "card");
    const rows = make("dl");
    labels.forEach((label, column) => rows.append(makeRow(label, probabilities[column], applied.has(label.badge))));
    const names = labels.filter((label) => applied.has(label.badge)).map((label) => label.name);
    card.append(make("h2", "", names.length ? names.join(" and ") : "no act"), rows);
    note.replaceChildren(card);
  };

  const showNote = (sentence) => {
    if (current) current.classList.remove("current");
    current = sentence;
    sentence.classList.add("current");
    fillNote(sentence);
    note.hidden = false;
    note.style.top = wide.matches
      ? `${sentence.getBoundingClientRect().top - reader.getBoundingClientRect().top}px`
      : "";
  };

  const hideNote = () => {
    if (current) current.classList.remove("current");
    current = null;
    note.hidden = true;
  };

  const findSentence = (event) => (event.target instanceof Element ? event.target.closest(".s") : null);

  const tellPosition = (shown) => {
    const place = shown.indexOf(document.activeElement) + 1;
    const noun = shown.length === 1 ? "act" : "acts";
    position.textContent = place ? `${place} of ${shown.length}` : `${shown.length} ${noun}`;
  };

  const step = (direction) => {
    const shown = shownActs();
    if (!shown.length) return;
    const focused = shown.indexOf(document.activeElement);
    let next = focused + direction;
    if (focused < 0) {
      // From where the reader is: the first act below the strip, or the last above it.
      const below = shown.findIndex((act) => act.getBoundingClientRect().top > 100);
      next = direction > 0 ? Math.max(below, 0) : (below < 0 ? shown.length : below) - 1;
    }
    const act = shown[(next + shown.length) % shown.length];
    act.focus({ preventScroll: true });
    act.scrollIntoView({ block: "center" });
  };

  const filter = (box) => {
    const marks = document.querySelectorAll("[data-badge], .under[data-for], .cue[data-for]");
    for (const mark of marks) {
      if ((mark.dataset.badge ?? mark.dataset.for) === box.dataset.for) mark.classList.toggle("off", !box.checked);
    }
    for (const act of acts) act.tabIndex = isShown(act) ? 0 : -1;
    tellPosition(shownActs());
  };

  for (const box of document.querySelectorAll(".filters input")) {
    box.addEventListener("change", () => filter(box));
    if (!box.checked) filter(box); // a browser may bring a form back as it was left
  }
  // Buttons keep the focus where the reader is, so that pressing again goes on from there.
  for (const [name, direction] of [["previous", -1], ["next", 1]]) {
    const button = document.getElementById(name);
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => step(direction));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, select, textarea")) return;
    if (event.key === "n" || event.key === "ArrowRight") step(1);
    else if (event.key === "p" || event.key === "ArrowLeft") step(-1);
    else if (event.key === "Escape") hideNote();
    else return;
    event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const sentence = findSentence(event);
    if (sentence) {
      showNote(sentence);
      sentence.setAttribute("aria-describedby", "note");
    }
    tellPosition(shownActs());
  });
  document.addEventListener("focusout", (event) => findSentence(event)?.removeAttribute("aria-describedby"));
  document.addEventListener("pointerover", (event) => {
    const sentence = findSentence(event);
    if (sentence && event.pointerType === "mouse") showNote(sentence);
  });
  document.addEventListener("click", (event) => {
    const sentence = findSentence(event);
    if (sentence) showNote(sentence);
    else if (!note.contains(event.target) && !event.target.closest?.(".strip")) hideNote();
  });
  wide.addEventListener("change", hideNote);
  tellPosition(shownActs());
})();
