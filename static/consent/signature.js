// A box to sign in with a finger, a pen or a mouse. What is drawn goes as PNG into the hidden field of its form.
// Without this script the box stays hidden, and the name is typed instead.
const form = document.querySelector('[data-signature-form]');

function pad(holder) {
  const box = holder.querySelector('canvas');
  const field = form.elements.drawn;
  const pen = box.getContext('2d');
  let from = null;

  function place(event) {
    const edge = box.getBoundingClientRect();
    return {
      x: ((event.clientX - edge.left) * box.width) / edge.width,
      y: ((event.clientY - edge.top) * box.height) / edge.height,
    };
  }

  function clear() {
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, box.width, box.height);
    pen.lineWidth = 4;
    pen.lineCap = pen.lineJoin = 'round';
    pen.strokeStyle = '#212b32';
    field.value = '';
  }

  function line(to) {
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
    from = to;
  }

  box.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    event.preventDefault();
    box.setPointerCapture(event.pointerId);
    from = place(event);
    line({ x: from.x + 0.1, y: from.y });
  });
  box.addEventListener('pointermove', (event) => {
    if (!from) return;
    for (const one of event.getCoalescedEvents?.() ?? []) line(place(one));
    line(place(event));
  });
  for (const name of ['pointerup', 'pointercancel']) {
    box.addEventListener(name, () => {
      if (from) field.value = box.toDataURL('image/png');
      from = null;
    });
  }
  holder.querySelector('button').addEventListener('click', clear);
  clear();
}

function choose() {
  const way = form.elements.way.value;
  form.querySelector('[data-pad]').hidden = way === 'typed';
  const typed = form.querySelector('[data-typed]');
  if (typed) typed.hidden = way !== 'typed';
}

if (form) {
  pad(form.querySelector('[data-pad]'));
  form.addEventListener('change', choose);
  choose();
}
