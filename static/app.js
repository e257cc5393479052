// Makes pages quicker to use. Every page works without it.
import { initAll } from './nhsuk-frontend.min.js';

document.body.classList.add('js-enabled', 'nhsuk-frontend-supported');
initAll();

const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];
const one = (selector, scope = document) => scope.querySelector(selector);
const tell = (box, type) => box.dispatchEvent(new Event(type, { bubbles: true }));

// What has just happened takes focus, unless something is wrong.
if (!one('.nhsuk-error-summary')) one('[data-focus]')?.focus();

// "Today" and "Yesterday" fill the boxes of a date, in UK time.
for (const button of all('[data-date-today]')) {
  button.hidden = false;
  button.addEventListener('click', () => {
    const day = new Date(Date.now() - button.dataset.dateToday * 864e5);
    const parts = day.toLocaleDateString('en-GB', { timeZone: 'Europe/London' }).split('/');
    parts.forEach((part, place) => {
      const box = document.getElementById(`${button.dataset.dateFor}_${place}`);
      box.value = Number(part);
      tell(box, 'input');
    });
  });
}

// Fast entry: keys answer the row that has focus, arrows move between rows, nothing moves by itself.
for (const grid of all('[data-fast]')) {
  const rows = all('[data-fast-row]', grid);
  const count = () => {
    const line = one('[data-progress]');
    const done = rows.filter((row) => all('input', row).some((box) =>
      (box.type === 'radio' ? box.checked : box.value.trim()))).length;
    if (line) line.textContent = line.textContent.replace(/^\d+/, done);
  };
  grid.addEventListener('change', count);
  grid.addEventListener('keydown', (event) => {
    const row = event.target.closest('[data-fast-row]');
    if (!row || event.target.type !== 'radio' || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const seen = rows.filter((found) => !found.hidden);
      const boxes = all('input', seen[seen.indexOf(row) + step] || row);
      (boxes.find((box) => box.checked) || boxes[0]).focus();
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      for (const box of all('input', row)) box.checked = false;
      tell(event.target, 'change');
    } else {
      const box = all('[data-key]', row).find((found) => found.dataset.key === event.key.toLowerCase());
      if (!box) return;
      box.checked = true;
      box.focus();
      tell(box, 'change');
    }
    event.preventDefault();
  });
}

// The session ends on the server; every answer from it starts the time again.
const seconds = Number(document.body.dataset.sessionSeconds);
const warning = one('[data-session-warning]');
let timer;
const restart = () => {
  if (!seconds || !warning) return;
  warning.hidden = true;
  clearTimeout(timer);
  timer = setTimeout(() => { warning.hidden = false; }, Math.max(seconds - warning.dataset.sessionWarning, 0) * 1000);
};
restart();
one('[data-session-stay]')?.addEventListener('click', async () => {
  const answer = await fetch(document.body.dataset.sessionUrl, { cache: 'no-store' }).catch(() => null);
  if (answer?.ok) restart();
});

// Drafts: saved 3 seconds after typing stops and on leaving a field; a failure is said and tried again.
for (const form of all('form[data-draft-url]')) {
  const line = one('[data-draft-line]', form);
  let dirty;
  let sending;
  let wait;
  let afterwards;
  const say = (text, failed) => {
    if (!line) return;
    one('[data-draft-text]', line).textContent = text;
    one('[data-draft-tick]', line).hidden = failed;
    line.classList.toggle('app-draft--failed', failed);
  };
  const save = async () => {
    clearTimeout(wait);
    if (!dirty || sending) return;
    dirty = false;
    sending = true;
    try {
      const answer = await fetch(form.dataset.draftUrl,
        { method: 'POST', body: new FormData(form), headers: { Accept: 'application/json' }, keepalive: document.hidden });
      const saved = await answer.json().catch(() => ({}));
      const refused = [409, 422].includes(answer.status);
      if (!(answer.ok || refused)) throw new Error(answer.status);
      dirty ||= answer.redirected;
      if (answer.redirected) say('You were signed out. Press the button to sign in: what you typed is kept.', true);
      else say(refused ? saved.message : `Draft saved ${saved.saved_at}`, refused);
      if (saved.revision) form.elements.revision.value = saved.revision;
      if (saved.support_url) {
        const link = Object.assign(document.createElement('a'), { href: saved.support_url, textContent: 'What to say now' });
        line?.append(' ', link);
      }
      restart();
    } catch {
      dirty = true;
      say('Draft not saved. We are trying again.', true);
      wait = setTimeout(save, 10000);
    }
    sending = false;
    afterwards?.();
  };
  const changed = () => {
    dirty = true;
    clearTimeout(wait);
    wait = setTimeout(save, 3000);
  };
  form.addEventListener('input', changed);
  form.addEventListener('change', changed);
  form.addEventListener('focusout', save);
  form.addEventListener('submit', (event) => {
    dirty = false;
    clearTimeout(wait);
    if (!sending) return;
    event.preventDefault(); // the draft on its way would look like somebody else's
    afterwards = () => form.requestSubmit(event.submitter);
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) save(); });
  if ('draftKept' in form.dataset) { // typed before the session ended: stored now
    dirty = true;
    save();
  }
}
